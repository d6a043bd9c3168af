import json
from pathlib import Path

import pytest

from gitopsreg.catalog import schema
from gitopsreg.catalog.generate import generated, write
from gitopsreg.catalog.layout import PLACES
from gitopsreg.catalog.load import load
from gitopsreg.catalog.loader import parse
from tests.catalog.catalogs import AT_KEY, AT_NAMESPACE, KEY, NAMESPACE, a_catalog

TOP = Path(__file__).parents[2]
MADE = generated()


@pytest.mark.parametrize("path", MADE)
def test_what_is_committed_is_what_the_schemas_make(path: str) -> None:
    """After a change of a schema: make docs."""
    assert (TOP / path).read_text(encoding="utf-8") == MADE[path]


def test_nothing_else_lies_there() -> None:
    committed = {
        str(path.relative_to(TOP)) for folder in ("schemas/editor", "docs/kinds") for path in (TOP / folder).iterdir()
    }
    assert committed == set(MADE)


def test_writing_removes_what_nothing_is_made_of_any_more(tmp_path: Path) -> None:
    stale = tmp_path / "docs/kinds/old.md"
    stale.parent.mkdir(parents=True)
    stale.write_text("old")
    write(tmp_path)
    assert not stale.exists()
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()} == set(MADE)


def test_every_strict_schema_has_a_kind() -> None:
    files = {path.name for path in schema.schema_folder().glob("*.json")}
    assert files == {*schema.FILES.values(), schema.UNION}


def example(kind: str) -> str:
    """The YAML of a kind's page."""
    page = MADE[f"docs/kinds/{schema.FILES[kind].removesuffix('.json')}.md"]
    return page.partition("```yaml\n")[2].partition("```")[0]


@pytest.mark.parametrize("kind", schema.KINDS)
def test_the_example_of_a_page_is_the_schema_s(kind: str) -> None:
    document = parse(example(kind).encode()).document
    assert document is not None
    assert document.value == schema.schema(kind)["examples"][0]


def test_the_examples_are_one_catalog_without_findings() -> None:
    files = {}
    for kind in schema.KINDS:
        for document in schema.schema(kind)["examples"]:
            name = document["metadata"]["name"]
            place = PLACES[kind].replace("<namespace>", "platform").replace("<name>", name).replace("<type>", name)
            files[place.replace("<system>", str(document["spec"].get("system")))] = json.dumps(document)
    loaded = load(a_catalog(files, folders=("content/internal/2.0.0",)))
    assert [str(finding) for finding in loaded.findings] == []
    assert {kind for kind, _ in loaded.idle} == {*schema.IDLE_KINDS, *schema.PARTLY_IDLE_KINDS}
    assert load(a_catalog({AT_NAMESPACE: NAMESPACE, AT_KEY: KEY})).idle == ()


@pytest.mark.parametrize("kind", schema.KINDS)
def test_a_page_has_a_row_for_every_field(kind: str) -> None:
    page = MADE[f"docs/kinds/{schema.FILES[kind].removesuffix('.json')}.md"]
    rows = [line for line in page.splitlines() if line.startswith("| `")]

    def fields(node: object, at: str = "") -> list[str]:
        found = []
        if isinstance(node, dict):
            for name, sub in node.get("properties", {}).items():
                path = f"{at}.{name}" if at else name
                found += [path, *fields(sub, path), *fields(sub.get("items"), f"{path}[]")]
            for branch in node.get("oneOf", ()):
                found += fields(branch, at)
        return found

    expected = fields(dict(schema.schema(kind)))
    assert sorted(row.split("`")[1] for row in rows) == sorted(expected)
    assert {row.replace("\\|", "").count("|") for row in rows} == {7}
