"""Azure Pipelines: one `task.logissue` command a finding, which marks the run and the file."""

from gitopsreg.catalog.report import Finding, Report, printable

_DATA = {"%": "%AZP25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = _DATA | {"]": "%5D", ";": "%3B"}
_IN_DATA, _IN_PROPERTY = str.maketrans(_DATA), str.maketrans(_PROPERTY)


def render(report: Report) -> str:
    return "".join(_command(finding) + "\n" for finding in report.findings)


def _command(finding: Finding) -> str:
    properties = {
        "type": finding.severity,
        "sourcepath": printable(finding.path),
        "linenumber": str(finding.line),
        "columnnumber": str(finding.column),
        "code": finding.rule,
    }
    shown = "".join(f"{name}={value.translate(_IN_PROPERTY)};" for name, value in properties.items())
    hint = f" ({finding.hint})" if finding.hint else ""
    return f"##vso[task.logissue {shown}]{printable(finding.message + hint).translate(_IN_DATA)}"
