"""One slip of the pen is one finding, which names what was meant."""

import json

import pytest

from gitopsreg.catalog.delivery import is_source
from gitopsreg.catalog.load import load
from gitopsreg.catalog.schema import schema_folder
from gitopsreg.model.constraint import Reading
from tests.catalog.catalogs import a_catalog

_NAMESPACE = "apiVersion: gitopsreg.io/v1alpha1\nkind: Namespace\nmetadata: {name: acme}\nspec: {}\n"
_PROVIDER = """\
apiVersion: gitopsreg.io/v1alpha1
kind: Provider
metadata: {name: hello, namespace: acme}
spec:
  delivery: reference
  source: {type: opentofu-git, url: https://git.example.com/registry.git}
"""


@pytest.mark.parametrize(
    ("right", "written", "rule", "hint"),
    [
        ("opentofu-git", "opentofu_git", "GR204", 'did you mean "opentofu-git"?'),
        ("url:", "ulr:", "GR202", 'did you mean "url"?'),
        ("url:", "uri:", "GR202", 'did you mean "url"?'),
        ("type:", "tpye:", "GR202", 'did you mean "type"?'),
        ("source:", "sourec:", "GR202", 'did you mean "source"?'),
        ("spec:", "spce:", "GR202", 'did you mean "spec"?'),
    ],
)
def test_one_slip_is_one_finding(right: str, written: str, rule: str, hint: str) -> None:
    wrong = _PROVIDER.replace(right, written)
    found = load(
        a_catalog({"namespaces/acme/namespace.yaml": _NAMESPACE, "namespaces/acme/providers/hello.yaml": wrong})
    )
    (finding,) = found.findings
    assert (finding.rule, finding.hint) == (rule, hint)


def test_what_is_like_nothing_that_lacks_is_two() -> None:
    wrong = _PROVIDER.replace("url:", "place:")
    found = load(
        a_catalog({"namespaces/acme/namespace.yaml": _NAMESPACE, "namespaces/acme/providers/hello.yaml": wrong})
    )
    assert sorted(finding.rule for finding in found.findings) == ["GR202", "GR203"]


@pytest.mark.parametrize(("reading", "file"), [("module", "module.json"), ("provider", "provider.json")])
def test_the_types_of_sources_are_those_of_the_schema(reading: Reading, file: str) -> None:
    spec = json.loads((schema_folder() / file).read_text())["properties"]["spec"]
    types = {branch["properties"]["type"]["const"] for branch in spec["properties"]["source"]["oneOf"]}
    assert types
    assert all(is_source(reading, name) for name in types)
    assert not is_source(reading, "opentofu_git")
