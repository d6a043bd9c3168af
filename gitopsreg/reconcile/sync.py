"""Bring the wanted versions home: fetched, verified, stored, read back. Bytes only; nothing is listed here."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256

from gitopsreg.errors import GitopsregError, IntegrityError, KeyMissing, StorageError, UpstreamError
from gitopsreg.index.contents import contents_of
from gitopsreg.index.keys import blob_key
from gitopsreg.index.model import ModuleVersion, ProviderVersion, Shelf
from gitopsreg.model.version import Version
from gitopsreg.reconcile.events import Reporter
from gitopsreg.reconcile.resolve import Resolved
from gitopsreg.reconcile.select import pin_of
from gitopsreg.storage.base import BlobStore
from gitopsreg.upstream.base import Found, Payload, Release

# For so many seconds bytes that nothing names are safe from collections, whose grace time is a multiple of it.
FRESH = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One version that did not come home, with its error."""

    version: str
    error: GitopsregError


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """What one package's sync brought. `error` is what stopped all of it, if something did. `stored` in bytes."""

    records: tuple[ModuleVersion | ProviderVersion, ...] = ()
    failures: tuple[Failure, ...] = ()
    stored: int = 0
    error: GitopsregError | None = None


def sync(resolved: Resolved, stores: Mapping[str, BlobStore], reporter: Reporter) -> Synced:
    """Every wanted version of one package; never raises for what is wrong with one version or one package.

    `stores` are the back ends by name, "" is the registry's own.
    """
    upstream, wanted = resolved.upstream, (*resolved.draft.wanted, *resolved.draft.again)
    if upstream is None or not wanted:
        return Synced()
    ledger = _ledger(resolved)
    address = str(resolved.draft.address)
    records: list[ModuleVersion | ProviderVersion] = []
    failures: list[Failure] = []
    stored = 0
    error: GitopsregError | None = None
    try:
        for found, result in upstream.releases(wanted):
            try:
                kept, written = _keep(resolved, ledger.get(found.version), found, result, stores)
            except (UpstreamError, StorageError) as problem:
                failures.append(_failed(resolved, found, problem, reporter))
            else:
                stored += written
                if kept != ledger.get(found.version):
                    records.append(kept)
                assert isinstance(result, Release)  # noqa: S101 - _keep raised otherwise
                reporter.stored(address, found.version.text, _size(result))
    except GitopsregError as problem:
        error = problem
    except Exception as problem:  # noqa: BLE001 - a fault of ours in one package must not stop the others
        error = UpstreamError(f"internal error: {problem!r}", reason="InternalError")
    return Synced(records=tuple(records), failures=tuple(failures), stored=stored, error=error)


def _failed(resolved: Resolved, found: Found, problem: UpstreamError | StorageError, reporter: Reporter) -> Failure:
    reason = problem.reason if isinstance(problem, UpstreamError) else "WriteFailed"
    reporter.failed(str(resolved.draft.address), found.version.text, reason, str(problem))
    return Failure(version=found.version.text, error=problem)


def _size(release: Release) -> int:
    return sum(payload.blob.size for payload in release.payloads)


def _keep(
    resolved: Resolved,
    known: ModuleVersion | ProviderVersion | None,
    found: Found,
    result: Release | UpstreamError,
    stores: Mapping[str, BlobStore],
) -> tuple[ModuleVersion | ProviderVersion, int]:
    """Store the release's bytes; its record and the number of bytes written. Raises what is wrong with this version."""
    if isinstance(result, UpstreamError):
        raise result
    _check_pin(resolved, found, result)
    _check_ledger(known, found, result)
    record = _on_its_shelf(resolved, known, result.record)
    named = known is not None and known.discarded is None
    store = _store_of(record.shelf, stores)
    return record, sum(put_blob(store, payload, record.shelf, named=named) for payload in result.payloads)


def _on_its_shelf(
    resolved: Resolved, known: ModuleVersion | ProviderVersion | None, fetched: ModuleVersion | ProviderVersion
) -> ModuleVersion | ProviderVersion:
    """The record with the place of its bytes: where they are, or else where the storage class sends new ones."""
    if known is not None and known.discarded is None:
        return known
    declaration = resolved.draft.declaration
    storage = declaration.storage if declaration else None
    shelf = Shelf(backend=storage.backend, folder=storage.folder) if storage else None
    record = known or fetched
    is_so = record.shelf == shelf and record.discarded is None
    return record if is_so else replace(record, shelf=shelf, discarded=None)


def _store_of(shelf: Shelf | None, stores: Mapping[str, BlobStore]) -> BlobStore:
    name = shelf.backend if shelf else ""
    if name not in stores:
        raise StorageError(f'no back end is called "{name}": add --backend {name}=URL, or mend the storage class')
    return stores[name]


def _ledger(resolved: Resolved) -> dict[Version, ModuleVersion | ProviderVersion]:
    published = resolved.draft.published
    return {record.version: record for record in published.versions} if published else {}


def _check_ledger(known: ModuleVersion | ProviderVersion | None, found: Found, release: Release) -> None:
    """What was published is never replaced, also when it is fetched again."""
    if known is not None and contents_of(known) != contents_of(release.record):
        raise IntegrityError(
            f'"{found.ref}" gives other bytes than were published; the stored ones go on being served',
            reason="AssetReplaced",
        )


def _check_pin(resolved: Resolved, found: Found, release: Release) -> None:
    declaration = resolved.draft.declaration
    pin = pin_of(declaration.versions, found.version) if declaration else None
    if pin is None or pin.sha256 is None or not isinstance(release.record, ModuleVersion):
        return
    if pin.sha256 != release.record.archive.sha256:
        raise IntegrityError(
            f'the archive of "{found.ref}" is "{release.record.archive.sha256}", the catalog pins "{pin.sha256}"',
            reason="PinMismatch",
        )


def put_blob(
    store: BlobStore,
    payload: Payload,
    shelf: Shelf | None = None,
    *,
    named: bool = False,
    clock: Callable[[], float] = time.time,
) -> int:
    """Store a blob unless the store has it already, and prove it by reading it back; the bytes written.

    What is there under a blob's name is not believed but hashed: an interrupted or altered store mends itself here.
    Bytes that no snapshot in force names (`named` says that one does) count as there only while they are FRESH: older
    ones a collection may be about to remove, and writing them anew keeps them.
    """
    key = blob_key(payload.blob.sha256, shelf)
    if (named or _is_fresh(store, key, clock())) and _is_stored(store, key, payload):
        return 0
    store.put(key, _checked(payload))
    if not _is_stored(store, key, payload):
        raise StorageError(f'"{key}" reads back as other bytes than were written: check the store')
    return payload.blob.size


def _is_fresh(store: BlobStore, key: str, now: float) -> bool:
    try:
        return abs(now - store.stat(key).modified) < FRESH
    except KeyMissing:
        return False


def _is_stored(store: BlobStore, key: str, payload: Payload) -> bool:
    try:
        if store.size(key) != payload.blob.size:
            return False
        digest = sha256()
        for chunk in store.chunks(key):
            digest.update(chunk)
    except KeyMissing:
        return False
    return digest.hexdigest() == payload.blob.sha256.hex


def _checked(payload: Payload) -> Iterator[bytes]:
    """The payload's bytes; raises before the end when they are not what the record says, so that nothing is stored."""
    digest = sha256()
    for chunk in payload.open():
        digest.update(chunk)
        yield chunk
    if digest.hexdigest() != payload.blob.sha256.hex:
        raise IntegrityError(f'the bytes changed while they were stored: "{digest.hexdigest()}" is not {payload.blob}')
