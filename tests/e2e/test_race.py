"""Several reconcilers on one store: they take turns, one that dies is succeeded, and nothing is lost or done twice."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path

import pytest

from gitopsreg.errors import StorageError
from gitopsreg.index.codec import decode_lease, encode_lease
from gitopsreg.index.head import Head, read_head
from gitopsreg.index.keys import LEASE
from gitopsreg.index.lease import Holder, LeaseRecord
from gitopsreg.index.repository import history
from gitopsreg.storage.filesystem import FilesystemStore
from tests.cli.shell import gitopsreg
from tests.e2e.asking import reconcile_now
from tests.e2e.catalogs import a_catalog, a_catalog_module, a_module
from tests.e2e.process import Gitopsreg, eventually, running
from tests.reconcile.world import served
from tests.repositories import GitServer, a_repository, commit

pytestmark = pytest.mark.e2e

NET, FAR = "acme/net/generic", "acme/far/generic"
TOKEN = "a token of the receiver"
COMMITS = 10


class House:
    """One store; each reconciler has a machine of its own, as far as files go."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.catalog = a_catalog(folder / "git" / "catalog", a_catalog_module(NET, "1.0.0"))
        self.store = FilesystemStore(folder / "store")

    def flags(self, name: str) -> tuple[str | Path, ...]:
        machine = self.folder / name
        machine.mkdir(exist_ok=True)
        return ("--catalog", self.catalog, "--store", self.folder / "store", "--cache", machine, "--output", "json")

    def watch(self, name: str, *arguments: str) -> AbstractContextManager[Gitopsreg]:
        hooks = ("--hooks-listen", "127.0.0.1:0", "--receiver", "now=bearer,env:HOOK_TOKEN", "--log-format", "json")
        command = ("reconcile", "--watch", *self.flags(name), *hooks, *arguments)
        return running(*command, log=self.folder / f"{name}.log", HOOK_TOKEN=TOKEN)

    @property
    def head(self) -> Head:
        head = read_head(self.store)
        assert head is not None
        return head

    @property
    def revision(self) -> str:
        head = read_head(self.store)
        return head.revision if head else ""

    @property
    def holder(self) -> int:
        """The process that has the lease, 0 when nobody has."""
        with suppress(StorageError):
            holder = decode_lease(self.store.get(LEASE)).holder
            return holder.pid if holder else 0
        return 0


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def logged(process: Gitopsreg) -> Iterator[dict[str, str]]:
    for line in process.errors.splitlines():
        yield json.loads(line)


def logs(process: Gitopsreg, word: str) -> Callable[[], bool]:
    return lambda: any(word in line["event"] for line in logged(process))


def hooks_of(process: Gitopsreg) -> str:
    eventually(logs(process, "receiving webhooks"))
    return next(line["address"] for line in logged(process) if line["event"] == "receiving webhooks")


def test_two_that_race_publish_every_commit_once(house: House) -> None:
    with house.watch("one", "--interval", "1s") as one, house.watch("other", "--interval", "1s") as other:
        both = (one, other)
        addresses = [hooks_of(process) for process in both]
        eventually(lambda: house.revision)
        heads, versions, revisions = [house.head], ["1.0.0"], [house.revision]
        for number in range(1, COMMITS + 1):
            versions.append(f"1.{number}.0")
            revisions.append(f"main@sha1:{commit(house.catalog, a_catalog_module(NET, *versions))}")
            for address in addresses:
                reconcile_now(address, TOKEN)
            eventually(lambda: house.revision == revisions[-1])
            heads.append(house.head)
        for process in both:
            process.event("reconciled")  # at least its first run is over
    epochs, fences = [head.epoch for head in heads], [head.fence for head in heads]
    assert epochs == sorted(set(epochs))
    assert fences == sorted(set(fences)), "each was published under a lease of its own"
    assert [root.revision for _, root in history(house.store, house.head)] == revisions[::-1]
    snapshot = served(house.store)
    assert snapshot is not None
    (package,) = snapshot.packages.values()
    assert [version.version.text for version in package.versions] == versions
    events = [json.loads(line) for process in both for line in process.lines]
    assert sum(event["published"] for event in events) == COMMITS + 1
    assert [line for process in both for line in logged(process) if line["level"] not in {"info", "debug"}] == []


def test_one_that_is_killed_at_work_is_succeeded_at_once(house: House) -> None:
    """Its upstream never answers, so that it surely has the lease."""
    a_repository(house.folder / "git" / "far")
    with GitServer(house.folder / "git") as upstream, ExitStack() as stack:
        commit(house.catalog, a_module(FAR, {"type": "git", "url": upstream.url("far")}))
        upstream.stall = True
        victim = Gitopsreg(
            "reconcile", *house.flags("victim"), "--allow-local-sources", log=house.folder / "victim.log"
        )
        stack.callback(victim.kill)
        eventually(lambda: house.holder == victim.process.pid)
        heir = stack.enter_context(house.watch("heir", "--interval", "1h", "--allow-local-sources"))
        eventually(logs(heir, f"another reconciler is at work: process {victim.process.pid}"))
        assert heir.lines == []
        assert house.revision == ""
        victim.kill()
        upstream.stall = False
        upstream.stopping.set()
        assert heir.event("reconciled")["published"] is True
        assert house.head.fence == 2


def test_one_that_died_on_another_machine_is_waited_for(house: House) -> None:
    holder = Holder(host="elsewhere", pid=12, id="x", boot="another")
    house.store.put(LEASE, encode_lease(LeaseRecord(epoch=41, duration=2, holder=holder, acquired="long ago")))
    done = gitopsreg("reconcile", *house.flags("one"))
    assert (done.code, done.json["published"]) == (0, True)
    assert done.stderr == 'waiting: another reconciler is at work: process 12 of "elsewhere", since long ago\n'
    assert house.head.fence == 42
    assert house.holder == 0
