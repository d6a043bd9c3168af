"""`gitopsreg explain`: where each field comes from, and what was meant when nothing is found."""

from pathlib import Path

import pytest

from tests.catalog.catalogs import AT_KEY, AT_MODULE, HEAD, MODULE, WHOLE
from tests.cli.shell import Ran, gitopsreg
from tests.repositories import write

REGISTRY = HEAD + "kind: Registry\nmetadata: {name: default}\nspec:\n  defaults:\n    interval: 30m\n"


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    folder = tmp_path / "catalog"
    folder.mkdir()
    write(folder, {**WHOLE, "registry.yaml": REGISTRY, "content/internal/1.0.0/README": ""})
    return folder


def explain(catalog: Path, *arguments: str) -> Ran:
    return gitopsreg("explain", *arguments, cwd=catalog)


def test_a_table_says_what_and_where_from(catalog: Path) -> None:
    done = explain(catalog, "module:platform/vpc/aws")
    assert (done.code, done.stderr) == (0, "")
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[0] == ["module:platform/vpc/aws", AT_MODULE]
    assert lines[1] == ["FIELD", "VALUE", "FROM"]
    assert ["interval", "30m", "registry.yaml:6"] in lines
    assert ["timeout", "5m", "built-in"] in lines
    assert ["source.type", "git", f"{AT_MODULE}:6"] in lines


def test_json(catalog: Path) -> None:
    document = explain(catalog, "platform/vpc/aws", "--output", "json").json
    assert document["subject"] == "module:platform/vpc/aws"
    (interval,) = [item for item in document["fields"] if item["field"] == "interval"]
    assert interval == {"field": "interval", "value": "30m", "from": "registry", "path": "registry.yaml", "line": 6}


@pytest.mark.parametrize(
    ("address", "subject"),
    [
        ("platform/internal", "provider:platform/internal"),
        ("platform/release", "key:platform/release"),
        ("platform", "namespace:platform"),
        ("registry", "registry"),
    ],
)
def test_the_kind_may_be_left_out(catalog: Path, address: str, subject: str) -> None:
    assert explain(catalog, address).stdout.split()[0] == subject


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("module:platform/vcp/aws", 'did you mean "module:platform/vpc/aws"?'),
        ("platform/vpd/aws", 'did you mean "module:platform/vpc/aws"?'),
        ("platfrom/internal", 'did you mean "provider:platform/internal"?'),
        ("platforn", 'did you mean "namespace:platform"?'),
        ("zzz", "gitopsreg explain registry"),
        ("a\x1b[31mb", '"a\\x1b[31mb"'),
        ("", 'the catalog has no ""'),
    ],
)
def test_an_unknown_address_gets_the_nearest(catalog: Path, address: str, words: str) -> None:
    done = explain(catalog, address)
    assert done.code == 2
    assert words in done.stderr


def test_two_of_one_name_must_be_told_apart(catalog: Path) -> None:
    write(catalog, {AT_KEY.replace("release", "internal"): WHOLE[AT_KEY].replace("name: release", "name: internal")})
    done = explain(catalog, "platform/internal")
    assert done.code == 2
    assert 'write "provider:platform/internal" or "key:platform/internal"' in done.stderr


def test_a_declaration_that_is_not_valid_says_so(catalog: Path) -> None:
    write(catalog, {AT_MODULE: MODULE + "  nonsense: 1\n"})
    done = explain(catalog, "platform/vpc/aws")
    assert (done.code, done.stdout) == (1, "")
    assert f"{AT_MODULE}: " in done.stderr
    assert "gitopsreg validate" in done.stderr


def test_a_secret_is_not_repeated(catalog: Path) -> None:
    token = "ghp_" + "a" * 36
    write(catalog, {AT_MODULE: MODULE.replace("{name: vpc}", f"{{name: vpc, annotations: {{note: {token}}}}}")})
    done = explain(catalog, "platform/vpc/aws")
    assert token not in done.stdout + done.stderr
    assert "-----BEGIN" not in explain(catalog, "platform/release").stdout


def test_another_folder(catalog: Path) -> None:
    done = gitopsreg("explain", "platform", "--path", "catalog", cwd=catalog.parent)
    assert done.stdout.split()[1] == "catalog/namespaces/platform/namespace.yaml"
    assert gitopsreg("explain", "platform", "--path", "nope", cwd=catalog.parent).code == 2
