import pytest

from gitopsreg.catalog.cursor import Cursor
from gitopsreg.catalog.policy import check_resource, namespace_of


@pytest.mark.parametrize(
    ("resource", "namespace"),
    [
        ("*", ""),
        ("module:*", ""),
        ("provider:*", ""),
        ("module:platform/*/*", "platform"),
        ("module:platform/vpc-*/aws", "platform"),
        ("module:*/vpc/aws", ""),
        ("module:plat*/vpc/aws", ""),
        ("provider:platform/internal", "platform"),
        ("provider:my_team/*", "my_team"),
    ],
)
def test_patterns_of_addresses(resource: str, namespace: str) -> None:
    assert list(check_resource(Cursor(resource))) == []
    assert namespace_of(resource) == namespace


@pytest.mark.parametrize(
    "resource",
    [
        "**",
        "platform/vpc/aws",
        "module:",
        "module:platform",
        "module:platform/vpc",
        "module:platform/vpc/aws/x",
        "provider:platform/a/b",
        "provider:platform/internal\n",
        "key:platform/release",
        "module:Platform/*/*",
        "module:../vpc/aws",
    ],
)
def test_what_is_none(resource: str) -> None:
    assert [problem.rule for problem in check_resource(Cursor(resource))] == ["GR420"]
    assert namespace_of(resource) == ""
