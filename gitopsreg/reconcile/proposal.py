"""A change of the catalog that somebody proposes, and all that is known of what it would do. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from gitopsreg.catalog.difference import Difference
from gitopsreg.catalog.load import Loaded
from gitopsreg.catalog.plan_sheet import Row, Section, Sheet, Sign, in_order, row_of, rows_of, sections_of
from gitopsreg.catalog.report import Finding
from gitopsreg.catalog.risk import MARKS, Risk, ranked
from gitopsreg.catalog.wording import versions
from gitopsreg.reconcile.forecast import Forecast, Remark
from gitopsreg.reconcile.plan import Action, Change, Plan

_SIGNS: dict[Action, Sign] = {
    "add": "add",
    "restore": "add",
    "change": "change",
    "archive": "remove",
    "none": "change",
}
_UNDECLARED = "no longer declared"
_WORDS: dict[Action, str] = {"restore": "restored", "add": "new package"}
_UNITS = ("B", "KiB", "MiB", "GiB")


@dataclass(frozen=True, slots=True, kw_only=True)
class Online:
    """What upstreams and an index say. Without an index (`against` is "") no publish can be approved by this plan.
    `because` is why packages leave, by address, where that is not that nobody declares them any more.
    """

    plan: Plan
    forecast: Forecast
    against: str = ""
    because: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """`base` and `head` are what people call the two; `name` tells plans of several registries apart.

    `loaded` is the head's catalog, `objections` what the rules say of the change as such (GR7xx).
    """

    name: str
    base: str
    head: str
    loaded: Loaded
    difference: Difference
    objections: tuple[Finding, ...] = ()
    online: Online | None = None

    @property
    def digest(self) -> str:
        """The plan's: what can be approved if upstreams were asked, else the name of the catalog's change."""
        return self.online.plan.digest if self.online else self.difference.digest

    @property
    def held(self) -> str:
        return (self.online.plan.guard if self.online else "") or self.difference.held

    @property
    def has_changes(self) -> bool:
        return bool(self.difference.changes) or (self.online is not None and self.online.plan.has_changes)


def sheet_of(proposal: Proposal) -> Sheet:
    """The proposal as it is laid before people."""
    rows, later = _rows(proposal)
    return Sheet(
        name=proposal.name,
        base=proposal.base,
        head=proposal.head,
        rows=rows,
        digest=proposal.digest,
        verdicts=tuple(_verdicts(proposal)),
        sections=(*sections_of(rows), *_sections(proposal, later)),
        held=proposal.held,
        next=_next(proposal),
    )


def row_of_plan(change: Change, because: str = "") -> Row:
    """What a reconcile does to one package, as a row; `because` is why it leaves."""
    what = f"archived: {because or _UNDECLARED}" if change.action == "archive" else _WORDS.get(change.action, "")
    if change.address.startswith("namespace:"):
        what = what.replace("package", "namespace")
    told = (what, *_listed(change), *change.notes)
    return Row(
        sign=_SIGNS[change.action],
        subject=change.address,
        words=tuple(word for word in told if word),
        risks=risks_of(change),
    )


def risks_of(change: Change) -> tuple[Risk, ...]:
    return ranked(MARKS[mark] for mark in change.marks if mark in MARKS)


def in_units(count: int) -> str:
    """Bytes for people: `34.2 KiB`."""
    amount, unit = float(count), 0
    while amount >= 1024 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{amount:.1f} {_UNITS[unit]}" if unit else f"{count} B"


def _rows(proposal: Proposal) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """The rows of the change, and those that are due with it or without it."""
    if proposal.online is None:
        return rows_of(proposal.difference.changes), ()
    planned = {change.address: change for change in proposal.online.plan.changes}
    plain = [change for change in proposal.difference.changes if change.subject not in planned]
    both = [change for change in proposal.difference.changes if change.subject in planned]
    joined = [
        row_of(change, more=tuple(_listed(plan)), risks=risks_of(plan), resolved=True)
        for change in both
        for plan in (planned.pop(change.subject),)
    ]
    because = proposal.online.because
    later = in_order(row_of_plan(change, because.get(change.address, "")) for change in planned.values())
    return in_order([*rows_of(plain), *joined]), later


def _listed(change: Change) -> Iterator[str]:
    if change.added:
        yield versions(change.added) if change.action == "add" else f"new: {versions(change.added)}"
    if change.removed and change.action != "archive":
        yield f"no longer listed: {versions(change.removed)}"


def _verdicts(proposal: Proposal) -> Iterator[str]:
    yield _catalog_verdict(proposal.loaded)
    if proposal.objections:
        yield f"{_count(len(proposal.objections), 'objection')} of the rules to the change"
    if proposal.online is None:
        return
    found = proposal.online.forecast
    reached = found.asked - len(found.silent)
    yield f"online check: {reached} of {_count(found.asked, 'source')} reached"
    if found.versions:
        yield f"{_count(found.versions, 'version')} to fetch{_weight(found)}"
    if not proposal.online.against:
        yield "without an index: only what the change itself brings"


def _catalog_verdict(loaded: Loaded) -> str:
    if loaded.registry_broken:
        return "nothing can be published: registry.yaml is broken"
    errors, warnings = len(loaded.errors), len(loaded.findings) - len(loaded.errors)
    told = [_count(number, noun) for number, noun in ((errors, "error"), (warnings, "warning")) if number]
    suspended = ", suspended: nothing is published" if loaded.catalog.registry.suspend else ""
    return f"catalog {'has ' + ' and '.join(told) if told else 'valid'}{suspended}"


def _weight(found: Forecast) -> str:
    if found.unmeasured == found.versions:
        return ""
    some = f" without {found.unmeasured} whose size nobody knows yet" if found.unmeasured else ""
    return f", {in_units(found.bytes)}{some}"


def _sections(proposal: Proposal, later: tuple[Row, ...]) -> Iterator[Section]:
    findings = (*proposal.loaded.errors, *(f for f in proposal.loaded.findings if f.severity != "error"))
    yield from _section("Findings", (str(finding) for finding in findings))
    yield from _section("Objections to the change", (str(finding) for finding in proposal.objections))
    if proposal.online:
        found = proposal.online.forecast
        yield from _section("Sources that did not answer", _silent(found))
        yield from _section("Versions that would fail", map(_line, found.troubles))
        yield from _section("Skipped versions", map(_line, found.skipped))
        yield from _section("Pending packages", map(_line, found.pending))
    due = (f"{row.subject}: {'; '.join(row.words)}{_marked(row)}" for row in later)
    yield from _section("Also due, with this change or without it", due)


def _silent(found: Forecast) -> Iterator[str]:
    """What many packages come from once, not once for each of them."""
    yield from (f"{each.who}: {each.message}" for each in found.away)
    told = {name for each in found.away for name in each.packages}
    yield from (_line(remark) for remark in found.silent if remark.address not in told)


def _section(title: str, lines: Iterable[str]) -> Iterator[Section]:
    if told := tuple(lines):
        yield Section(title=title, lines=told)


def _line(remark: Remark) -> str:
    return f"{remark.address} {remark.version}".rstrip() + f": {remark.text}"


def _marked(row: Row) -> str:
    return f" ({', '.join(str(risk) for risk in row.risks)})" if row.risks else ""


def _next(proposal: Proposal) -> str:
    if not proposal.held:
        return ""
    if proposal.online and proposal.online.against and proposal.online.plan.guard:
        return f"to publish it all the same: gitopsreg reconcile --approve {proposal.digest}"
    return "after the merge a person must approve it: gitopsreg plan tells the digest"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
