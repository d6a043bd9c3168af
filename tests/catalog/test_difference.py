"""What a change of the catalog does, told by its effect: whatever order files and fields come in."""

import json
import random
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.catalog.difference import Change, Difference, difference
from gitopsreg.catalog.files import CatalogFiles
from gitopsreg.catalog.load import load
from gitopsreg.catalog.plan_sheet import rows_of
from gitopsreg.catalog.wording import words
from tests.catalog.catalogs import (
    AT_KEY,
    AT_MODULE,
    AT_NAMESPACE,
    AT_PROVIDER,
    HEAD,
    KEY,
    MODULE,
    NAMESPACE,
    WHOLE,
    a_catalog,
    a_module,
)

AT_REGISTRY = "registry.yaml"
VPC = "module:platform/vpc/aws"


def registry(spec: str) -> str:
    return HEAD + f"kind: Registry\nmetadata: {{name: default}}\nspec: {spec}\n"


def compared(base: Mapping[str, str], head: Mapping[str, str]) -> Difference:
    return difference(load(a_catalog(base)), load(a_catalog(head)))


def changed(files: Mapping[str, str | None], base: Mapping[str, str] = WHOLE) -> dict[str, Change]:
    """WHOLE with some files written anew, and those that are None taken away."""
    head = {path: text for path, text in {**base, **files}.items() if text is not None}
    return {change.subject: change for change in compared(base, head).changes}


def module(number: int) -> dict[str, str]:
    return {f"namespaces/platform/modules/m{number}/aws.yaml": MODULE.replace("name: vpc", f"name: m{number}")}


MANY = {**WHOLE, **{path: text for number in range(6) for path, text in module(number).items()}}


def test_nothing_changed_is_no_change() -> None:
    found = compared(WHOLE, WHOLE)
    assert found.changes == ()
    assert found.held == ""


@pytest.mark.parametrize(
    ("files", "subject", "told", "risks"),
    [
        ({AT_MODULE: a_module("suspend: true")}, VPC, ["suspend: false → true"], ["low: suspend"]),
        ({AT_MODULE: a_module("suspend: false")}, VPC, None, []),
        ({AT_MODULE: "# a comment\n" + MODULE}, VPC, None, []),
        (
            {AT_MODULE: MODULE.replace("acme/vpc.git", "other/vpc.git")},
            VPC,
            ["source.url: https://github.com/acme/vpc.git → https://github.com/other/vpc.git"],
            ["high: source"],
        ),
        (
            {AT_MODULE: a_module('versions:\n  yanked: [{version: "1.0.0", reason: wrong}]')},
            VPC,
            ["yank 1.0.0: wrong"],
            ["low: yank"],
        ),
        (
            {AT_MODULE: a_module('versions:\n  blocked: [{version: "1.0.0", reason: leaked}]')},
            VPC,
            ["block 1.0.0: leaked"],
            ["high: block"],
        ),
        (
            {AT_MODULE: a_module('deprecation: {message: "go on", replacement: platform/vpc/aws}')},
            VPC,
            ["deprecation.message: go on", "deprecation.replacement: platform/vpc/aws"],
            [],
        ),
        (
            {AT_NAMESPACE: NAMESPACE.replace("Platform}", "Platform, owners: [{type: github-team, name: a/b}]}")},
            "namespace:platform",
            ["owners: +github-team a/b"],
            ["high: ownership"],
        ),
        (
            {AT_NAMESPACE: NAMESPACE.replace("Platform}", "Platform, aliases: [old]}")},
            "namespace:platform",
            ["aliases: +old"],
            ["low: alias"],
        ),
        (
            {AT_KEY: KEY + "  status: revoked\n"},
            "key:platform/release",
            ["status: active → revoked"],
            ["high: key"],
        ),
        (
            {AT_KEY: KEY.replace("BLOCK-----\n    -----END", "BLOCK-----\n\n    mQ==\n    -----END")},
            "key:platform/release",
            ["publicKey: replaced"],
            ["high: key"],
        ),
        (
            {AT_REGISTRY: registry("{hostname: registry.example.com, guards: {maxRemovedPercent: 50}}")},
            "registry",
            ["guards.maxRemovedPercent: 10 → 50", "hostname: registry.example.com"],
            ["high: guard loosened", "high: hostname"],
        ),
        (
            {AT_REGISTRY: registry("{guards: {maxRemovedPercent: 1}}")},
            "registry",
            ["guards.maxRemovedPercent: 10 → 1"],
            [],
        ),
        ({AT_REGISTRY: registry("{}")}, "registry", None, []),
    ],
)
def test_changes_in_words_with_their_risks(
    files: dict[str, str | None], subject: str, told: list[str] | None, risks: list[str]
) -> None:
    found = changed(files)
    assert (list(words(found[subject])) if subject in found else None) == told
    assert [str(risk) for risk in found[subject].risks] == risks if subject in found else not risks


