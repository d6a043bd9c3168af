"""A reconciler whose store goes wrong: what must hold after the run, and after the next one on a store that is well."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from gitopsreg.errors import LeaseHeld, StorageError
from gitopsreg.index.model import Snapshot
from gitopsreg.index.status_store import read_status
from gitopsreg.index.statuses import RegistryStatus
from gitopsreg.storage.bounded import BoundedStore
from gitopsreg.storage.memory import MemoryStore
from tests.faults import Fault, FaultyStore, Kind
from tests.reconcile.world import served
from tests.reliability.operations import Operation, counted, faults, patience_for
from tests.reliability.scenarios import Scenario, copy_of
from tests.reliability.survival import Survival, worst

# A pointer that the store itself destroyed, each time it was written, and reported as stored: nothing else says what
# was published last, so a person has to.
BY_HAND = {(Operation("index/head", "replace"), "tear"), (Operation("index/head", "replace"), "flip")}


def operations(scenario: Scenario) -> dict[Operation, int]:
    """What a run asks of a store that is well, and how often."""
    store = FaultyStore(copy_of(scenario.before))
    scenario.world.run(store)
    return dict(sorted(counted(store.operations).items()))


def survived(scenario: Scenario, kind: Kind) -> dict[Operation, Survival]:
    """By operation, after every way to inject the fault there. AssertionError where it is not survived."""
    found = {}
    for operation, times in operations(scenario).items():
        each = [_survive(scenario, operation, fault) for fault in faults(kind, operation, times)]
        if each:
            found[operation] = worst(each)
    return found


def _survive(scenario: Scenario, operation: Operation, fault: Fault) -> Survival:
    with _explained(scenario, fault):
        inner = copy_of(scenario.before)
        store = FaultyStore(inner, fault, older=copy_of(scenario.older))
        try:
            how = _run(scenario, store, inner, patience_for(fault.kind))
            assert store.injected, "the fault was never met"
            if fault.last is not None:
                store.release()  # what hung happens after all, and before the next run
            how = worst([how, _heal(scenario, operation, fault, inner)])
        finally:
            store.release()
        if how is not Survival.BY_HAND:
            assert _content(served(inner)) == _content(scenario.new), "what hung came after the next run"
        return how


@contextmanager
def _explained(scenario: Scenario, fault: Fault) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        error.add_note(f"{scenario.name}: {fault}")
        raise


def _run(scenario: Scenario, store: FaultyStore, inner: MemoryStore, patience: float) -> Survival:
    failure = ""
    try:
        outcome = scenario.world.run(BoundedStore(store, patience))
        _told(outcome.status)
    except (StorageError, LeaseHeld) as error:
        failure = str(error)
        assert failure
    try:
        now = served(inner)
    except StorageError:
        # Only what the store itself destroyed while it said that all was well may be unreadable, and not unnoticed.
        assert failure
        return Survival.LAST_GOOD
    return _judged(scenario, now, failure)


def _told(status: RegistryStatus) -> None:
    """A run that ended well has no fault of ours in its report."""
    reasons = {condition.reason for package in status.packages.values() for condition in package.conditions}
    reasons |= {failure.reason for package in status.packages.values() for failure in package.failures}
    assert "InternalError" not in reasons


def _judged(scenario: Scenario, now: Snapshot | None, failure: str) -> Survival:
    _unchanged(scenario.old, now)
    if _content(now) == _content(scenario.new):
        changed = _content(scenario.old) != _content(scenario.new)
        return (Survival.PUBLISHED if changed else Survival.LAST_GOOD) if failure else Survival.NO_HARM
    if failure:
        assert _content(now) == _content(scenario.old), "a run that failed changes nothing"
        return Survival.LAST_GOOD
    assert now is not None
    missing = _listed(scenario.new) - _listed(now)
    assert missing, "a run that ended well publishes all but what it could not store"
    return Survival.NOT_LISTED_YET


def _heal(scenario: Scenario, operation: Operation, fault: Fault, inner: MemoryStore) -> Survival:
    """The next run, of a new process."""
    try:
        scenario.world.run(inner)
    except StorageError as error:
        if (operation, fault.kind) not in BY_HAND or f'"{operation.key}"' not in str(error):
            raise
        return Survival.BY_HAND
    now = served(inner)
    _unchanged(scenario.old, now)
    assert _content(now) == _content(scenario.new), "the next run publishes what an undisturbed one would have"
    assert read_status(inner).snapshot == (now.digest.hex if now else "")
    return Survival.NO_HARM


def _content(snapshot: Snapshot | None) -> object:
    """All but the history: how many publishes it took does not matter."""
    return snapshot and (replace(snapshot.root, previous=None, shards=()), snapshot.packages)


def _listed(snapshot: Snapshot) -> set[tuple[str, str]]:
    return {
        (str(address), version.version.text)
        for address, package in snapshot.packages.items()
        for version in package.versions
    }


def _unchanged(old: Snapshot | None, now: Snapshot | None) -> None:
    """Every version that was published is there, and its content is the same."""
    if old is None:
        return
    assert now is not None, "what was published is gone"
    for address, package in old.packages.items():
        records = {version.version: version for version in now.packages[address].versions}
        for before in package.versions:
            after = records[before.version]
            assert replace(after, listing=before.listing, yanked=before.yanked, blocked=before.blocked) == before
