"""What stays of a finding when lines move: rule, package and place in the document, hashed. Looks at no line number."""

from collections import Counter
from collections.abc import Iterable
from hashlib import sha256

from gitopsreg.catalog.report import Finding

NAME = "gitopsreg/v1"
Identity = tuple[str, ...]


def identity(finding: Finding, root: str = "") -> Identity:
    """Equal for the same trouble before and after other lines moved. `root` is no part of it, wherever one stands."""
    where = finding.address or finding.path.removeprefix(root)
    # Without a place in the document only the words tell two findings apart; they name no lines.
    return finding.rule, where, finding.pointer or finding.message


def fingerprints(findings: Iterable[Finding]) -> list[str]:
    """One for each finding, all different: the second of two equal ones is counted."""
    seen: Counter[Identity] = Counter()
    prints = []
    for finding in findings:
        key = identity(finding)
        seen[key] += 1
        prints.append(sha256("\0".join((*key, str(seen[key]))).encode(errors="backslashreplace")).hexdigest()[:32])
    return prints


def mark_new(findings: Iterable[Finding], before: Iterable[Finding], root: str, root_before: str) -> list[bool]:
    """For each finding whether there is none like it among those of `before`."""
    known = Counter(identity(finding, root_before) for finding in before)
    marks = []
    for finding in findings:
        key = identity(finding, root)
        marks.append(known[key] == 0)
        known[key] -= known[key] > 0
    return marks
