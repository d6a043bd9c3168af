"""How the care of the store goes: the last collection, the scrub under way and what it found. Status, not index.

Each has a document of its own and one writer at a time; what can't be read counts as not there. Times are RFC 3339 in
UTC with seconds.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from gitopsreg.errors import StorageError
from gitopsreg.index.shape import shape_of
from gitopsreg.index.status import PackageStatus
from gitopsreg.index.statuses import PackageStatuses, RegistryStatus
from gitopsreg.model.condition import Condition
from gitopsreg.storage.base import BlobReader, BlobStore

_FORMAT = 1
_COLLECTED = "status/care/collected"
_SCRUBBED = "status/care/scrubbed"

_Kind = TypeVar("_Kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectFigures:
    """The last collection: how many objects it kept and removed; `freed` in bytes."""

    when: str
    kept: int
    removed: int
    freed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFault:
    """One object that the scrub found wrong, last seen so at `seen`. `package` and `version` need it ("" where that is
    not known, or where it is a document of the index).

    `tried` is the catalog revision at which a repair was last tried, `attempts` how often, `retry` when the next one is
    due though nothing changed ("": not before something does), `reply` what came of it.
    """

    backend: str
    key: str
    what: str
    message: str
    seen: str
    package: str = ""
    version: str = ""
    tried: str = ""
    attempts: int = 0
    retry: str = ""
    reply: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrubFigures:
    """One cycle through all that is served. `package` and `key` are the last that was looked at ("" at the start).

    `checked` counts objects, `read` bytes and `repaired` objects of this cycle; `finished` is when one last ended.
    """

    started: str = ""
    finished: str = ""
    package: str = ""
    key: str = ""
    checked: int = 0
    read: int = 0
    repaired: int = 0
    faults: tuple[FoundFault, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Care:
    """All of it; None where nothing was done yet."""

    collected: CollectFigures | None = None
    scrubbed: ScrubFigures | None = None


def read_care(reader: BlobReader) -> Care:
    """Never raises."""
    return Care(
        collected=_read(reader, _COLLECTED, CollectFigures),
        scrubbed=_read(reader, _SCRUBBED, ScrubFigures),
    )


def write_collected(store: BlobStore, figures: CollectFigures) -> None:
    """Raises StorageError."""
    store.put(_COLLECTED, _encoded(figures))


def write_scrubbed(store: BlobStore, figures: ScrubFigures) -> None:
    """Raises StorageError."""
    store.put(_SCRUBBED, _encoded(figures))


def with_faults(status: RegistryStatus, care: Care) -> RegistryStatus:
    """The status with a condition for all that the scrub found wrong and nobody mended since."""
    faults = care.scrubbed.faults if care.scrubbed else ()
    known = {str(address) for address in status.packages}
    of_packages: dict[str, list[FoundFault]] = {}
    for fault in faults:
        of_packages.setdefault(fault.package if fault.package in known else "", []).append(fault)
    told = (_with(package, of_packages.get(str(package.address), [])) for package in status.packages.values())
    conditions = (*status.conditions, *(_condition([fault]) for fault in of_packages.get("", [])))
    return replace(status, conditions=conditions, packages=PackageStatuses.of(told))


def _with(package: PackageStatus, faults: list[FoundFault]) -> PackageStatus:
    if not faults:
        return package
    failed = _condition(faults)
    ready = replace(failed, type="Ready", status="False")
    others = (item for item in package.conditions if item.type != "Ready")
    return replace(package, conditions=(ready, *others, failed))


def _condition(faults: list[FoundFault]) -> Condition:
    first = faults[0]
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    reply = f"; {first.reply}" if first.reply else ""
    version = f"{first.version}: " if first.version else ""
    return Condition(
        type="StorageFailed", status="True", reason=first.what, message=f"{version}{first.message}{reply}{more}"
    )


def _encoded(figures: Any) -> bytes:
    kind: Any = type(figures)
    plain = {"format": _FORMAT} | shape_of(kind).dump(figures)
    return json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()


def _read(reader: BlobReader, key: str, kind: Callable[..., _Kind]) -> _Kind | None:
    with suppress(StorageError, ValueError, RecursionError):
        plain = json.loads(reader.get(key))
        if isinstance(plain, dict) and plain.get("format") == _FORMAT:
            found: _Kind = shape_of(kind).load(plain)
            return found
    return None
