"""A server whose store goes wrong: what it answers meanwhile, and afterwards. As it is wired, on a real socket."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from http.client import HTTPException
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from gitopsreg.index.link_key import ensure_link_key
from gitopsreg.index.repository import read_head
from gitopsreg.server.listen import Listen
from gitopsreg.server.serve import serving
from gitopsreg.server.snapshot import Snapshots
from gitopsreg.settings import Settings
from gitopsreg.storage.bounded import BoundedReader
from gitopsreg.storage.memory import MemoryStore
from gitopsreg.wiring.application import make_app
from tests.faults import Fault, FaultyStore, Kind
from tests.protocol.samples import a_provider, old, vpc
from tests.reliability.operations import LONG, Operation, counted, faults, patience_for
from tests.reliability.scenarios import copy_of
from tests.reliability.survival import Survival, worst
from tests.server.house import Answer, ask, fill, publish_packages, stored_module, stored_provider

MODULE = "/v1/modules/platform/vpc/aws"
PROVIDER = "/v1/providers/platform/hello"
WITHOUT_LINKS = ("/.well-known/terraform.json", f"{MODULE}/versions", f"{PROVIDER}/versions")
LINKED = (f"{MODULE}/1.0.0/download", f"{PROVIDER}/1.0.0/download/linux/amd64")
_LOOKS = 20
_DIGEST = re.compile(r"/artifacts/([0-9a-f]{64})/")


class Stage:
    """One server's socket, behind it one registry after another; a shelf before and after a publish. `patience` is for
    how many seconds a store may be silent.
    """

    def __init__(self, url: str, front: "Front", folder: Path) -> None:
        self.url = url
        self.patience = LONG
        self.before, self.after = _shelves()
        self._front = front
        self._folder = folder
        self._numbers = count()

    def fresh_cache(self) -> Path:
        return self._folder / str(next(self._numbers))

    def open(self, store: FaultyStore, cache: Path) -> Snapshots:
        """A server that starts."""
        settings = Settings(store="a store in memory", cache=cache)
        self._front.app, snapshots = make_app(settings, {"": BoundedReader(store, self.patience)}, trigger=None)
        snapshots.refresh()
        return snapshots

    def ask(self, path: str, method: str = "GET") -> Answer:
        return ask(urljoin(self.url, path), method=method)

    def answers(self) -> list[Answer]:
        """All that a server says from memory."""
        return [self.ask(path) for path in (*WITHOUT_LINKS, *LINKED)]

    def download(self) -> Survival:
        """How a client fares that follows the links it is given."""
        return worst(self._fetch(link) for path in LINKED for link in _links(self.ask(path)))

    def _fetch(self, link: str) -> Survival:
        named = _DIGEST.search(link)
        assert named is not None
        assert self.ask(link, "HEAD").status in {200, 502, 503}
        try:
            answer = self.ask(link)
        except (HTTPException, ConnectionError):
            return Survival.CUT_OFF
        if answer.status != 200:
            assert answer.status in {502, 503}
            assert json.loads(answer.body)["errors"]
            return Survival.REFUSED
        same = sha256(answer.body).hexdigest() == named.group(1)
        return Survival.NO_HARM if same else Survival.CLIENT_REFUSES

    def serves(self, store: MemoryStore) -> bool:
        """Whether it serves what is published there."""
        head = read_head(store)
        assert head is not None
        return self.ask(WITHOUT_LINKS[0]).headers.get("x-gitopsreg-snapshot") == str(head.root)

    def is_well(self, snapshots: Snapshots) -> bool:
        """Everything that is published is answered and can be had."""
        answered = all(answer.status in {200, 204} for answer in self.answers())
        current = self.serves(self.after) and not snapshots.freshness().error
        return answered and current and self.download() is Survival.NO_HARM


class Front:
    """An application that hands on to another one."""

    app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


@contextmanager
def a_stage(folder: Path) -> Iterator[Stage]:
    front = Front()
    with serving(front, Listen("127.0.0.1", 0), drain=5) as url:
        yield Stage(url, front, folder)


def _shelves() -> tuple[MemoryStore, MemoryStore]:
    before = MemoryStore()
    fill(before)
    ensure_link_key(before)
    after = copy_of(before)
    module = vpc()
    versions = tuple(stored_module(after, version) for version in module.versions)
    changed = replace(module, versions=versions, description="changed")
    publish_packages(after, changed, old(), a_provider(stored_provider(after)))
    return before, after


def _links(answer: Answer) -> list[str]:
    """The links to stored bytes that an answer gives."""
    if location := answer.headers.get("x-terraform-get"):
        return [location]
    if answer.status != 200:
        return []
    told = json.loads(answer.body)
    return [told["download_url"], told["shasums_url"], told["shasums_signature_url"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A moment with a store that went wrong: what was asked of it and how that was survived, up to now."""

    store: FaultyStore
    snapshots: Snapshots
    asked: tuple[tuple[str, str], ...]
    how: Survival


