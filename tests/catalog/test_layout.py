import pytest

from gitopsreg.catalog.layout import is_declaration, slot


@pytest.mark.parametrize(
    ("path", "kind", "address"),
    [
        ("registry.yaml", "Registry", ""),
        ("connections/github.yaml", "Connection", ""),
        ("storage/a.yaml", "StorageClass", ""),
        ("policies/a.yaml", "AccessPolicy", ""),
        ("mirrors/a.yaml", "BinaryMirror", ""),
        ("alerts/a.yaml", "Alert", ""),
        ("namespaces/a/namespace.yaml", "Namespace", ""),
        ("namespaces/a/modules/b/c.yaml", "Module", "module:a/b/c"),
        ("namespaces/a/modules/b/c.YML", "Module", "module:a/b/c"),
        ("namespaces/A/modules/B/C.yaml", "Module", "module:a/b/c"),
        ("namespaces/a/providers/b.yaml", "Provider", "provider:a/b"),
        ("namespaces/a_b/providers/b.yaml", "Provider", ""),
        ("namespaces/a/keys/b.yaml", "SigningKey", ""),
        ("namespaces/a/discoveries/b.yaml", "Discovery", ""),
        ("namespaces/a/modules/b/c.md", "", ""),
        ("namespaces/a/modules/b/c/d.yaml", "", ""),
        ("namespaces/a/other/b.yaml", "", ""),
        ("namespaces/a.yaml", "", ""),
        ("namespaces", "", ""),
        ("other/a.yaml", "", ""),
    ],
)
def test_what_a_path_declares(path: str, kind: str, address: str) -> None:
    found = slot(path)
    assert (found.kind, str(found.address or "")) == (kind, address)


@pytest.mark.parametrize(
    "path",
    [
        "namespaces/A/modules/b/c.yaml",
        "namespaces/a_b/providers/b.yaml",
        "namespaces/-/keys/a.yaml",
        "namespaces/a/discoveries/_b.yaml",
        "connections/GitHub.yaml",
    ],
)
def test_names_that_clients_can_t_ask_for_are_illegal(path: str) -> None:
    assert "is not a legal" in slot(path).illegal


def test_which_files_are_declarations() -> None:
    assert is_declaration("registry.yaml")
    assert is_declaration("namespaces/a/b.YAML")
    assert not is_declaration("namespaces/a/README.md")
    assert not is_declaration("docs/a.yaml")
