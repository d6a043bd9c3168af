"""The proposal of a clone: two revisions loaded and compared, and upstreams asked if that is wanted."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gitopsreg.errors import ConfigError
from gitopsreg.settings import Settings

if TYPE_CHECKING:
    from gitopsreg.catalog.commit import CatalogCheckout
    from gitopsreg.catalog.difference import Difference
    from gitopsreg.catalog.load import Memo
    from gitopsreg.reconcile.proposal import Online, Proposal

WORKTREE = "worktree"
_SHORT = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line says; `online` None leaves it to whether there is an index to plan against."""

    base: str
    head: str
    online: bool | None
    index: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sides:
    """The two states of the catalog, and what people call them."""

    base: "CatalogCheckout"
    head: "CatalogCheckout"
    base_name: str
    head_name: str
    inside: str
    folder: Path


def propose(settings: Settings, asked: Asked) -> "Proposal":
    """Raises CheckoutFailed, ConfigError and StorageError; what is wrong with the catalog is in the proposal."""
    from gitopsreg.catalog.changes import check_changes
    from gitopsreg.catalog.difference import difference
    from gitopsreg.catalog.load import load
    from gitopsreg.reconcile.proposal import Proposal
    from gitopsreg.wiring.remembered import memo_of_folder

    sides = _sides(settings, asked)
    memo = memo_of_folder(settings.cache, sides.folder)  # what is the same on both sides is read once
    base, head = load(sides.base.files, memo=memo), load(sides.head.files, memo=memo)
    found = difference(base, head)
    return Proposal(
        name=base.catalog.registry.hostname or head.catalog.registry.hostname or _name(sides.inside),
        base=sides.base_name,
        head=sides.head_name,
        loaded=head,
        difference=found,
        objections=tuple(one for one in check_changes(base, head) if not one.suppressed),
        online=_online(settings, asked, sides, found, memo) if _is_online(settings, asked) else None,
    )


def _name(inside: str) -> str:
    """What tells the catalogs of one repository apart where none has a host name."""
    return "catalog" if inside == "." else inside


def _is_online(settings: Settings, asked: Asked) -> bool:
    if asked.index and asked.online is False:
        raise ConfigError("--index goes with asking upstreams: leave --offline out")
    return bool(settings.store or asked.index) if asked.online is None else asked.online


def _sides(settings: Settings, asked: Asked) -> _Sides:
    from gitopsreg.catalog.revision import checkout_at, enclosing, fork_point

    clone = Path(settings.catalog) if settings.catalog and Path(settings.catalog).is_dir() else Path()
    folder = clone / settings.path
    if not folder.is_dir():
        raise ConfigError(f'"{folder}" is no directory: set --path to the catalog\'s folder, like "example-catalog"')
    top, inside = enclosing(folder)
    tip = "HEAD" if asked.head == WORKTREE else asked.head
    base = checkout_at(top, fork_point(top, asked.base, tip), inside)
    head = checkout_at(top, tip, inside)
    if asked.head == WORKTREE:
        head = _with_worktree(head, folder)
    return _Sides(
        base=base,
        head=head,
        base_name=base.commit.oid[:_SHORT],
        head_name=WORKTREE if asked.head == WORKTREE else head.commit.oid[:_SHORT],
        inside=inside,
        folder=folder,
    )


def _with_worktree(checkout: "CatalogCheckout", folder: Path) -> "CatalogCheckout":
    """The files as they lie there, on top of the newest commit: what is committed is its content."""
    from gitopsreg.catalog.directory import read_directory
    from gitopsreg.catalog.held import held

    files = read_directory(folder)
    files = held(files) or files
    committed = checkout.files
    return replace(checkout, files=replace(files, root=committed.root, time=committed.time))


def _online(settings: Settings, asked: Asked, sides: _Sides, found: "Difference", memo: "Memo") -> "Online":
    from gitopsreg.cli.progress import reporter_for
    from gitopsreg.reconcile.because import because
    from gitopsreg.reconcile.forecast import forecast, without_index
    from gitopsreg.reconcile.proposal import Online
    from gitopsreg.wiring import reconciling, stores, upstreams

    against = "index" if asked.index else "store" if settings.store else ""
    reader = stores.open_reader(settings) if against == "store" else stores.open_index(_file(asked.index))
    only: Collection[str] | None = None if against else {change.subject for change in found.changes}
    with reporter_for(settings) as reporter, reconciling.make_planner(settings, reader, reporter, memo) as planner_for:
        prepared = planner_for(sides.head).prepare(only=only)
        plan = prepared.plan
        if not against:
            plan = without_index(planner_for(sides.base).prepare(only=only), prepared)
    told = forecast(prepared, upstreams.size_of(sides.head))
    return Online(plan=plan, forecast=told, against=against, because=because(prepared))


def _file(name: str | None) -> Path | None:
    return Path(name).expanduser() if name else None
