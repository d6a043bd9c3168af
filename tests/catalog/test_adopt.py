from pathlib import Path

import pytest

from gitopsreg.catalog.adopt import merge_catalog, write_catalog
from gitopsreg.errors import ConfigError

FILES = {"registry.yaml": "r\n", "namespaces/a/namespace.yaml": "n\n", "namespaces/a/modules/b/c.yaml": "m\n"}


def untold(_path: str) -> None:
    """Where nobody watches."""


def there(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


class Stop:
    """Ctrl-C after so many files."""

    def __init__(self, after: int) -> None:
        self.left = after

    def __call__(self, _path: str) -> None:
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


def test_a_new_catalog_is_there_whole(tmp_path: Path) -> None:
    assert write_catalog(tmp_path / "new", FILES, untold).written == 3
    assert there(tmp_path / "new") == FILES


@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_new_catalog_that_is_stopped_leaves_nothing(tmp_path: Path, after: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        write_catalog(tmp_path / "new", FILES, Stop(after))
    assert list(tmp_path.iterdir()) == []


def test_an_empty_repository_is_empty(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    with pytest.raises(KeyboardInterrupt):
        write_catalog(tmp_path, FILES, Stop(2))
    assert [path.name for path in tmp_path.iterdir()] == [".git"]
    write_catalog(tmp_path, FILES, untold)
    assert there(tmp_path) == FILES


def test_what_is_there_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "README.md").touch()
    with pytest.raises(ConfigError, match="is not empty"):
        write_catalog(tmp_path, FILES, untold)
    mine = tmp_path / "namespaces/a/modules/b/c.yml"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine\n")
    done = merge_catalog(tmp_path, FILES, untold)
    assert (done.written, done.same, done.differing) == (2, 0, ("namespaces/a/modules/b/c.yaml",))
    ours = {path: text for path, text in FILES.items() if path not in done.differing}
    assert there(tmp_path) == ours | {"README.md": "", "namespaces/a/modules/b/c.yml": "mine\n"}


def test_a_merge_that_was_stopped_is_finished_by_the_next(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        merge_catalog(tmp_path, FILES, Stop(2))
    assert 0 < len(there(tmp_path)) < 3
    done = merge_catalog(tmp_path, FILES, untold)
    assert (done.written, done.same) == (1, 2)
    assert there(tmp_path) == FILES
