import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitopsreg.catalog import pack
from gitopsreg.catalog.check import Checked, check_each, check_file
from gitopsreg.catalog.files import CatalogFile, CatalogFiles
from gitopsreg.catalog.kept import Kept
from gitopsreg.catalog.load import Loaded, Memo, load
from gitopsreg.catalog.pack import Entry, decode, encode, entry_of
from tests.catalog.catalogs import AT_MODULE, AT_NAMESPACE, MODULE, NAMESPACE, WHOLE, a_catalog, a_file
from tests.catalog.hostile import catalogs

IGNORED = MODULE + "  versions: {constraint: banana}  # gitopsreg: ignore[GR401] as ever\n"


class Counting:
    """Counts the files that are checked."""

    def __init__(self) -> None:
        self.files: list[str] = []

    def check(self, files: Sequence[CatalogFile]) -> list[Checked]:
        self.files += [file.path for file in files]
        return list(check_each(files))


def modules(*numbers: int, text: str = MODULE) -> list[CatalogFile]:
    return [
        a_file(f"namespaces/platform/modules/m{number}/aws.yaml", text.replace("vpc", f"m{number}"))
        for number in numbers
    ]


def checked_anew(folder: Path, files: Sequence[CatalogFile], catalog: str = "", least: int = 1) -> list[str]:
    """What a new process has to check of these; and it finds what is to be found."""
    counting = Counting()
    assert Kept(folder, catalog, check=counting.check, least=least).check(files) == list(check_each(files))
    return counting.files


def loaded(files: CatalogFiles, folder: Path) -> tuple[Loaded, tuple[Checked, ...]]:
    found = load(files, memo=Memo(check=Kept(folder, "", least=0).check))
    return found, found.checked


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60, deadline=None)
@given(st.lists(catalogs, min_size=1, max_size=3), st.binary(max_size=40), st.floats(0, 1), st.booleans())
def test_with_and_without_what_is_kept_the_same_is_found(
    some: list[dict[str, bytes]], damage: bytes, place: float, cut: bool
) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name) / "kept"
        for files in [*some, some[0]]:
            whole = a_catalog({**WHOLE, "namespaces/platform/modules/quiet/aws.yaml": IGNORED, **files})
            wanted = load(whole)
            for _ in range(2):
                assert loaded(whole, folder) == (wanted, wanted.checked)
            for path in folder.glob("*"):
                data = path.read_bytes()
                at = int(place * len(data))
                path.write_bytes(data[:at] + damage + (b"" if cut else data[at + len(damage) :]))
            assert loaded(whole, folder) == (wanted, wanted.checked)


def test_what_one_process_checked_the_next_need_not(tmp_path: Path) -> None:
    files = modules(*range(5))
    assert len(checked_anew(tmp_path, files)) == 5
    assert checked_anew(tmp_path, files) == []
    changed = [*files[:4], *modules(4, text=MODULE + "# changed\n")]
    assert checked_anew(tmp_path, changed) == [files[4].path]
    assert checked_anew(tmp_path, changed) == checked_anew(tmp_path, files) == []


def test_the_same_content_elsewhere_is_another_file(tmp_path: Path) -> None:
    (file,) = modules(1)
    checked_anew(tmp_path, [file])
    assert checked_anew(tmp_path, [replace(file, path="namespaces/platform/modules/m2/aws.yaml")]) != []
    assert checked_anew(tmp_path, [replace(file, mode="symlink")]) != []


def test_each_catalog_has_its_own(tmp_path: Path) -> None:
    checked_anew(tmp_path, modules(1), "one")
    (one,) = tmp_path.iterdir()
    assert checked_anew(tmp_path, modules(1), "other") != []
    assert checked_anew(tmp_path, modules(1), "one") == []
    (other,) = set(tmp_path.iterdir()) - {one}
    other.write_bytes(one.read_bytes())
    assert checked_anew(tmp_path, modules(1), "one") == []
    assert checked_anew(tmp_path, modules(1), "other") != []


def test_a_name_that_is_not_of_the_content_is_none(tmp_path: Path) -> None:
    files = [replace(file, oid="8:15:200:17:17") for file in modules(1, 2)]
    assert checked_anew(tmp_path, files) == checked_anew(tmp_path, files) != []
    assert not tmp_path.exists() or list(tmp_path.iterdir()) == []


def test_no_secret_and_nothing_that_is_wrong_is_kept(tmp_path: Path) -> None:
    secret = "ghp_" + "a" * 36
    files = [*modules(1), *modules(2, text=MODULE + f"# {secret}\n"), *modules(3, text=MODULE + "  wrong: 1\n")]
    checked_anew(tmp_path, files)
    (kept,) = tmp_path.iterdir()
    assert b"m1" in kept.read_bytes()
    assert b"m2" not in kept.read_bytes()
    assert secret.encode() not in kept.read_bytes()
    assert checked_anew(tmp_path, files) == [file.path for file in files[1:]]


