import os
from pathlib import Path

from gitopsreg.cli.cache import Cache


def test_what_was_put_is_there(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "a" / "b")
    assert cache.get("x") is None
    cache.put("x", b"1")
    cache.put("x", b"2")
    assert cache.get("x") == b"2"
    assert (tmp_path / "a" / "b").stat().st_mode & 0o077 == 0


def test_the_longest_unused_go(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    for number in range(64):
        cache.put(f"{number}", b"")
        os.utime(tmp_path / f"{number}", (number, number))
    assert cache.get("0") == b""
    cache.put("new", b"")
    assert cache.get("1") is None
    assert cache.get("0") == b""
    assert len(list(tmp_path.iterdir())) == 64


def test_a_folder_that_can_t_be_used_is_no_cache(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = Cache(tmp_path / "file" / "inside")
    cache.put("x", b"1")
    assert cache.get("x") is None
