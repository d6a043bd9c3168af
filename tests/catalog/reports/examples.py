"""Reports to render: of every bad catalog in the gallery, and one that is odd in every field."""

from dataclasses import replace

from gitopsreg.catalog.fix import Edit, Fix
from gitopsreg.catalog.problem import Span
from gitopsreg.catalog.report import Finding, Report
from tests.catalog import gallery

FINDING = Finding(
    rule="GR201",
    severity="error",
    path="catalog/namespaces/platform/modules/vpc/aws.yaml",
    line=14,
    column=17,
    end_line=14,
    end_column=21,
    message="version must be a string, got number 1.1",
    hint='write "1.10"',
    pointer="/spec/versions/pins/0/version",
    address="module:platform/vpc/aws",
    fix=Fix(description='write "1.10"', edits=(Edit(Span(14, 17, 14, 21), '"1.10"'),)),
)
WARNING = replace(FINDING, rule="GR414", severity="warning", pointer="/spec/source/type", message="a warning", fix=None)
ODD = replace(
    FINDING,
    rule="GR501",
    path='a b/é,:;]%\n"<&>\x1b[31m##vso[x]/namespaces/x.yaml',
    line=3,
    end_line=5,
    end_column=1,
    message='100% of it; ]] , : :: <b> & "quotes" `code` @admin #12 | [x](https://evil.example) ]]>',
    hint="",
    pointer="",
    address="",
)
PATHS = (FINDING.path, "catalog/registry.yaml", ODD.path)


def a_report(*findings: Finding, **more: object) -> Report:
    return replace(Report(findings=findings, paths=PATHS, files=len(PATHS), seconds=1.25), **more)  # type: ignore[arg-type]


def of_case(case: str) -> Report:
    """As the command line would make it, standing in the case's folder."""
    loaded = gallery.loaded(case)
    paths = tuple(one.path for one in loaded.checked)
    return Report(findings=loaded.findings, suppressed=loaded.suppressed, paths=paths, files=loaded.files)


CASES = gallery.cases()
EVERYTHING = a_report(
    FINDING,
    replace(FINDING, new=True),
    replace(WARNING, new=False),
    ODD,
    suppressed=(replace(WARNING, suppressed="known ]](x) & accepted"),),
    unchecked=("module:platform/vpc/aws: no answer\x1b",),
)