def test_it_is_for_its_user_only(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    checked_anew(folder, modules(1))
    (kept,) = folder.iterdir()
    assert folder.stat().st_mode & 0o077 == kept.stat().st_mode & 0o077 == 0


def test_a_few_files_are_neither_looked_up_nor_kept(tmp_path: Path) -> None:
    assert len(checked_anew(tmp_path / "kept", modules(1, 2), least=3)) == 2
    assert not (tmp_path / "kept").exists()
    checked_anew(tmp_path / "kept", modules(1, 2, 3), least=3)
    assert checked_anew(tmp_path / "kept", modules(1, 2, 3, 4, 5), least=3) == [file.path for file in modules(4, 5)]
    assert len(list((tmp_path / "kept").iterdir())) == 1


def test_many_packs_become_one(tmp_path: Path) -> None:
    for number in range(1, 10):
        checked_anew(tmp_path, modules(*range(number)))
    assert len(list(tmp_path.iterdir())) == 1
    assert checked_anew(tmp_path, modules(*range(9))) == []


def test_what_is_of_no_use_any_more_goes(tmp_path: Path) -> None:
    checked_anew(tmp_path, modules(*range(20)))
    checked_anew(tmp_path, modules(1, 2, 3))
    (kept,) = tmp_path.iterdir()
    assert b"m19" not in kept.read_bytes()
    assert checked_anew(tmp_path, modules(1, 2, 3)) == []


def test_of_all_catalogs_the_longest_unused_go(tmp_path: Path) -> None:
    for number in range(65):
        (tmp_path / f"{number}").touch()
        os.utime(tmp_path / f"{number}", (number, number))
    checked_anew(tmp_path, modules(1))
    assert len(list(tmp_path.iterdir())) == 64
    assert not (tmp_path / "0").exists()
    assert not (tmp_path / "1").exists()
    assert checked_anew(tmp_path, modules(1)) == []


def test_where_nothing_can_be_kept_all_is_checked(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert checked_anew(tmp_path / "file" / "inside", modules(1)) != []


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_what_is_no_file_is_no_pack(tmp_path: Path, make: object) -> None:
    checked_anew(tmp_path, modules(1))
    (kept,) = tmp_path.iterdir()
    kept.unlink()
    make(kept)  # type: ignore[operator]
    assert checked_anew(tmp_path, modules(1)) != []


@pytest.mark.parametrize("value", [[2**64], ["\ud800"], [object()]])
def test_what_json_has_no_word_for_is_left_out(value: list[object]) -> None:
    sound = Entry("a", "1", "a", {"b": [1, 1.5, None, True, 2**63]})
    assert decode("x", encode("x", [Entry("b", "2", "b", value), sound])) == [sound]


def test_a_scalar_that_means_nothing_is_no_json() -> None:
    (found,) = [check_file(a_file("namespaces/platform/keys/x.txt", "a: 010\n"))]
    assert found.document is not None
    assert pack.written(found.document.value) is None


@pytest.mark.parametrize(
    "payload", [b"", b"1", b"{}", b"[1]", b"[[1,2,3,4]]", b'[["a","b","c"]]', b"[" * 100_000, b'[[[],"b","c",1]]']
)
def test_bytes_of_another_shape_are_nothing(payload: bytes) -> None:
    data = encode("x", [])
    assert decode("x", data) == []
    assert decode("y", data) is None
    assert decode("x", data[:-2] + payload) is None
    assert decode("x", pack.head("x", payload) + payload) in (None, [])


def test_what_was_asked_for_is_told_once_a_file(tmp_path: Path) -> None:
    files = [a_file(AT_NAMESPACE, NAMESPACE), a_file(AT_MODULE, MODULE)]
    entries = [entry_of(check_file(file), file.oid) for file in files]
    assert [entry.path for entry in entries if entry] == [AT_NAMESPACE, AT_MODULE]
    assert checked_anew(tmp_path, [*files, *files]) == [AT_NAMESPACE, AT_MODULE] * 2
    assert checked_anew(tmp_path, files) == []


def test_what_can_only_be_read_serves_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = modules(1, 2, 3)
    checked_anew(tmp_path, files)

    def refused(*_: object) -> None:
        raise PermissionError(30, "Read-only file system")

    monkeypatch.setattr(os, "utime", refused)
    assert checked_anew(tmp_path, files) == []


def test_what_can_not_go_keeps_no_other(tmp_path: Path) -> None:
    for age in range(70):
        place = tmp_path / f"{age:02}"
        place.mkdir() if age == 67 else place.write_text("")
        os.utime(place, (2e9 - age, 2e9 - age))
    checked_anew(tmp_path, modules(1))
    assert (tmp_path / "67").exists()
    assert not (tmp_path / "69").exists()