def _start(stage: Stage, *injected: Fault) -> Seen:
    """A server that was never here before."""
    store = FaultyStore(stage.after, *injected, older=copy_of(stage.before))
    snapshots = stage.open(store, stage.fresh_cache())
    return _seen(store, snapshots, _judged(stage, snapshots))


def _start_again(stage: Stage, *injected: Fault) -> Seen:
    """One that kept what an earlier one had read."""
    cache = stage.fresh_cache()
    stage.open(FaultyStore(stage.before), cache)
    store = FaultyStore(stage.after, *injected, older=copy_of(stage.before))
    snapshots = stage.open(store, cache)
    assert all(stage.ask(path).status == 200 for path in WITHOUT_LINKS)
    return _seen(store, snapshots, _judged(stage, snapshots))


def _refresh(stage: Stage, *injected: Fault) -> Seen:
    """Something new was published."""
    store = FaultyStore(stage.before, older=copy_of(stage.before))
    snapshots = stage.open(store, stage.fresh_cache())
    store.inner = stage.after
    store.plan(*injected)
    snapshots.refresh()
    how = _judged(stage, snapshots)
    assert how in {Survival.NO_HARM, Survival.LAST_GOOD}
    return _seen(store, snapshots, how)


def _download(stage: Stage, *injected: Fault) -> Seen:
    store = FaultyStore(stage.after, older=copy_of(stage.before))
    snapshots = stage.open(store, stage.fresh_cache())
    store.plan(*injected)
    how = stage.download()
    assert all(answer.status in {200, 204} for answer in stage.answers())
    return _seen(store, snapshots, how)


def _seen(store: FaultyStore, snapshots: Snapshots, how: Survival) -> Seen:
    return Seen(store=store, snapshots=snapshots, asked=tuple(store.operations), how=how)


def _judged(stage: Stage, snapshots: Snapshots) -> Survival:
    answers = stage.answers()
    for answer in answers:
        assert answer.status in {200, 204, 503}, answer
        assert answer.status != 503 or answer.headers["retry-after"]
    if any(answer.status == 503 for answer in answers):
        return Survival.NOT_YET
    if stage.serves(stage.after) and not snapshots.freshness().error:
        return Survival.NO_HARM
    assert stage.serves(stage.after) or stage.serves(stage.before)
    return Survival.LAST_GOOD


def _heal(stage: Stage, store: FaultyStore, snapshots: Snapshots) -> None:
    """The next looks, at a store that is well: the first sees it, unless this machine itself is slow now."""
    store.release()
    store.plan()
    for _ in range(_LOOKS):
        snapshots.refresh()
        if stage.is_well(snapshots):
            break
    assert stage.is_well(snapshots)


MOMENTS: dict[str, Callable[..., Seen]] = {
    "start": _start,
    "start again": _start_again,
    "new snapshot": _refresh,
    "download": _download,
}


def operations(stage: Stage, moment: str) -> dict[Operation, int]:
    """What a server asks of a store that is well, and how often."""
    seen = MOMENTS[moment](stage)
    assert seen.how is Survival.NO_HARM
    return dict(sorted(counted(seen.asked).items()))


def survived(stage: Stage, moment: str, kind: Kind) -> dict[Operation, Survival]:
    """By operation, after every way to inject the fault there. AssertionError where it is not survived."""
    found = {}
    stage.patience = LONG
    for operation, times in operations(stage, moment).items():
        stage.patience = patience_for(kind)
        each = [_survive(stage, moment, fault) for fault in faults(kind, operation, times)]
        if each:
            found[operation] = worst(each)
    return found


def _survive(stage: Stage, moment: str, fault: Fault) -> Survival:
    try:
        seen = MOMENTS[moment](stage, fault)
        assert seen.store.injected, "the fault was never met"
        _heal(stage, seen.store, seen.snapshots)
    except Exception as error:
        error.add_note(f"{moment}: {fault}")
        raise
    return seen.how
