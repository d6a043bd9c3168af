from typing import Any

import pytest

from gitopsreg.catalog import discovery
from gitopsreg.catalog.cursor import Cursor
from gitopsreg.catalog.discovery import DiscoveryFacts

NAME = "^terraform-(?P<system>[a-z0-9]+)-(?P<name>[a-z0-9-]+)$"
WHOLE = {"connection": "forge", "scope": {"organization": "acme"}, "match": {"name": NAME}, "produces": "Module"}
REGISTRY = {"scope": {"registry": "upstream", "namespaces": ["grafana"]}}


def told(spec: Any) -> list[tuple[str, str]]:
    return [(problem.rule, problem.pointer) for problem in discovery.check(Cursor(spec, ("spec",)))]


@pytest.mark.parametrize(
    "spec",
    [
        WHOLE,
        WHOLE | {"produces": "Provider", "match": {"name": "^terraform-provider-(?P<name>[a-z-]+)$"}},
        WHOLE | {"template": {"archiveFormat": "zip", "versions": {"constraint": ">= 1.0"}}},
        REGISTRY,
        REGISTRY | {"match": {"name": "^graf"}},
        REGISTRY | {"template": {"archiveFormat": "zip", "platforms": ["linux_amd64"]}},
        {},
        None,
        {"scope": "acme"},
        {"match": {"name": ["x"]}},
    ],
)
def test_these_say_enough_or_are_the_schema_s_business(spec: Any) -> None:
    assert [rule for rule, _ in told(spec) if spec in (WHOLE, REGISTRY) or rule != "GR417"] == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"connection": None}, [("GR417", "/spec")]),
        ({"produces": None}, [("GR417", "/spec")]),
        ({"match": {}}, [("GR417", "/spec")]),
        ({"match": {"name": "^(?P<name>[a-z]+)$"}}, [("GR417", "/spec/match/name")]),
        ({"match": {"name": "("}}, [("GR402", "/spec/match/name")]),
        ({"match": {"name": NAME.replace("system", "sytem")}}, [("GR417", "/spec/match/name")]),
        ({"produces": "Provider"}, [("GR417", "/spec/match/name")]),
        ({"template": {"platforms": ["linux_amd64"]}}, [("GR418", "/spec/template/platforms")]),
        ({"interval": "1s"}, [("GR413", "/spec/interval")]),
        (
            {
                "produces": "Provider",
                "match": {"name": "^terraform-provider-(?P<name>[a-z-]+)$"},
                "template": {"completeness": "required-platforms"},
            },
            [("GR416", "/spec/template/completeness")],
        ),
        ({"template": {"interval": "1s"}}, [("GR413", "/spec/template/interval")]),
        ({"template": {"versions": {"include": ["a(?!b)"]}}}, [("GR402", "/spec/template/versions/include/0")]),
    ],
)
def test_what_is_told(changes: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert told(WHOLE | changes) == expected


def test_what_a_registry_has_not() -> None:
    spec = REGISTRY | {"connection": "forge", "produces": "Module", "match": {"topics": ["a"], "forks": "include"}}
    assert [pointer for rule, pointer in told(spec) if rule == "GR418"] == [
        "/spec/connection",
        "/spec/produces",
        "/spec/match/topics",
        "/spec/match/forks",
    ]
    only = REGISTRY | {"template": {"archiveFormat": "zip"}}
    only["scope"] = {**REGISTRY["scope"], "kinds": ["Provider"]}
    assert told(only) == [("GR418", "/spec/template/archiveFormat")]


def test_a_group_of_a_registry_s_names_says_nothing() -> None:
    spec = REGISTRY | {"match": {"name": "^(?P<name>graf)"}}
    assert told(spec) == [("GR418", "/spec/match/name")]


def test_a_constraint_is_read_as_each_kind_reads_it() -> None:
    """Providers know no "v", modules no pre-release in a list."""
    spec = REGISTRY | {"template": {"versions": {"constraint": ">= v1.0"}}}
    assert told(spec) == [("GR401", "/spec/template/versions/constraint")]
    spec["scope"] = {**REGISTRY["scope"], "kinds": ["Module"]}
    assert told(spec) == []
    assert told(REGISTRY | {"template": {"versions": {"constraint": "nonsense"}}}) == [
        ("GR401", "/spec/template/versions/constraint")
    ]


def test_the_facts() -> None:
    assert discovery.facts(Cursor({"metadata": {"namespace": "a"}, "spec": WHOLE})) == DiscoveryFacts(
        connection="forge",
        scope="organization",
        place="acme",
        kinds=("Module",),
        pattern=NAME,
        namespace_at="/metadata/namespace",
    )
    found = discovery.facts(Cursor({"spec": REGISTRY}))
    assert (found.scope, found.place, found.namespaces) == ("registry", "upstream", ("grafana",))
    assert found.kinds == ("Module", "Provider")
    assert discovery.facts(Cursor(None)) == DiscoveryFacts()
