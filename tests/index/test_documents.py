"""Documents by shard: however they came to be there, they lie where their number says, and share what they can."""

from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.index.documents import Document, Documents, Entries, documents_of
from gitopsreg.index.model import Entry
from gitopsreg.index.shards import prefix_of
from gitopsreg.model.address import ModuleAddress, PackageAddress
from gitopsreg.model.digest import Sha256


def document(number: int, state: int = 0) -> Document:
    address = ModuleAddress("team", f"m{number}", "aws")
    return Document(Entry(address=address, digest=Sha256.of(b"%d %d" % (number, state))))


def many(count: int) -> Documents:
    return documents_of(map(document, range(count)))


# On both sides of the limits between one, 16 and 256 shards.
_CHANGES = st.dictionaries(st.integers(980, 1_020), st.none() | st.integers(0, 2), max_size=40)


@given(st.integers(985, 1_015), _CHANGES)
def test_changed_documents_lie_as_if_they_had_come_at_once(count: int, numbers: dict[int, int | None]) -> None:
    before = many(count)
    changes = {
        document(number).entry.address: None if state is None else document(number, state)
        for number, state in numbers.items()
    }
    after = before.changed(changes)
    wanted = {one.entry.address: one for one in before} | changes
    fresh = documents_of(one for one in wanted.values() if one is not None)
    assert {prefix: set(shard) for prefix, shard in after.shards.items()} == {
        prefix: set(shard) for prefix, shard in fresh.shards.items()
    }
    assert list(Entries(after).items()) == list(Entries(fresh).items())
    assert len(after) == len(fresh)
    assert after.with_shards(before.shards).shards is before.shards
    assert list(after.with_shards(before.shards)) == list(before)
    told = {(here or there): (here, there) for here, there in after.differences(before)}
    assert {one.entry.address: pair for one, pair in told.items() if one} == {
        address: (after.find(address), before.find(address))
        for address in changes
        if entry(after, address) != entry(before, address)
    }


def entry(documents: Documents, address: PackageAddress) -> Entry | None:
    found = documents.find(address)
    return found.entry if found else None


def test_untouched_shards_and_documents_are_the_same_objects() -> None:
    before = many(2_000)
    changed = document(7, 1)
    after = before.changed({changed.entry.address: changed})
    touched = prefix_of(changed.entry.address, 1)
    assert [prefix for prefix in before.shards if before.shards[prefix] is not after.shards[prefix]] == [touched]
    assert sum(one is not other for one, other in zip(before, after, strict=True)) == 1


def test_a_document_that_is_held_comes_back_as_it_was() -> None:
    one = document(1)
    one.hold(b"text " * 1_000)
    assert one.data == b"text " * 1_000
    assert len(one.packed or b"") < 100
