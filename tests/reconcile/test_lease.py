"""Two holders, one store, clocks that tests turn: who gets the lease, who keeps it, and who notices that it is lost."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest

from gitopsreg.errors import LeaseHeld, LostLease, PublishConflict, StorageError
from gitopsreg.index.codec import decode_lease, encode_head, encode_lease
from gitopsreg.index.keys import HEAD, LEASE
from gitopsreg.index.lease import Holder, LeaseRecord
from gitopsreg.index.pointer import Pointer
from gitopsreg.model.digest import Sha256
from gitopsreg.reconcile.held_lease import HeldLease
from gitopsreg.reconcile.lease import Lease
from gitopsreg.reconcile.process import is_gone, this_process
from gitopsreg.storage.base import BlobStore, Token
from gitopsreg.storage.memory import MemoryStore
from tests.fakes import FailingStore

A = Holder(host="host-a", pid=1, id="a")
B = Holder(host="host-b", pid=2, id="b")


@dataclass
class Machine:
    """A reconciler on a machine of its own: `clock` is monotonic and starts anywhere, `skew` is how wrong its wall
    clock is. Waiting passes its time, and what `elsewhere` does happens meanwhile."""

    store: BlobStore
    holder: Holder
    clock: float = 1000.0
    skew: timedelta = timedelta()
    dead: set[str] = field(default_factory=set)
    elsewhere: Callable[[], object] = lambda: None

    def __post_init__(self) -> None:
        self.lease = Lease(
            self.store,
            self.holder,
            is_gone=lambda holder: holder.id in self.dead,
            now=lambda: datetime(2026, 11, 1, tzinfo=UTC) + timedelta(seconds=self.clock) + self.skew,
            clock=lambda: self.clock,
            pause=self._pass,
        )

    def _pass(self, seconds: float) -> None:
        self.clock += seconds
        self.elsewhere()

    def held(self, *, wait: bool = False) -> AbstractContextManager[HeldLease]:
        return self.lease.held(wait=wait)

    def is_refused(self) -> bool:
        try:
            with self.held():
                return False
        except LeaseHeld:
            return True


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def record_of(store: BlobStore) -> LeaseRecord:
    return decode_lease(store.get(LEASE))


def test_one_has_it_and_the_other_is_told_who() -> None:
    store = MemoryStore()
    a, b = Machine(store, A), Machine(store, B)
    with a.held() as held:
        assert held.epoch == 1
        with pytest.raises(LeaseHeld, match='process 1 of "host-a", since 2026-11-01T00:16:40Z') as refused, b.held():
            pass
        assert refused.value.until == "2026-11-01T00:17:10Z"
        held.check()


def test_what_is_let_go_is_free_at_once_and_the_epoch_grows() -> None:
    store = MemoryStore()
    a, b = Machine(store, A), Machine(store, B)
    epochs = []
    for machine in (a, b, b, a):
        with machine.held() as held:
            epochs.append(held.epoch)
    assert epochs == [1, 2, 3, 4]
    assert record_of(store).holder is None


def test_an_error_in_the_block_lets_it_go_too() -> None:
    store = MemoryStore()
    with pytest.raises(ValueError, match="oops"), Machine(store, A).held():
        raise ValueError("oops")
    assert record_of(store).holder is None


@pytest.mark.parametrize("skew", [timedelta(), timedelta(days=1000), timedelta(days=-1000)])
def test_a_silent_holder_is_succeeded_after_the_whole_duration_by_the_observers_clock(
    stack: ExitStack, skew: timedelta
) -> None:
    store = MemoryStore()
    b = Machine(store, B, skew=skew)
    stack.enter_context(Machine(store, A).held())
    assert b.is_refused()
    b.clock += 29.9
    assert b.is_refused()
    b.clock += 0.1
    with b.held() as held:
        assert held.epoch == 2


def test_a_sign_of_life_starts_the_wait_anew(stack: ExitStack) -> None:
    """Also when the holder's wall clock stands still."""
    store = MemoryStore()
    a, b = Machine(store, A), Machine(store, B)
    held = stack.enter_context(a.held())
    for _ in range(5):
        assert b.is_refused()
        b.clock += 20
        assert held.renew()
    assert b.is_refused()
    b.clock += 30
    assert not b.is_refused()


def test_a_holder_that_is_known_to_be_gone_is_succeeded_at_once(stack: ExitStack) -> None:
    store = MemoryStore()
    stack.enter_context(Machine(store, A).held())
    with Machine(store, B, dead={"a"}).held() as held:
        assert held.epoch == 2


def test_a_holders_own_lease_from_a_write_without_an_answer_is_taken_again(stack: ExitStack) -> None:
    store = MemoryStore()
    a = Machine(store, A)
    a.lease._store = FailingStore(store, 3, after=True)
    with pytest.raises(StorageError), a.held():
        pass
    assert record_of(store).holder == A
    a.lease._store = store
    assert stack.enter_context(a.held()).epoch == 2


def test_waiting_ends_when_the_other_lets_go(stack: ExitStack) -> None:
    store = MemoryStore()
    other = ExitStack()
    other.enter_context(Machine(store, A).held())
    told: list[str] = []
    b = Machine(store, B, elsewhere=other.close)
    with b.lease.held(wait=True, waiting=told.append) as held:
        assert held.epoch == 2
    assert len(told) == 1
    assert "host-a" in told[0]
    assert b.clock < 1001


