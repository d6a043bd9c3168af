"""The catalog's host is gone: what is published goes on being served *and* updated, and status says so."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gitopsreg.catalog.source import GitCatalog
from gitopsreg.errors import CheckoutFailed
from gitopsreg.index.status_store import read_status
from gitopsreg.reconcile.events import Silent
from gitopsreg.reconcile.pipeline import Reconciler
from gitopsreg.storage.memory import MemoryStore
from gitopsreg.transport.remotes import Remotes
from tests.reconcile.fakes import FakeUpstream
from tests.reconcile.world import REMOTE, World, remote_file
from tests.repositories import GitServer


@pytest.fixture
def remotes() -> Iterator[Remotes]:
    with Remotes(allow_local=True) as remotes:
        yield remotes


class RemoteWorld(World):
    """A world whose catalog is behind a Git server."""

    def __init__(self, folder: Path, server: GitServer, remotes: Remotes) -> None:
        super().__init__(folder / "served", store=MemoryStore())
        self._server = server
        self._remotes = remotes
        self._copies = folder / "copies"

    def process(self) -> Reconciler:
        """A new process; it shares only the store and the cache with those before."""
        url = self._server.url("catalog")
        catalog = GitCatalog(url, "HEAD", ".", self._remotes, self._copies, timedelta(seconds=5))
        lease = self.lease(self.store)
        return Reconciler(catalog, self._upstream, self.store, lease, now=lambda: self.now, reporter=Silent(), jobs=1)


def test_upstreams_are_followed_while_the_catalog_host_is_gone(tmp_path: Path, remotes: Remotes) -> None:
    (tmp_path / "served").mkdir()
    with GitServer(tmp_path / "served") as server:
        world = RemoteWorld(tmp_path, server, remotes)
        world.upstreams[REMOTE] = upstream = FakeUpstream({"1.0.0": b"one"})
        world.commit(remote_file())
        running = world.process()
        running.run()
    upstream.content["1.1.0"] = b"two"
    assert running.run().versions_added == 1
    upstream.content["1.2.0"] = b"three"
    world.process().run_once()
    assert world.listed(REMOTE) == ["1.0.0", "1.1.0", "1.2.0"]
    fetched, valid = read_status(world.store).conditions[:2]
    assert (fetched.type, fetched.status) == ("CatalogFetched", "False")
    assert (valid.type, valid.status) == ("CatalogValid", "True")


def test_a_new_machine_that_never_saw_the_catalog_changes_nothing(tmp_path: Path, remotes: Remotes) -> None:
    (tmp_path / "served").mkdir()
    with GitServer(tmp_path / "served") as server:
        world = RemoteWorld(tmp_path, server, remotes)
        world.upstreams[REMOTE] = FakeUpstream({"1.0.0": b"one"})
        world.commit(remote_file())
        world.process().run()
    world._copies.rename(tmp_path / "lost")
    with pytest.raises(CheckoutFailed):
        world.process().run()
    assert world.listed(REMOTE) == ["1.0.0"]
    assert read_status(world.store).conditions[0].status == "False"
