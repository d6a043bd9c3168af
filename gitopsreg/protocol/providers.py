"""The provider registry protocol: the list of versions, and all that one platform's install needs. Pure."""

from gitopsreg.index.model import Blob, ProviderBuild, ProviderPackage, ProviderVersion
from gitopsreg.protocol.document import Document
from gitopsreg.protocol.links import Link, url_of
from gitopsreg.protocol.lookup import listed_provider_versions
from gitopsreg.protocol.notices import deprecation_notice, yank_notice


def versions(package: ProviderPackage) -> Document:
    """`GET …/versions`; raises NotPublished when archived. Clients show `warnings` on every init."""
    listed = listed_provider_versions(package)
    document: Document = {"versions": [_version(version) for version in listed]}
    warnings = [deprecation_notice(package.deprecation)] if package.deprecation else []
    warnings += package.warnings
    warnings += [yank_notice(version) for version in listed if version.yanked is not None]
    if warnings:
        document["warnings"] = warnings
    return document


def _version(version: ProviderVersion) -> Document:
    platforms = [{"os": build.platform.os, "arch": build.platform.arch} for build in version.builds]
    return {"version": version.version.text, "protocols": list(version.protocols), "platforms": platforms}


def download(version: ProviderVersion, build: ProviderBuild, link: Link, base: str) -> Document:
    """`GET …/download/OS/ARCH`. `base` is our own origin: bots that refresh lock files read absolute URLs only."""
    document: Document = {
        "protocols": list(version.protocols),
        "os": build.platform.os,
        "arch": build.platform.arch,
        "filename": build.filename,
        "download_url": url_of(build.zip, build.filename, link, base),
        "shasums_url": url_of(version.checksums, version.checksums_filename, link, base),
        "shasums_signature_url": url_of(version.signature, f"{version.checksums_filename}.sig", link, base),
        "shasum": build.zip.sha256.hex if build.zip.sha256 else "",
        "signing_keys": {"gpg_public_keys": _keys(version)},
    }
    packages = _packages(version)
    if packages:
        document["packages"] = packages
    return document


def _keys(version: ProviderVersion) -> list[Document]:
    """One entry a key: of several blocks in one string clients read only the first."""
    return [{"key_id": key.key_id, "ascii_armor": key.armor, "trust_signature": ""} for key in version.keys]


def _packages(version: ProviderVersion) -> Document:
    """Every platform's hashes, where all zips are stored and differ.

    OpenTofu 1.12 panics at random when two platforms share a zip's digest, and refuses sizes below one.
    """
    stored = [(build, build.zip) for build in version.builds if isinstance(build.zip, Blob) and build.zip.size > 0]
    if len({blob.sha256 for _, blob in stored}) != len(version.builds):
        return {}
    return {
        str(build.platform): {"hashes": [blob.sha256.zh, build.h1], "package_size": blob.size} for build, blob in stored
    }