def test_waiting_outlasts_a_dead_holder(stack: ExitStack) -> None:
    store = MemoryStore()
    stack.enter_context(Machine(store, A).held())
    b = Machine(store, B)
    assert stack.enter_context(b.held(wait=True)).epoch == 2
    assert 1030 <= b.clock <= 1031


def test_waiting_has_an_end_while_the_other_is_alive(stack: ExitStack) -> None:
    store = MemoryStore()
    held = stack.enter_context(Machine(store, A).held())
    b = Machine(store, B, elsewhere=held.renew)
    with pytest.raises(LeaseHeld), b.held(wait=True):
        pass
    assert 1035 <= b.clock <= 1036


# What the holder notices


def test_a_lease_that_was_taken_is_lost(stack: ExitStack) -> None:
    store = MemoryStore()
    a = Machine(store, A)
    held = stack.enter_context(a.held())
    stack.enter_context(Machine(store, B, dead={"a"}).held())
    assert not held.renew()
    with pytest.raises(LostLease, match="another reconciler has taken") as lost:
        held.check()
    assert lost.value.taken
    held.release()
    assert record_of(store).holder == B, "what is another's is not let go"


def test_a_lease_that_can_not_be_renewed_is_lost_before_others_may_take_it(stack: ExitStack) -> None:
    store = MemoryStore()
    a = Machine(store, A)
    held = stack.enter_context(a.held())
    held._store = FailingStore(store, 1)
    a.clock += 24
    assert not held.renew()
    held.check()
    a.clock += 2
    with pytest.raises(LostLease, match="could not be renewed for 26 seconds") as lost:
        held.check()
    assert not lost.value.taken
    held._store = store
    assert held.renew(), "nobody took it meanwhile"
    held.check()


def test_a_renewal_whose_answer_was_lost_is_found_again(stack: ExitStack) -> None:
    store = MemoryStore()
    a = Machine(store, A)
    held = stack.enter_context(a.held())
    held._store = FailingStore(store, 1, after=True)
    assert not held.renew()
    held._store = store
    a.clock += 20
    assert held.renew()
    a.clock += 20
    held.check()


class Broken(MemoryStore):
    """Raises what no store should."""

    def replace(self, key: str, data: bytes, *, expected: Token | None) -> Token:
        if expected is not None:
            raise RuntimeError("a mistake in a library")
        return super().replace(key, data, expected=expected)


def test_whatever_the_store_raises_renewing_does_not(stack: ExitStack) -> None:
    a = Machine(Broken(), A)
    held = a.lease._take()
    assert not held.renew()


def test_it_is_renewed_while_the_block_runs() -> None:
    """On a real clock: three times a duration."""
    seen = Event()

    class Watched(MemoryStore):
        def replace(self, key: str, data: bytes, *, expected: Token | None) -> Token:
            if decode_lease(data).renewals == 2:
                seen.set()
            return super().replace(key, data, expected=expected)

    store = Watched()
    lease = Lease(store, A, is_gone=lambda _: False, now=lambda: datetime.now(UTC), duration=1)
    with lease.held() as held:
        assert seen.wait(20)
        held.check()
    assert record_of(store).epoch == held.epoch


# Documents that are not what they should be


def test_a_document_that_can_not_be_read_is_waited_for_and_replaced() -> None:
    store = MemoryStore()
    store.put(LEASE, b'{"format":2,"new":"words"}')
    b = Machine(store, B)
    assert b.is_refused()
    b.clock += 30
    assert not b.is_refused()


def test_a_holder_that_claims_a_year_is_not_believed() -> None:
    store = MemoryStore()
    store.put(LEASE, encode_lease(LeaseRecord(epoch=7, duration=10**9, holder=A, renewed="9999-12-31T23:59:59Z")))
    b = Machine(store, B)
    assert b.is_refused()
    b.clock += 300
    with b.held() as held:
        assert held.epoch == 8


def test_who_lost_the_document_is_not_fenced_out() -> None:
    store = MemoryStore()
    store.put(HEAD, encode_head(Pointer(root=Sha256("a" * 64), revision="", epoch=90, fence=41)))
    with Machine(store, A).held() as held:
        assert held.epoch == 42


def test_of_two_that_take_it_at_once_one_is_refused() -> None:
    class Racing(MemoryStore):
        def replace(self, key: str, data: bytes, *, expected: Token | None) -> Token:
            if decode_lease(data).holder == A:
                raise PublishConflict("b was first")
            return super().replace(key, data, expected=expected)

    with pytest.raises(LeaseHeld), Machine(Racing(), A).held():
        pass


# This machine's processes


def test_this_process_lives() -> None:
    me = this_process()
    assert not is_gone(me)
    assert me.id != this_process().id


@pytest.mark.skipif(not this_process().boot, reason="this machine doesn't say when it was started")
def test_a_process_is_gone_when_its_number_is_free_or_another_ones() -> None:
    me = this_process()
    assert is_gone(replace(me, pid=2**22 + 1)), "above what Linux gives out"
    assert is_gone(replace(me, started="1")), "the number was given to somebody else"


@pytest.mark.parametrize(
    "other", [{"host": "elsewhere"}, {"boot": "another"}, {"boot": ""}, {"pid": -1}, {"pid": 2**40}]
)
def test_of_others_nothing_is_known(other: dict[str, str | int]) -> None:
    holder = replace(this_process(), **({"pid": 2**22 + 1} | other))  # type: ignore[arg-type]
    assert not is_gone(holder)
