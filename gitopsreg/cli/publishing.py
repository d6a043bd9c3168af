"""How publishing stands: what is served, what holds it, who is at work."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gitopsreg.catalog.report import printable
from gitopsreg.cli import output
from gitopsreg.errors import NotPublished, StorageError
from gitopsreg.index.head import Head, read_head
from gitopsreg.index.keys import LEASE
from gitopsreg.index.lease import LeaseRecord
from gitopsreg.index.pointer import Hold
from gitopsreg.storage.base import BlobReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Publishing:
    """`head` None: nothing was published yet; `hold` is in force; `lease` is somebody's right now."""

    head: Head | None = None
    hold: Hold | None = None
    lease: LeaseRecord | None = None


def read_publishing(reader: BlobReader, now: datetime) -> Publishing:
    """Raises StorageError when the head can't be read; a lease that can't be is left out."""
    head = read_head(reader)
    hold = head.hold_at(stamp(now)) if head else None
    return Publishing(head=head, hold=hold, lease=_lease(reader))


def require_published(reader: BlobReader) -> None:
    """Raises StorageError for a store that nothing was published into: its address may be wrong."""
    if read_head(reader) is None:
        raise StorageError("nothing has been published into this store yet: is it the right one, and is it mounted?")


def _lease(reader: BlobReader) -> LeaseRecord | None:
    from gitopsreg.index.codec import decode_lease
    from gitopsreg.reconcile.process import is_gone

    with suppress(StorageError):
        record = decode_lease(reader.get(LEASE))
        return record if record.holder is not None and not is_gone(record.holder) else None
    return None


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def published_head(reader: BlobReader) -> Head:
    """Raises NotPublished: then there is nothing to hold and nothing to serve."""
    head = read_head(reader)
    if head is None:
        raise NotPublished("nothing has been published into this store yet")
    return head


def as_json(publishing: Publishing) -> dict[str, Any]:
    head, lease = publishing.head, publishing.lease
    return {
        "served": str(head.root) if head else None,
        "newest": str(head.newest) if head else None,
        "hold": output.plain(publishing.hold) if publishing.hold else None,
        "lease": output.plain(lease) if lease else None,
    }


def lines(publishing: Publishing) -> Iterator[str]:
    """What is not as always."""
    head = publishing.head
    if head and head.root != head.newest:
        newest = output.short_digest(str(head.newest))
        yield f"Rolled back: {output.short_digest(str(head.root))} is served, {newest} is the newest"
    if publishing.hold:
        yield printable(f"Publishing is {publishing.hold}; 'gitopsreg release' ends it")
    if publishing.lease:
        record = publishing.lease
        yield printable(f"At work: {record.holder} since {record.acquired}, last heard of {record.renewed}")
