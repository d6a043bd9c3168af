"""Whether a store keeps its word about conditional writes: the only thing that racing reconcilers stand on.

Some servers that speak the protocol of S3 take the condition and don't look at it.
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from secrets import token_hex

from gitopsreg.errors import ConfigError, PublishConflict, StorageError
from gitopsreg.storage.base import BlobStore, Token


def check_conditional_writes(store: BlobStore) -> None:
    """Tries them on a key of its own, which it removes. Raises ConfigError if one is not honoured, and StorageError."""
    key = f"probe/{token_hex(16)}"
    try:
        _check(store, key)
    except BaseException:
        with suppress(StorageError):
            store.delete(key)
        raise


_RACERS, _RACES = 4, 3


def _check(store: BlobStore, key: str) -> None:
    first = _written(store, key, b"1", None)
    if _accepts(store, key, b"2", None):
        raise _broken("a second writer could create what was there already")
    second = _written(store, key, b"3", first)
    if _accepts(store, key, b"4", first):
        raise _broken("a writer could replace a value that he had not read")
    if store.get_with_token(key) != (b"3", second):
        raise _broken("a value that was just written could not be read back")
    seen = store.stat(key)
    if list(store.listing(key)) != [seen]:
        raise _broken("a value that was just written was not listed")
    if not store.delete(key, seen=seen):
        raise _broken("a value that nobody had changed could not be deleted")
    _race(store, key)


def _race(store: BlobStore, key: str) -> None:
    """Some look at the condition, and write a moment later."""
    with ThreadPoolExecutor(_RACERS) as pool:
        for _ in range(_RACES):
            if sum(pool.map(lambda number: _accepts(store, key, b"%d" % number, None), range(_RACERS))) > 1:
                raise _broken("of several writers at one moment more than one could create the same value")
            store.delete(key)


def _written(store: BlobStore, key: str, data: bytes, expected: Token | None) -> Token:
    try:
        return store.replace(key, data, expected=expected)
    except PublishConflict as error:
        raise _broken("it refused the only writer") from error


def _accepts(store: BlobStore, key: str, data: bytes, expected: Token | None) -> bool:
    try:
        store.replace(key, data, expected=expected)
    except PublishConflict:
        return False
    return True


def _broken(found: str) -> ConfigError:
    return ConfigError(
        f"this store does not honour conditional writes: {found}, so two reconcilers would undo each other's work; "
        "use a newer release of the store that does, or another one (docs/storage.md)"
    )
