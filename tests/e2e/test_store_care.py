"""The real commands on a directory: verify, copy, collect and scrub, with damage done to the files."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitopsreg.index.care import read_care
from gitopsreg.settings import Settings
from gitopsreg.storage.filesystem import FilesystemStore
from gitopsreg.wiring.caring import Caretaker, once_each
from gitopsreg.wiring.stores import open_backends
from tests.cli.shell import Ran, gitopsreg, on_terminal
from tests.e2e.asking import module_archive
from tests.e2e.catalogs import a_catalog, a_catalog_module, a_module, module_content
from tests.e2e.process import serve
from tests.reconcile.care import served_whole
from tests.repositories import GitServer, a_repository, commit, git, tag

pytestmark = pytest.mark.e2e

NET, LOCAL = "acme/net/generic", "acme/local/generic"
FIRST_NET = "module:acme/net/generic"


class Shop:
    """A catalog of one module from a Git server and one from its own folders, published into a directory."""

    def __init__(self, folder: Path, server: GitServer) -> None:
        self.folder = folder
        self.server = server
        self.store = folder / "store"
        net = a_module(NET, {"type": "git", "url": server.url("net")})
        self.catalog = a_catalog(folder / "catalog", net, a_catalog_module(LOCAL, "1.0.0"))
        assert self.reconcile().code == 0

    def reconcile(self) -> Ran:
        return self.run("reconcile", *self.sources)

    @property
    def sources(self) -> tuple[str | Path, ...]:
        return "--catalog", self.catalog, "--cache", self.folder / "cache", "--allow-local-sources"

    def run(self, *arguments: str | Path) -> Ran:
        return gitopsreg(*arguments, "--store", self.store, "--output", "json")

    def scrub(self, *arguments: str) -> Ran:
        return self.run("scrub", *self.sources, *arguments)

    def blob_of(self, version: str) -> Path:
        """Where the archive of a version of NET lies."""
        snapshot = served_whole({"": FilesystemStore(self.store)})
        assert snapshot
        (package,) = (package for address, package in snapshot.packages.items() if str(address) == FIRST_NET)
        (found,) = (each for each in package.versions if each.version.text == version)
        return self.store / "blobs" / found.archive.sha256.hex  # type: ignore[union-attr]

    def make_old(self) -> None:
        """As if all of it had been stored forty days ago."""
        then = time.time() - 40 * 86400
        for path in self.store.rglob("*"):
            if path.is_file():
                os.utime(path, (then, then))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    modules = a_repository(tmp_path / "git" / "net")
    for version in ("2.0.0", "2.1.0"):
        commit(modules, module_content(".", version))
        tag(modules, f"v{version}")
    with GitServer(modules.parent) as running:
        yield running


@pytest.fixture
def shop(tmp_path: Path, server: GitServer) -> Shop:
    return Shop(tmp_path, server)


def flip(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:40] + bytes([data[40] ^ 1]) + data[41:])


def test_a_flipped_bit_is_found_and_repaired_from_the_git_upstream(shop: Shop) -> None:
    assert shop.run("store", "verify").code == 0
    blob = shop.blob_of("2.0.0")
    before = blob.read_bytes()
    flip(blob)
    assert shop.run("store", "verify", "--quick").code == 0
    verified = shop.run("store", "verify")
    assert verified.code == 1
    (fault,) = verified.json["faults"]
    assert (fault["key"], fault["what"], fault["packages"]) == (f"blobs/{blob.name}", "ReadBackMismatch", [FIRST_NET])
    scrubbed = shop.scrub()
    assert (scrubbed.code, scrubbed.json["repaired"]) == (0, 1), scrubbed
    assert blob.read_bytes() == before
    assert shop.run("store", "verify").code == 0


def test_without_its_upstream_it_is_a_condition_until_somebody_mends_it(shop: Shop) -> None:
    blob = shop.blob_of("2.0.0")
    before = blob.read_bytes()
    flip(blob)
    git(shop.server.root / "net", "tag", "--delete", "v2.0.0")
    first, second = shop.scrub(), shop.scrub()
    assert (first.code, second.code) == (1, 1)
    (fault,) = second.json["figures"]["faults"]
    assert (fault["package"], fault["version"], fault["attempts"]) == (FIRST_NET, "2.0.0", 1)
    status = shop.run("status", "--exit-code")
    assert status.code == 1
    (package,) = (each for each in status.json["packages"] if each["address"] == FIRST_NET)
    assert {"Ready", "StorageFailed"} <= {each["type"] for each in package["conditions"]}
    assert package["ready"] == "False"
    shop.reconcile()
    assert shop.run("status", "--exit-code").code == 1, "a reconcile does not hide it"
    blob.write_bytes(before)
    assert shop.scrub().code == 0
    assert len(shop.run("status").json["scrubbed"]["faults"]) == 0


def test_without_a_catalog_damage_is_only_told(shop: Shop) -> None:
    blob = shop.blob_of("2.1.0")
    blob.unlink()
    done = shop.run("scrub")
    assert (done.code, done.json["figures"]["faults"][0]["what"]) == (1, "Missing")
    assert "is not stored" in gitopsreg("scrub", "--store", shop.store).stdout
    assert shop.scrub("--for", "10m", "--rate", "20MB/s").json["repaired"] == 1


def test_what_is_no_longer_named_goes_when_it_is_old(shop: Shop) -> None:
    for number in range(3):
        commit(shop.catalog, a_catalog_module(LOCAL, "1.0.0", description=f"word {number}"))
        assert shop.reconcile().code == 0
    stray = shop.store / "blobs" / ("0" * 64)
    stray.write_bytes(b"left by a run that was killed")
    assert shop.run("collect", "--keep", "1").json["removed"] == 0, "it is young"
    shop.make_old()
    dry = shop.run("collect", "--keep", "1", "--dry-run")
    assert (dry.json["removed"], stray.exists()) == (10, True)
    done = shop.run("collect", "--keep", "1")
    assert (done.code, done.json["removed"], done.json["freed"]) == (0, 10, dry.json["freed"])
    assert not stray.exists()
    assert served_whole({"": FilesystemStore(shop.store)})
    assert shop.run("store", "verify").json["snapshots"] == 1
    assert shop.run("status").json["collected"]["removed"] == 10
    assert shop.reconcile().code == 0


def test_nothing_is_collected_when_the_index_is_damaged(shop: Shop) -> None:
    (shard,) = (shop.store / "index/shards").iterdir()
    shard.write_bytes(b"torn")
    shop.make_old()
    done = shop.run("collect")
    assert done.code == 3
    assert shard.name in done.stderr


def test_a_copy_serves_what_the_first_one_served(shop: Shop, tmp_path: Path) -> None:
    other = tmp_path / "other"
    done = gitopsreg("store", "copy", shop.store, other / "store", "--output", "json")
    assert (done.code, done.json["served"], done.json["blobs"]) == (0, True, 3)
    again = gitopsreg("store", "copy", shop.store, other / "store", "--output", "json")
    assert (again.code, again.json["blobs"], again.json["documents"]) == (0, 0, 0)
    with serve(tmp_path) as first, serve(other) as second:
        ours = module_archive(second.url, NET, "2.1.0")
        assert ours == module_archive(first.url, NET, "2.1.0")
    catalog = ("--catalog", shop.catalog, "--cache", tmp_path / "cache", "--allow-local-sources")
    continued = gitopsreg("reconcile", *catalog, "--store", other / "store", "--output", "json")
    assert (continued.code, continued.json["published"]) == (0, False), "the copy is a registry of its own"


def test_a_store_is_not_copied_onto_itself(shop: Shop) -> None:
    done = gitopsreg("store", "copy", shop.store, f"{shop.store}/.")
    assert (done.code, "are the same store" in done.stderr) == (2, True)


def test_a_copy_of_a_damaged_store_is_not_served(shop: Shop, tmp_path: Path) -> None:
    flip(shop.blob_of("2.0.0"))
    done = gitopsreg("store", "copy", shop.store, tmp_path / "other")
    assert done.code == 1
    assert "ReadBackMismatch" in done.stdout
    assert not (tmp_path / "other/index/head").exists()
    assert shop.scrub().code == 0
    assert gitopsreg("store", "copy", shop.store, tmp_path / "other").code == 0


def test_a_copy_that_is_killed_is_finished_by_the_next(shop: Shop, tmp_path: Path) -> None:
    """As if killed between any two of its writes: half of what it brought is there, the head is not."""
    whole, half = tmp_path / "whole", tmp_path / "half"
    assert gitopsreg("store", "copy", shop.store, whole).code == 0
    for number, path in enumerate(sorted(path for path in whole.rglob("*") if path.is_file())):
        if number % 2 and path.name != "head":
            target = half / path.relative_to(whole)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    done = gitopsreg("store", "copy", shop.store, half, "--output", "json")
    assert done.code == 0
    assert done.json["there"] > 0
    assert done.json["blobs"] + done.json["documents"] > 0
    assert served_whole({"": FilesystemStore(half)}) == served_whole({"": FilesystemStore(shop.store)})


def test_another_registry_is_never_replaced_by_mistake(shop: Shop, tmp_path: Path) -> None:
    other = tmp_path / "other"
    catalog = a_catalog(tmp_path / "catalog-2", a_catalog_module(LOCAL, "3.0.0"))
    assert gitopsreg("reconcile", "--catalog", catalog, "--store", other, "--cache", tmp_path / "cache-2").code == 0
    done = gitopsreg("store", "copy", shop.store, other)
    assert done.code == 2
    assert "--force" in done.stderr
    assert gitopsreg("store", "copy", shop.store, other, "--force").code == 0


def test_people_see_what_is_done(shop: Shop, tmp_path: Path) -> None:
    code, shown = on_terminal("store", "verify", "--store", shop.store)
    assert code == 0
    assert "all is well" in shown
    code, shown = on_terminal("store", "copy", shop.store, tmp_path / "other")
    assert code == 0
    assert "TO serves snapshot" in shown
    code, shown = on_terminal("collect", "--store", shop.store)
    assert code == 0
    assert "Removed 0 objects" in shown
    code, shown = on_terminal("scrub", "--store", shop.store)
    assert code == 0
    assert "to the end: 0 repaired, 0 damaged" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("collect", "--grace", "1h"), "2h or more"),
        (("collect", "--grace", "long"), '--grace "long": write seconds or a duration'),
        (("scrub", "--rate", "fast"), 'like "20MB/s"'),
        (("scrub", "--rate", "0MB/s"), 'like "20MB/s"'),
        (("scrub", "--for", "x"), '--for "x": write seconds or a duration'),
    ],
)
def test_wrong_use_is_told(shop: Shop, arguments: tuple[str, ...], message: str) -> None:
    done = shop.run(*arguments)
    assert done.code == 2
    assert message in done.stderr


def test_empty_stores_are_told(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    assert gitopsreg("store", "verify", "--store", empty).code == 3
    assert gitopsreg("store", "copy", empty, tmp_path / "other").code == 3
    assert "verify" in gitopsreg("store", "--help").stdout


def test_a_watching_reconciler_looks_after_its_store_by_itself(shop: Shop) -> None:
    settings = Settings(
        catalog=str(shop.catalog),
        store=shop.store.as_uri(),
        cache=shop.folder / "cache",
        allow_local_sources=True,
    )
    told: list[str] = []
    caretaker = Caretaker(settings, open_backends(settings), told.append)
    damaged, whole = shop.blob_of("2.0.0"), shop.blob_of("2.0.0").read_bytes()
    flip(damaged)
    stray = shop.store / "blobs" / ("0" * 64)
    stray.write_bytes(b"a stray")
    shop.make_old()
    caretaker.round()
    assert damaged.read_bytes() == whole
    assert not stray.exists()
    assert told == []
    caretaker.round()
    care = read_care(FilesystemStore(shop.store))
    assert care.collected is not None
    assert care.scrubbed is not None
    assert (care.collected.removed, care.scrubbed.repaired) == (1, 0)


def test_what_the_care_can_t_mend_is_told_once(shop: Shop) -> None:
    settings = Settings(
        catalog=str(shop.catalog), store=shop.store.as_uri(), cache=shop.folder / "cache", allow_local_sources=True
    )
    told: list[str] = []
    caretaker = Caretaker(settings, open_backends(settings), once_each(told.append))
    flip(shop.blob_of("2.0.0"))
    git(shop.server.root / "net", "tag", "--delete", "v2.0.0")
    caretaker.round()
    caretaker.round()
    assert len(told) == 1
    assert told[0].startswith(f"{FIRST_NET} 2.0.0: ")


def test_a_copy_never_collects_what_the_original_put_elsewhere(shop: Shop, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    spec = "backend: archive\n  prefix: modules/"
    head = "apiVersion: gitopsreg.io/v1alpha1\nkind: StorageClass\nmetadata: {name: archive}\nspec:\n  "
    defaults = "spec:\n  defaults: {storageClass: archive}\n"
    registry = f"apiVersion: gitopsreg.io/v1alpha1\nkind: Registry\nmetadata: {{name: default}}\n{defaults}"
    backend = ("--backend", f"archive={archive}")
    commit(shop.catalog, {"storage/archive.yaml": f"{head}{spec}\n", "registry.yaml": registry})
    assert shop.run("reconcile", *shop.sources, *backend).code == 0
    copy = tmp_path / "copy"
    assert gitopsreg("store", "copy", shop.store, copy).code == 0
    git(shop.server.root / "net", "tag", "v2.2.0")
    assert shop.run("reconcile", *shop.sources, *backend).code == 0
    for folder in (archive, copy):
        for path in folder.rglob("*"):
            if path.is_file():
                os.utime(path, (1, 1))
    (archive / "collected-by").unlink()  # as if the original were of a release that claimed nothing
    done = gitopsreg("collect", "--store", copy, *backend, "--output", "json")
    assert done.json["left_alone" if "left_alone" in done.json else "leftAlone"] == ["archive"]
    assert shop.run("store", "verify", *backend).code == 0


def test_a_copy_says_what_it_serves_before_any_reconciler_reports(shop: Shop, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    assert gitopsreg("store", "copy", shop.store, copy).code == 0
    shown = gitopsreg("status", "--store", copy).stdout
    assert "No reconciler has reported here yet" in shown
    assert "next: gitopsreg reconcile" not in shown


@pytest.mark.parametrize("verb", ["collect", "scrub"])
def test_care_of_the_wrong_store_is_no_success(tmp_path: Path, verb: str) -> None:
    done = gitopsreg(verb, "--store", tmp_path / "nothing")
    assert done.code == 3
    assert "nothing has been published into this store yet" in done.stderr
    assert not (tmp_path / "nothing").exists()
