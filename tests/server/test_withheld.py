"""Bytes that are blocked stay so after a rollback; bytes that several packages share are taken from where all can."""

from dataclasses import replace

from gitopsreg.index.head import Head, read_head
from gitopsreg.index.holding import serve
from gitopsreg.index.keys import root_key
from gitopsreg.index.model import Delivery, ModuleVersion, Shelf
from gitopsreg.index.pointer import Hold
from gitopsreg.index.repository import load
from gitopsreg.model.address import ModuleAddress
from gitopsreg.server.served import survey
from gitopsreg.server.snapshot import Snapshots
from gitopsreg.storage.memory import MemoryStore
from tests.builders import a_module, a_module_version, stored
from tests.protocol.samples import a_snapshot
from tests.server.house import publish_packages, stored_module


def rolled_back() -> tuple[MemoryStore, Head, Head, ModuleVersion]:
    """A store that serves a snapshot again from before one of its newer versions was blocked: (store, the head then,
    the newest head, that version).
    """
    store, module = MemoryStore(), a_module()
    first, second = (stored_module(store, a_module_version(text)) for text in ("1.0.0", "2.0.0"))
    publish_packages(store, replace(module, versions=(first,)))
    before = read_head(store)
    publish_packages(store, replace(module, versions=(first, replace(second, listing="blocked", blocked="malware"))))
    head = read_head(store)
    assert before is not None
    assert head is not None
    serve(store, head, load(store, before.root), Hold(since="2026-01-01T00:00:00Z"), fence=1)
    return store, before, head, second


def test_what_was_blocked_since_is_withheld_after_a_rollback() -> None:
    store, before, _, second = rolled_back()
    snapshots = Snapshots(store)
    snapshots.refresh()
    served = snapshots.current()
    assert served is not None
    assert served.snapshot.digest == before.root
    assert served.withheld == {stored(second.archive).sha256.hex}


def test_shared_bytes_come_from_the_registrys_own_store() -> None:
    plain = a_module_version("1.0.0")
    elsewhere = replace(plain, shelf=Shelf(backend="archive"))
    other = replace(a_module(), address=ModuleAddress("zeta", "vpc", "aws"), versions=(elsewhere,))
    other = replace(other, delivery=Delivery(serve="redirect"))
    served = survey(a_snapshot(replace(a_module(), versions=(plain,)), other))
    assert served.ways[stored(plain.archive).sha256.hex].place(stored(plain.archive).sha256).backend == ""


def test_what_was_blocked_since_is_asked_for_until_it_is_read() -> None:
    store, _, head, second = rolled_back()
    key = root_key(head.root)
    whole = store.get(key)
    store.put(key, b"torn")
    reports: list[str] = []
    snapshots = Snapshots(store, report=reports.append)
    for _ in range(2):
        snapshots.refresh()
    assert len(reports) == 1
    store.put(key, whole)
    snapshots.refresh()
    served = snapshots.current()
    assert served is not None
    assert served.withheld == {stored(second.archive).sha256.hex}
