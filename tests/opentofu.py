"""Registries in Git, laid out like opentofu/registry, for tests."""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.releases import AReleaseFolder
from tests.repositories import a_repository, commit

Files = Mapping[str, str | bytes]


def a_registry(folder: Path, files: Files) -> Path:
    """A repository with these files, committed."""
    repository = a_repository(folder)
    commit(repository, files)
    return repository


def module_file(address: str, *versions: str | Mapping[str, Any]) -> dict[str, str | bytes]:
    """`Azure/aks/azurerm`; a version is a tag, or all that its entry holds."""
    entries = [{"version": one} if isinstance(one, str) else dict(one) for one in versions]
    return {f"modules/{address[0].lower()}/{address}.json": json.dumps({"versions": entries})}


def provider_file(address: str, *versions: Mapping[str, Any], warnings: Iterable[str] = ()) -> dict[str, str | bytes]:
    document: dict[str, Any] = {"versions": list(versions)} | ({"warnings": list(warnings)} if warnings else {})
    return {f"providers/{address[0].lower()}/{address}.json": json.dumps(document)}


def provider_entry(
    version: str,
    *,
    platforms: Iterable[str] = ("linux_amd64", "darwin_arm64"),
    base: str = "https://releases.example.com",
    type: str = "hello",  # noqa: A002 - as the address calls it
    **changes: Any,
) -> dict[str, Any]:
    """One version as the files have it; digests follow from the names."""
    prefix = f"terraform-provider-{type}_{version}"
    entry = {
        "version": version,
        "protocols": ["5.0"],
        "shasums_url": f"{base}/v{version}/{prefix}_SHA256SUMS",
        "shasums_signature_url": f"{base}/v{version}/{prefix}_SHA256SUMS.sig",
        "targets": [a_target(f"{prefix}_{platform}.zip", platform, f"{base}/v{version}") for platform in platforms],
    }
    return entry | changes


def release_entry(release: AReleaseFolder, base: str, **changes: Any) -> dict[str, Any]:
    """What the files have of a release whose files lie right below `base`."""
    prefix = f"{base}/{release.prefix}"
    targets = [
        a_target(name, platform, base, shasum=sha256(release.files[name]).hexdigest())
        for platform in release.platforms
        for name in (release.zip_name(platform),)
    ]
    entry = {
        "version": release.version,
        "protocols": list(release.protocols or ["5.0"]),
        "shasums_url": f"{prefix}SHA256SUMS",
        "shasums_signature_url": f"{prefix}SHA256SUMS.sig",
        "targets": targets,
    }
    return entry | changes


def a_target(filename: str, platform: str, base: str, **changes: Any) -> dict[str, Any]:
    os, _, arch = platform.partition("_")
    shasum = sha256(filename.encode()).hexdigest()
    target = {"os": os, "arch": arch, "filename": filename, "download_url": f"{base}/{filename}", "shasum": shasum}
    return target | changes


def key_file(path: str, armor: str) -> dict[str, str | bytes]:
    """`acme/provider.asc`, or `acme/hello/provider.asc` for one provider's own."""
    return {f"keys/{path[0].lower()}/{path}": armor}
