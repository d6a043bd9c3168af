"""A store that does not honour conditional writes is found out before two reconcilers meet on it."""

import time
from collections.abc import Callable, Iterator

import pytest

from gitopsreg.errors import ConfigError, KeyMissing, PublishConflict, StorageError
from gitopsreg.storage.base import BlobStore, Stored, Token
from gitopsreg.storage.memory import MemoryStore
from gitopsreg.storage.probe import check_conditional_writes
from tests.storage import s3_server


class CreatesAgain(MemoryStore):
    """Takes "only if absent", and doesn't look."""

    def replace(self, key: str, data: bytes, *, expected: Token | None) -> Token:
        if expected is None:
            self.delete(key)
        return super().replace(key, data, expected=expected)


class IgnoresState(MemoryStore):
    """Takes the expected state, and doesn't look."""

    def replace(self, key: str, data: bytes, *, expected: Token | None) -> Token:
        if expected is not None:
            self.delete(key)
        return super().replace(key, data, expected=None)


class RefusesAll(MemoryStore):
    def replace(self, key: str, data: bytes, *, expected: Token | None) -> Token:
        raise PublishConflict(f'"{key}" was changed')


class Forgets(MemoryStore):
    """Answers from an old copy."""

    def get_with_token(self, key: str) -> tuple[bytes, Token]:
        _, token = super().get_with_token(key)
        return b"1", token


class ListsLate(MemoryStore):
    def listing(self, prefix: str) -> Iterator[Stored]:
        del prefix
        return iter(())


class KeepsAll(MemoryStore):
    def delete(self, key: str, *, seen: Stored | None = None) -> bool:
        return seen is None and super().delete(key)


class Silent(MemoryStore):
    def stat(self, key: str) -> Stored:
        raise StorageError("the store does not answer")


@pytest.mark.parametrize("make", [MemoryStore, s3_server.new_store], ids=["memory", "s3"])
def test_a_store_that_keeps_its_word_passes_and_is_left_clean(make: Callable[[], BlobStore]) -> None:
    store = make()
    store.put("blobs/a", b"1")
    check_conditional_writes(store)
    assert list(store.keys("")) == ["blobs/a"]


@pytest.mark.parametrize(
    ("broken", "found"),
    [
        (CreatesAgain, "a second writer could create what was there already"),
        (IgnoresState, "a writer could replace a value that he had not read"),
        (RefusesAll, "it refused the only writer"),
        (Forgets, "could not be read back"),
        (ListsLate, "was not listed"),
        (KeepsAll, "could not be deleted"),
    ],
)
def test_a_store_that_does_not_is_refused_and_left_clean(broken: type[MemoryStore], found: str) -> None:
    store = broken()
    with pytest.raises(ConfigError, match=f"does not honour conditional writes: .*{found}.*use a newer release"):
        check_conditional_writes(store)
    assert list(store.keys("")) == []


def test_a_store_that_does_not_answer_is_not_judged() -> None:
    store = Silent()
    with pytest.raises(StorageError, match="the store does not answer") as caught:
        check_conditional_writes(store)
    assert not isinstance(caught.value, KeyMissing)
    assert list(store.keys("")) == []


class LooksThenWrites(MemoryStore):
    """Looks at the condition, and writes a moment later."""

    def replace(self, key: str, data: bytes, *, expected: Token | None) -> Token:
        try:
            state: Token | None = self.get_with_token(key)[1]
        except KeyMissing:
            state = None
        if state != expected:
            raise PublishConflict(f'"{key}" was changed')
        time.sleep(0.01)  # as a server takes between the two
        self.put(key, data)
        return self.get_with_token(key)[1]


def test_a_store_that_looks_first_and_writes_later_is_found_out() -> None:
    with pytest.raises(ConfigError, match="does not honour conditional writes"):
        check_conditional_writes(LooksThenWrites())
