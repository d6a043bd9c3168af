"""Catalogs as their authors write them: declarations and content as files, to be committed to real repositories."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.releases import AReleaseFolder, Signer
from tests.repositories import a_repository, commit

Files = dict[str, str | bytes]

HOSTNAME = "registry.example.com"


def a_document(path: str, kind: str, name: str, spec: Mapping[str, Any]) -> Files:
    """One declaration. JSON is YAML, too."""
    document = {"apiVersion": "gitopsreg.io/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}
    return {path: json.dumps(document, indent=1)}


def a_registry(**spec: Any) -> Files:
    return a_document("registry.yaml", "Registry", "default", {"hostname": HOSTNAME} | spec)


def a_namespace(name: str = "acme", **spec: Any) -> Files:
    return a_document(f"namespaces/{name}/namespace.yaml", "Namespace", name, spec)


def module_file(address: str) -> str:
    namespace, name, system = address.split("/")
    return f"namespaces/{namespace}/modules/{name}/{system}.yaml"


def provider_file(address: str) -> str:
    namespace, name = address.split("/")
    return f"namespaces/{namespace}/providers/{name}.yaml"


def a_module(address: str, source: Mapping[str, Any], **spec: Any) -> Files:
    """A module's declaration."""
    _, name, system = address.split("/")
    return a_document(module_file(address), "Module", name, {"system": system, "source": source, "versions": {}} | spec)


def module_content(folder: str, version: str) -> Files:
    """A module that says which version it is, with one sub-module."""
    return {
        f"{folder}/main.tf": f'output "version" {{\n  value = "{version}"\n}}\n',
        f"{folder}/README.md": f"# Version {version}\n",
        f"{folder}/modules/inner/main.tf": f'output "version" {{\n  value = "inner {version}"\n}}\n',
    }


def content_folder(address: str, version: str) -> str:
    return f"content/{address}/{version}"


def a_catalog_module(address: str, *versions: str, rules: Mapping[str, Any] | None = None, **spec: Any) -> Files:
    """A module whose versions are folders of the catalog. `rules` are more of `versions`: yanked, blocked, …"""
    pins = [{"version": version, "path": content_folder(address, version)} for version in versions]
    files = a_module(address, {"type": "catalog"}, versions={"pins": pins} | dict(rules or {}), **spec)
    for version in versions:
        files |= module_content(content_folder(address, version), version)
    return files


def a_key(signer: Signer, namespace: str = "acme") -> Files:
    declared = signer.declared()
    spec = {"type": "pgp", "fingerprint": declared.fingerprint, "publicKey": declared.public_key}
    return a_document(f"namespaces/{namespace}/keys/{signer.name}.yaml", "SigningKey", signer.name, spec)


def a_catalog_provider(
    address: str, releases: Iterable[AReleaseFolder], *, rules: Mapping[str, Any] | None = None, **spec: Any
) -> Files:
    """A provider whose release files lie in the catalog, with the keys that signed them."""
    namespace, name = address.split("/")
    releases = tuple(releases)
    signers = {release.signer.name: release.signer for release in releases}
    pins = [{"version": item.version, "path": content_folder(address, item.version)} for item in releases]
    values = {
        "source": {"type": "catalog"},
        "verify": {"keys": sorted(signers), "required": True},
        "versions": {"pins": pins} | dict(rules or {}),
    }
    files = a_document(provider_file(address), "Provider", name, values | spec)
    for signer in signers.values():
        files |= a_key(signer, namespace)
    for item in releases:
        files |= {f"{content_folder(address, item.version)}/{name}": data for name, data in item.files.items()}
    return files


def a_catalog(path: Path, *parts: Files) -> Path:
    """A repository whose first commit declares a registry, the namespace `acme`, and these."""
    repository = a_repository(path)
    files = a_registry() | a_namespace()
    for part in parts:
        files |= part
    commit(repository, files)
    return repository
