from typing import Any

import pytest

from gitopsreg.catalog import operations
from gitopsreg.catalog.cursor import Cursor


def rules(kind: str, spec: Any) -> list[str]:
    return [problem.rule for problem in operations.check(kind, Cursor(spec, ("spec",)))]


@pytest.mark.parametrize(
    "spec",
    [
        {"type": "github"},
        {"type": "gitlab", "auth": {"method": "ssh-key", "privateKeyRef": "k"}},
        {"type": "git", "baseUrl": "git@git.example.com:acme/modules"},
        {"type": "registry", "baseUrl": "https://registry.opentofu.org", "auth": {"method": "token", "tokenRef": "t"}},
        {"type": "github", "auth": {"method": "github-app", "installationOwner": "acme"}},
        {"type": "github", "auth": {"method": "github-app", "installationId": "1"}},
        {},
        None,
        {"type": ["github"], "auth": "token"},
    ],
)
def test_connections_that_say_enough(spec: Any) -> None:
    assert rules("Connection", spec) == []


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"type": "bitbucket-dc"}, ["GR421"]),
        ({"type": "http", "baseUrl": "ssh://git.example.com/"}, ["GR503"]),
        ({"type": "gitea", "baseUrl": "http://git.example.com"}, ["GR506"]),
        ({"type": "registry", "baseUrl": "https://r.example.com", "auth": {"method": "ssh-key"}}, ["GR421"]),
        ({"type": "gitlab", "auth": {"method": "github-app"}}, ["GR421"]),
    ],
)
def test_connections_that_do_not(spec: Any, expected: list[str]) -> None:
    assert rules("Connection", spec) == expected


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"prefix": "a/b/", "redirectTTL": "7d", "gc": {"graceAfterUnreferenced": "7d"}}, []),
        ({}, []),
        ({"redirectTTL": "3d"}, []),
        ({"redirectTTL": "1h", "gc": {"graceAfterUnreferenced": "1h"}}, []),
        ({"prefix": "/a"}, ["GR407"]),
        ({"prefix": "a//"}, ["GR407"]),
        ({"redirectTTL": "1s"}, ["GR413"]),
        ({"redirectTTL": "2h", "gc": {"graceAfterUnreferenced": "1h"}}, ["GR422"]),
    ],
)
def test_storage_classes(spec: Any, expected: list[str]) -> None:
    assert rules("StorageClass", spec) == expected


def test_the_link_and_the_grace_time_are_the_schema_s_defaults() -> None:
    from gitopsreg.catalog.duration import parse_duration
    from gitopsreg.catalog.schema import schema

    spec = schema("StorageClass")["properties"]["spec"]["properties"]
    assert parse_duration(spec["redirectTTL"]["default"]) == operations._LINK
    assert parse_duration(spec["gc"]["properties"]["graceAfterUnreferenced"]["default"]) == operations._KEPT


def test_each_type_of_connection_has_a_host_or_needs_one() -> None:
    from gitopsreg.catalog.discovered import _SCOPES
    from gitopsreg.catalog.schema import schema

    types = set(schema("Connection")["properties"]["spec"]["properties"]["type"]["enum"])
    assert operations.PUBLIC_HOSTS.keys() | operations._OWN_HOSTS | {"opentofu-git"} == types
    assert not operations.PUBLIC_HOSTS.keys() & operations._OWN_HOSTS
    assert types >= _SCOPES.keys()


def test_mirrors_and_alerts() -> None:
    cosign = {"issuer": "https://token.actions.githubusercontent.com", "identityRegexp": "a(?!b)"}
    mirror = {"index": "file:///etc", "versions": {"constraint": "?"}, "verify": {"cosign": cosign}, "interval": "1s"}
    assert rules("BinaryMirror", mirror) == ["GR503", "GR401", "GR413", "GR402"]
    assert rules("Alert", {"sink": {"url": "https://a:b@example.com"}, "exclude": ["("]}) == ["GR502", "GR402"]
