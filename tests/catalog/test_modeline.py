from typing import Any

import pytest

from gitopsreg.catalog import modeline, schema
from gitopsreg.catalog.editor import tolerant
from gitopsreg.catalog.load import load
from gitopsreg.catalog.mend import apply_edits
from gitopsreg.catalog.problem import Span
from tests.catalog.catalogs import AT_MODULE, AT_NAMESPACE, MODULE, NAMESPACE, a_catalog

URL = "https://gitopsreg.io/schemas/v1alpha1/editor/module.json"


def findings(line: str) -> Any:
    return load(a_catalog({AT_NAMESPACE: NAMESPACE, AT_MODULE: f"{line}\n{MODULE}"})).findings


@pytest.mark.parametrize(
    ("text", "schema_named"),
    [
        (f"# yaml-language-server: $schema={URL}\nkind: Module\n", URL),
        (f"#yaml-language-server : $schema = {URL} # really\nkind: Module\n", URL),
        ("# A module.\n\n# yaml-language-server: $schema=../module.json\nkind: Module\n", "../module.json"),
        ("# $schema: ../module.json\nkind: Module\n", "../module.json"),
        ("---\n# $schema: ../module.json\nkind: Module\n", "../module.json"),
        ("kind: Module\n# $schema: ../module.json\n", None),
        ("kind: Module # $schema: ../module.json\n", None),
        ("# no modeline\nkind: Module\n", None),
        ("# yaml-language-server: $schema=\n", None),
        ("", None),
    ],
)
def test_where_a_modeline_is_found(text: str, schema_named: str | None) -> None:
    found = modeline.find(text)
    assert (found.schema if found else None) == schema_named


def test_its_place_is_the_schema_s() -> None:
    found = modeline.find("# About.\n# $schema: a.json\n")
    assert found is not None
    assert found.span == Span(2, 12, 2, 18)


@pytest.mark.parametrize(
    "line",
    [
        f"# yaml-language-server: $schema={URL}",
        "# yaml-language-server: $schema=https://gitopsreg.io/schemas/v1alpha1/module.json",
        "# yaml-language-server: $schema=../../../../schemas/editor/module.json#",
        "# yaml-language-server: $schema=..\\schemas\\module.json",
        "# yaml-language-server: $schema=../schemas/catalog.json",
        "# yaml-language-server: $schema=none",
        "# yaml-language-server: $schema=https://json.schemastore.org/kustomization.json",
        "# yaml-language-server: $schema=https://[/",
        "# $schema: our-own-module-v2.json",
    ],
)
def test_the_right_schema_and_somebody_else_s_are_fine(line: str) -> None:
    assert findings(line) == ()


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("https://gitopsreg.io/schemas/v1alpha1/editor/provider.json", URL),
        ("../schemas/provider.json", "../schemas/module.json"),
        ("provider.json?raw#top", "module.json?raw#top"),
        ("https://gitopsreg.io/schemas/v1alpha1/editor/modul.json", URL),
        ("https://gitopsreg.io/schemas/v1alpha1/editor/", URL),
    ],
)
def test_another_kind_s_schema_is_a_warning_that_can_be_mended(wrong: str, right: str) -> None:
    line = f"# yaml-language-server: $schema={wrong}"
    (finding,) = findings(line)
    assert (finding.rule, finding.severity, finding.line, finding.column) == ("GR110", "warning", 1, 33)
    assert finding.fix is not None
    mended = apply_edits(line, finding.fix.edits)
    assert mended == f"# yaml-language-server: $schema={right}"
    assert findings(mended) == ()


@pytest.mark.parametrize("kind", schema.KINDS)
def test_the_modeline_of_a_kind_names_the_schema_that_is_published(kind: str) -> None:
    found = modeline.find(modeline.line_for(kind))
    assert found is not None
    assert found.schema == tolerant(schema.schema(kind))["$id"]
    assert list(modeline.check(modeline.line_for(kind), kind)) == []
