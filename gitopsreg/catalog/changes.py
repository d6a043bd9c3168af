"""What a change does to what is published (GR7xx, GR507): a catalog against the one it grew from. Both are loaded; it
reads nothing, and knows nothing of who may do what beyond what the two catalogs say.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from gitopsreg.catalog.change import Told, Twins, pair
from gitopsreg.catalog.change_package import check_package
from gitopsreg.catalog.change_registry import check_registry, check_removals
from gitopsreg.catalog.change_rights import check_key, check_namespace
from gitopsreg.catalog.check import Checked
from gitopsreg.catalog.ignores import Ignore, silence
from gitopsreg.catalog.load import Loaded
from gitopsreg.catalog.locate import locate
from gitopsreg.catalog.report import Finding


def check_changes(base: Loaded, head: Loaded, *, authors: Collection[str] = ()) -> tuple[Finding, ...]:
    """Everything about the change from `base` to `head` that a person should look at, in order.

    `authors` are the names of those who made it, where somebody knows them. What a comment silences has `suppressed`.
    """
    twins = pair(base, head)
    told = [*check_registry(base, head), *check_removals(base, head)]
    for before, after in twins:
        told += _check(before, after, twins, authors)
    earlier = {after.path: before for before, after in twins}
    return tuple(sorted(_findings(told, earlier, head.root), key=lambda finding: finding.order))


def _check(before: Checked, after: Checked, twins: Twins, authors: Collection[str]) -> Iterator[Told]:
    match after.slot.kind:
        case "Module" | "Provider":
            yield from ((after, problem) for problem in check_package(before.cursor, after))
        case "Namespace":
            yield from ((after, problem) for problem in check_namespace(before, after, twins, authors))
        case "SigningKey":
            yield from ((after, problem) for problem in check_key(before.cursor, after.cursor))


def _findings(told: Iterable[Told], earlier: dict[str, Checked], root: str) -> Iterator[Finding]:
    for one, problem in told:
        found = locate([problem], one.document, one.path, str(one.slot.address or ""))
        for finding in silence(found, _fresh(one, earlier.get(one.path))):
            yield replace(finding, path=root + finding.path)


def _fresh(after: Checked, before: Checked | None) -> tuple[Ignore, ...]:
    """The comments that the change brings: one that was there before speaks of another change."""
    old = {_words(ignore) for ignore in before.ignores} if before else set()
    return tuple(ignore for ignore in after.ignores if _words(ignore) not in old)


def _words(ignore: Ignore) -> tuple[tuple[str, ...], str]:
    return tuple(rule for rule, _ in ignore.rules), ignore.reason