def test_kinds_that_this_release_does_not_act_on_are_planned_too() -> None:
    connection = HEAD + "kind: Connection\nmetadata: {name: forge}\nspec: {type: github, baseUrl: https://github.com}\n"
    base = {**WHOLE, "connections/forge.yaml": connection}
    moved = changed({"connections/forge.yaml": connection.replace("//github", "//forge")}, base)["connection:forge"]
    assert words(moved) == ("baseUrl: https://github.com → https://forge.com",)
    assert [str(risk) for risk in moved.risks] == ["high: source"]
    assert changed({"connections/forge.yaml": None}, base)["connection:forge"].action == "remove"


def test_what_is_taken_back_is_told_too() -> None:
    base = {**WHOLE, AT_MODULE: a_module('versions:\n  blocked: [{version: "1.0.0", reason: leaked}]')}
    change = changed({AT_MODULE: MODULE}, base)[VPC]
    assert words(change) == ("un-block 1.0.0",)
    assert [str(risk) for risk in change.risks] == ["high: unblock"]


def test_new_and_gone() -> None:
    without = {path: text for path, text in WHOLE.items() if path not in {AT_PROVIDER, AT_KEY}}
    added = compared(without, WHOLE).changes
    assert [(change.subject, words(change)) for change in added] == [
        ("key:platform/release", ("new key", "fingerprint 0123456789abcdef0123456789abcdef01234567")),
        ("provider:platform/internal", ("new provider", "from catalog", "1 version (1.0.0)", "keys: release")),
    ]
    gone = compared(WHOLE, without)
    assert [(change.subject, change.action) for change in gone.changes] == [
        ("key:platform/release", "remove"),
        ("provider:platform/internal", "remove"),
    ]
    assert [str(risk) for risk in gone.changes[1].risks] == ["low: removal"]
    assert gone.held == ""


def test_a_removal_of_many_is_judged_by_the_guards_of_before() -> None:
    loose = registry("{guards: {maxRemovedPackages: 100, maxRemovedPercent: 100}}")
    found = compared(MANY, {AT_REGISTRY: loose, AT_NAMESPACE: NAMESPACE, AT_MODULE: MODULE})
    assert "7 of 8 packages would be removed" in found.held
    marks = {str(risk) for change in found.changes if change.subject.startswith("module:m") for risk in change.risks}
    assert marks <= {"high: mass removal"}
    assert next(change for change in found.changes if change.subject == "registry").risks[0].mark == "guard loosened"


def test_a_default_is_told_where_it_lands() -> None:
    found = changed({AT_REGISTRY: registry("{defaults: {interval: 1h}}")}, MANY)
    effect = found["module:platform/m3/aws"].effects[0]
    assert (effect.field, effect.before, effect.after, effect.inherited) == ("interval", "15m", "1h", True)
    assert effect.place == "registry.yaml:4"
    assert len(found) == 9  # the registry and its eight packages


def test_a_default_that_a_declaration_overrides_changes_nothing_there() -> None:
    found = changed({AT_REGISTRY: registry("{defaults: {timeout: 1h}}"), AT_MODULE: a_module("timeout: 5m")})
    assert VPC not in found


