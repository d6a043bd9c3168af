"""What only upstreams can say about a catalog (GR6xx). Asks them and publishes nothing.

An upstream that gives no answer is no finding: what it would have said is `unchecked`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from gitopsreg.catalog.check import Checked
from gitopsreg.catalog.ignores import silence
from gitopsreg.catalog.load import Loaded
from gitopsreg.catalog.locate import locate
from gitopsreg.catalog.problem import Problem
from gitopsreg.catalog.report import Finding, printable
from gitopsreg.model.declaration import PackageDeclaration, UnsupportedSource
from gitopsreg.reconcile.online_keys import KeyUse, check_key, check_use
from gitopsreg.reconcile.online_package import Asked, ask
from gitopsreg.reconcile.resolve import UpstreamFactory

Parallel = Callable[[Callable[[PackageDeclaration], Asked], Iterable[PackageDeclaration]], Iterable[Asked]]


@dataclass(frozen=True, slots=True, kw_only=True)
class OnlineResult:
    """`findings` in order, `suppressed` set in those that comments silence; `unchecked` is a sentence for each package
    whose upstream could not say.
    """

    findings: tuple[Finding, ...]
    unchecked: tuple[str, ...]


def check_online(loaded: Loaded, upstream_for: UpstreamFactory, *, parallel: Parallel, now: datetime) -> OnlineResult:
    """Every package that this release acts on, and every key. Packages with errors of their own are left out."""
    acted_on = [one for one in loaded.catalog.packages if not _is_idle(one)]
    asked = list(parallel(lambda declaration: ask(declaration, upstream_for), acted_on))
    files = {one.path: one for one in loaded.checked}
    told: list[tuple[Checked, Problem]] = []
    uses: defaultdict[tuple[str, str], list[KeyUse]] = defaultdict(list)
    for answer in asked:
        told += [(files[answer.path], problem) for problem in answer.problems(files[answer.path].cursor)]
        for use in answer.uses:
            uses[use.namespace, use.name].append(use)
    for one in loaded.checked:
        if one.slot.kind == "SigningKey" and not one.broken:
            found = [*check_key(one.cursor, now), *check_use(one.cursor, uses[one.slot.namespace, one.slot.name])]
            told += [(one, problem) for problem in found]
    findings = sorted(_findings(told, loaded.root), key=lambda finding: finding.order)
    unchecked = tuple(printable(answer.unchecked) for answer in asked if answer.unchecked)
    return OnlineResult(findings=tuple(findings), unchecked=unchecked)


def _is_idle(declaration: PackageDeclaration) -> bool:
    return declaration.suspend or isinstance(declaration.source, UnsupportedSource)


def _findings(told: Iterable[tuple[Checked, Problem]], root: str) -> Iterator[Finding]:
    for one, problem in told:
        for finding in silence(locate([problem], one.document, one.path, str(one.slot.address or "")), one.ignores):
            yield replace(finding, path=root + finding.path)
