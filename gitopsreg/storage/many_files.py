"""Many small files of a directory store at once: looks, folders and syncs are shared where each alone would pay.

Knows paths, temporary ones and final ones, and no keys or locks.
"""

import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from gitopsreg.storage.base import CHUNK
from gitopsreg.storage.disk import explain, explained, link_below, sync_file, write_all
from gitopsreg.storage.volume import whole_sync

# Fewer are synced one by one: that waits for nobody else's bytes.
_MANY = 32
_Item = TypeVar("_Item")

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Draft:
    """A file on its way: where it is written, and where it belongs."""

    temporary: str
    path: str


@contextmanager
def written(home: Path, files: Sequence[tuple[str, bytes]], mode: int) -> Iterator[list[Draft]]:
    """Each (path, content) in a temporary file below `home`, complete and durable, to be renamed in the block; after an
    error none of them is left. Raises StorageError.
    """
    batch = f"{home}/{secrets.token_hex(16)}"
    drafts = [Draft(f"{batch}-{nth}", path) for nth, (path, _) in enumerate(files)]
    try:
        with explained(home, "written"), whole_sync(home) as sync:
            for draft, (_, data) in zip(drafts, files, strict=True):
                _write(draft, data, mode)
            if sync is not None and len(drafts) >= _MANY:
                sync()
            else:
                _sync_each(drafts)
        yield drafts
    except BaseException:
        for draft in drafts:
            with suppress(OSError):  # it was renamed; what can't be removed is swept later
                os.unlink(draft.temporary)  # noqa: PTH108 - thousands of them, as below
        raise


def rename(draft: Draft) -> None:
    """Put it where it belongs. Raises StorageError."""
    if os.path.islink(draft.path):  # noqa: PTH114
        raise link_below(Path(draft.path))
    try:
        os.replace(draft.temporary, draft.path)  # noqa: PTH105
    except OSError as error:
        raise explain(error, Path(draft.path), "written") from error


def read(path: str) -> bytes:
    """A whole file that is no link. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        size = os.fstat(descriptor).st_size
        data = os.read(descriptor, size + 1)
        while len(data) != size and (more := os.read(descriptor, CHUNK)):  # it came in pieces, or grows
            data += more
        return data
    finally:
        os.close(descriptor)


def grouped(items: Iterable[_Item], name_of: Callable[[_Item], str]) -> dict[str, list[_Item]]:
    """The items by name, in their order."""
    groups: dict[str, list[_Item]] = {}
    for item in items:
        groups.setdefault(name_of(item), []).append(item)
    return groups


def _write(draft: Draft, data: bytes, mode: int) -> None:
    try:
        descriptor = os.open(draft.temporary, _FLAGS, mode)
        try:
            write_all(descriptor, data)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise explain(error, Path(draft.path), "written") from error


def _sync_each(drafts: Sequence[Draft]) -> None:
    for draft in drafts:
        with explained(Path(draft.path), "written"):
            sync_file(Path(draft.temporary))
