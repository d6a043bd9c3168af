"""JUnit XML: one test case a file, so that what passed shows too; an error is a failure, a warning is told."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape, quoteattr

from gitopsreg.catalog.report import Finding, Report, printable

_SUITE = "gitopsreg validate"


def render(report: Report) -> str:
    by_path: dict[str, list[Finding]] = {path: [] for path in report.paths}
    for finding in report.findings:
        by_path.setdefault(finding.path, []).append(finding)
    failures = sum(any(one.severity == "error" for one in found) for found in by_path.values())
    counts = _attributes(tests=len(by_path), failures=failures, errors=len(report.unchecked))
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites name={quoteattr(_SUITE)} time="{report.seconds:.3f}">',
        f'  <testsuite name={quoteattr(_SUITE)}{counts} time="{report.seconds:.3f}">',
        *(_case(path, found) for path, found in by_path.items()),
        *(_unchecked(text) for text in report.unchecked),
        "  </testsuite>",
        "</testsuites>",
    ]
    return "\n".join(lines) + "\n"


def _attributes(**values: object) -> str:
    return "".join(f" {name}={quoteattr(str(value))}" for name, value in values.items())


def _case(path: str, findings: Sequence[Finding]) -> str:
    folders = path.split("/")
    # The first two folders below the catalog's are the class, as in `catalog.namespaces.platform`.
    cut = folders.index("namespaces") + 2 if "namespaces" in folders[:-2] else len(folders) - 1
    line = {"line": findings[0].line} if findings else {}
    head = _attributes(
        classname=printable(".".join(folders[:cut]) or "catalog"),
        name=printable("/".join(folders[cut:])),
        file=printable(path),
        **line,
    )
    if not findings:
        return f"    <testcase{head}/>"
    by_severity: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_severity[finding.severity].append(finding)
    inner = [*_failure(by_severity["error"]), *_warnings(by_severity["warning"])]
    return f"    <testcase{head}>\n{''.join(inner)}    </testcase>"


def _failure(errors: Sequence[Finding]) -> Iterable[str]:
    """One a test case: GitLab and others read no more."""
    if errors:
        first = errors[0]
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        head = _attributes(type=first.rule, message=first.message + more)
        yield f"      <failure{head}>{escape(_told(errors))}</failure>\n"


def _warnings(warnings: Sequence[Finding]) -> Iterable[str]:
    if warnings:
        yield f"      <system-out>{escape(_told(warnings))}</system-out>\n"


def _told(findings: Iterable[Finding]) -> str:
    return "\n".join(f"{finding} ({finding.hint})" if finding.hint else str(finding) for finding in findings)


def _unchecked(text: str) -> str:
    message = quoteattr(printable(text))
    return f'    <testcase classname="online" name={message}><error type="unchecked" message={message}/></testcase>'