def test_many_with_the_same_inherited_change_are_one_row() -> None:
    found = changed({AT_REGISTRY: registry("{defaults: {interval: 1h}}"), AT_MODULE: a_module("suspend: true")}, MANY)
    rows = rows_of(tuple(found.values()))
    assert [(row.subject, len(row.names)) for row in rows] == [
        (VPC, 0),
        ("registry", 0),
        ("7 packages", 7),
    ]
    assert rows[2].words == ("interval: 15m → 1h", "by default, registry.yaml:4")


def test_few_keep_a_row_each() -> None:
    found = changed({AT_REGISTRY: registry("{defaults: {interval: 1h}}")})
    assert [row.subject for row in rows_of(tuple(found.values()))] == [
        "registry",
        VPC,
        "provider:platform/internal",
    ]


def test_broken_is_not_removed() -> None:
    found = compared(WHOLE, {**WHOLE, AT_MODULE: MODULE + "  nonsense: 1\n"})
    (change,) = found.changes
    assert (change.subject, change.action) == (VPC, "invalid")
    assert "nonsense" in change.message
    assert found.held == ""


def test_what_depends_on_something_broken_is_broken() -> None:
    found = changed({AT_NAMESPACE: NAMESPACE + "nonsense: 1\n"})
    assert {change.action for change in found.values()} == {"invalid"}
    assert set(found) == {"namespace:platform", VPC, "provider:platform/internal"}


def test_a_broken_registry_file_changes_no_defaults() -> None:
    base = {**MANY, AT_REGISTRY: registry("{defaults: {interval: 1h}}")}
    found = changed({AT_REGISTRY: "nonsense: ["}, base)
    assert set(found) == {"registry"}


def test_mended_is_told_and_broken_as_before_is_not() -> None:
    broken = {**WHOLE, AT_MODULE: MODULE + "  nonsense: 1\n"}
    assert compared(broken, broken).changes == ()
    assert [change.action for change in compared(broken, WHOLE).changes] == ["repaired"]


def test_secrets_and_control_characters_are_not_repeated() -> None:
    token = "ghp_" + "a" * 36
    found = changed({AT_MODULE: a_module(f'deprecation: {{message: "see https://u:{token}@x.example \\e[31m"}}')})
    text = json.dumps([[str(effect.after) for effect in change.effects] for change in found.values()])
    assert token not in text
    assert "\x1b" not in json.loads(json.dumps(text))


ALL = {
    **MANY,
    AT_REGISTRY: registry("{defaults: {interval: 1h, versions: {keepLatest: 3}}, hostname: a.example.com}"),
    AT_MODULE: a_module('versions:\n  yanked: [{version: "1.0.0", reason: wrong}]\n  constraint: ">= 1.0"'),
}


def shuffled(files: CatalogFiles, seed: int) -> CatalogFiles:
    order = list(files.files)
    random.Random(seed).shuffle(order)
    return type(files)(
        revision=files.revision, time=files.time, root=files.root, files=tuple(order), has_folder=files.has_folder
    )


@given(st.integers())
def test_the_order_of_files_has_no_share_in_it(seed: int) -> None:
    base, head = a_catalog(WHOLE), a_catalog(ALL)
    assert difference(load(shuffled(base, seed)), load(shuffled(head, seed))) == difference(load(base), load(head))


def test_comments_and_lines_have_no_share_in_the_digest() -> None:
    commented = {path: "# comment\n\n" + text for path, text in ALL.items()}
    assert compared(WHOLE, ALL).digest == compared(WHOLE, commented).digest
    assert compared(WHOLE, ALL).digest != compared(ALL, WHOLE).digest


def test_a_catalog_with_too_many_files_is_not_an_empty_one() -> None:
    crowded = a_catalog(WHOLE)
    crowded = type(crowded)(revision="", time="", root="", files=crowded.files * 40_000, has_folder=crowded.has_folder)
    assert difference(load(a_catalog(WHOLE)), load(crowded)).changes == ()
