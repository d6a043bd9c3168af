import json

import pytest

from gitopsreg.catalog import schema
from gitopsreg.catalog.editor import tolerant
from gitopsreg.catalog.layout import PLACES
from tests.cli.shell import gitopsreg


def test_without_a_kind_all_are_listed_with_their_paths() -> None:
    done = gitopsreg("schema")
    assert (done.code, done.stderr) == (0, "")
    lines = [line.split(maxsplit=2) for line in done.stdout.splitlines()[1:]]
    assert [line[:2] for line in lines] == [[kind, PLACES[kind]] for kind in schema.KINDS]
    assert {line[0] for line in lines if line[2:] == ["checked only"]} == set(schema.IDLE_KINDS)


def test_the_list_as_json() -> None:
    done = gitopsreg("schema", "--output", "json")
    assert done.json["schemaVersion"] == 1
    assert [kind["kind"] for kind in done.json["kinds"]] == list(schema.KINDS)
    assert done.json["kinds"][2] == {
        "kind": "Module",
        "path": "namespaces/<namespace>/modules/<name>/<system>.yaml",
        "schema": "https://gitopsreg.io/schemas/v1alpha1/editor/module.json",
        "actedOn": True,
    }


@pytest.mark.parametrize("name", ["SigningKey", "signing-key", "signingkey", "signing_key", "signing-key.json"])
def test_a_kind_goes_by_any_of_its_names(name: str) -> None:
    done = gitopsreg("schema", name)
    assert done.code == 0
    assert json.loads(done.stdout) == schema.schema("SigningKey")


def test_the_schema_is_the_file_s_very_text() -> None:
    text = (schema.schema_folder() / "module.json").read_text(encoding="utf-8")
    assert gitopsreg("schema", "Module").stdout == text
    made = (schema.schema_folder() / "editor" / "module.json").read_text(encoding="utf-8")
    assert gitopsreg("schema", "Module", "--editor").stdout == made


def test_the_union_and_the_schema_for_editors() -> None:
    assert json.loads(gitopsreg("schema", "catalog", "--editor").stdout) == tolerant(schema.read(schema.UNION))


@pytest.mark.parametrize(("name", "hint"), [("modul", 'did you mean "Module"?'), ("x", "kinds are Registry, ")])
def test_an_unknown_kind_is_wrong_use(name: str, hint: str) -> None:
    done = gitopsreg("schema", name)
    assert (done.code, done.stdout) == (2, "")
    assert f'there is no kind "{name}": {hint}' in done.stderr
