"""The folder of an export: what is written, kept, removed, and never touched."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gitopsreg.errors import ConfigError, StorageError
from gitopsreg.index.contents import Place
from gitopsreg.index.head import read_head
from gitopsreg.index.keys import blob_key
from gitopsreg.index.repository import load
from gitopsreg.model.digest import Sha256
from gitopsreg.offline.site import Copy, Page, Site
from gitopsreg.offline.static import export
from gitopsreg.storage.memory import MemoryStore
from tests.builders import a_blob
from tests.fakes import Died
from tests.offline.sites import PUBLIC, a_site, a_store, exported, files
from tests.protocol.samples import a_provider, old
from tests.server.house import publish_packages, stored_provider


def times(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def smaller(store: MemoryStore) -> None:
    """A snapshot without the module vpc."""
    publish_packages(store, old(), a_provider(stored_provider(store)))


def test_a_second_export_writes_nothing(tmp_path: Path) -> None:
    store = a_store()
    first = exported(store, tmp_path)
    before = times(tmp_path / "www")
    second = exported(store, tmp_path)
    assert first.written == first.files == second.files
    assert (second.written, second.removed, second.size) == (0, 0, 0)
    assert times(tmp_path / "www") == before


def test_equal_bytes_are_once_on_disk(tmp_path: Path) -> None:
    exported(a_store(), tmp_path)
    zips = list((tmp_path / "www").rglob("*_linux_amd64.zip"))
    assert len(zips) == 5  # the provider's own, and two names at two hosts
    assert len({path.stat().st_ino for path in zips}) == 1


def test_what_is_gone_is_removed_and_nothing_else(tmp_path: Path) -> None:
    store = a_store()
    exported(store, tmp_path)
    mine = tmp_path / "www" / "robots.txt"
    mine.write_text("mine")
    smaller(store)
    done = exported(store, tmp_path)
    assert done.removed > 0
    assert mine.read_text() == "mine"
    assert not (tmp_path / "www/v1/modules/platform/vpc").exists()
    fresh = tmp_path / "fresh"
    exported(store, fresh)
    mine.unlink()
    assert files(tmp_path / "www") == files(fresh / "www")
    assert files(tmp_path / "nginx") == files(fresh / "nginx")


@pytest.mark.parametrize("named", ["readme.txt", "www"])
def test_a_folder_of_others_is_refused_and_left_alone(tmp_path: Path, named: str) -> None:
    (tmp_path / named).mkdir() if named == "www" else (tmp_path / named).write_text("mine")
    with pytest.raises(ConfigError, match="is not empty and holds no export"):
        exported(a_store(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [named]


def test_a_file_in_the_way_is_not_overwritten(tmp_path: Path) -> None:
    store = a_store()
    smaller(store)
    exported(store, tmp_path)
    mine = tmp_path / "www/v1/modules/platform/vpc/aws/versions"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    with pytest.raises(ConfigError, match="is in the way"):
        exported(a_store(), tmp_path)
    assert mine.read_text() == "mine"


@pytest.mark.parametrize("path", ["../../victim", "/victim", "www/../../victim"])
def test_a_record_that_was_tampered_with_removes_nothing(tmp_path: Path, path: str) -> None:
    folder, victim = tmp_path / "a" / "export", tmp_path / "victim"
    victim.write_text("mine")
    store = a_store()
    exported(store, folder)
    record = folder / "export.json"
    record.write_text(record.read_text().replace("www/.well-known/terraform.json", path))
    with pytest.raises(ConfigError, match="tampered"):
        exported(store, folder)
    record.unlink()
    (folder / "export.journal").write_text(f"{path}\n")
    with pytest.raises(ConfigError, match="in the way"):
        exported(store, folder)
    assert victim.read_text() == "mine"


@pytest.mark.parametrize("data", ["", "[]", "{}", '{"format": 2, "files": {}}', '{"format": 1, "files": {"a": 1}}'])
def test_a_record_that_is_none_is_refused(tmp_path: Path, data: str) -> None:
    (tmp_path / "export.json").write_text(data)
    with pytest.raises(ConfigError):
        exported(a_store(), tmp_path)


class _Killed(Site):
    """Dies before its n-th page."""

    def __init__(self, store: MemoryStore, at: int) -> None:
        head = read_head(store)
        assert head is not None
        super().__init__(load(store, head.root), PUBLIC)
        self._at = at

    def copies(self) -> Iterator[Copy]:
        for number, copy in enumerate(super().copies()):
            if number == self._at:
                raise Died
            yield copy

    def pages(self) -> Iterator[Page]:
        for number, page in enumerate(super().pages(), 100):
            if number == self._at:
                raise Died
            yield page


@pytest.mark.parametrize("at", [0, 1, 7, 100, 104, 120])
def test_a_killed_export_is_finished_by_the_next(tmp_path: Path, at: int) -> None:
    """Also when the catalog went back meanwhile, so that half of the files are of a state that nobody wants."""
    store, folder = a_store(), tmp_path / "export"
    smaller(store)
    exported(store, folder)
    lists = {path: data for path, data in files(folder / "www").items() if path.endswith(("versions", "index.json"))}
    with pytest.raises(Died):
        export(_Killed(a_store(), at), {"": a_store()}, folder)
    seen = files(folder / "www")
    for path, data in lists.items():
        assert seen[path] == data
    exported(store, folder)
    exported(store, tmp_path / "fresh")
    assert files(folder / "www") == files(tmp_path / "fresh" / "www")
    assert not (folder / "export.journal").exists()


@pytest.mark.parametrize("data", [b"other", b""])
def test_altered_bytes_are_not_exported(tmp_path: Path, data: bytes) -> None:
    store = a_store()
    for copy in a_site(store).copies():
        store.put(copy.place.key, data)
    with pytest.raises(StorageError, match="torn or altered"):
        exported(store, tmp_path)
    assert not list((tmp_path / "www").rglob("versions"))


def test_a_back_end_that_is_not_given_is_named(tmp_path: Path) -> None:
    class Elsewhere(Site):
        def copies(self) -> Iterator[Copy]:
            yield Copy(path="/x", place=Place("archive", blob_key(Sha256.of(b"x"))), blob=a_blob(b"x"))

    store = a_store()
    with pytest.raises(ConfigError, match="--backend archive=URL"):
        export(Elsewhere(a_site(store).snapshot, PUBLIC), {"": store}, tmp_path)


def test_no_path_leads_outside(tmp_path: Path) -> None:
    class Astray(Site):
        def copies(self) -> Iterator[Copy]:
            yield Copy(path="/../../x", place=Place("", "x"), blob=a_blob(b"x"))

    store = a_store()
    with pytest.raises(StorageError, match="path of a file"):
        export(Astray(a_site(store).snapshot, PUBLIC), {"": store}, tmp_path / "deep" / "export")
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]
