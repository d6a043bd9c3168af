"""The provider registry protocol: the list of versions, and all that one platform's install needs. Pure."""

from gitopsreg.index.model import ProviderBuild, ProviderPackage, ProviderVersion
from gitopsreg.protocol.document import Document
from gitopsreg.protocol.links import Link
from gitopsreg.protocol.lookup import listed_provider_versions
from gitopsreg.protocol.notices import deprecation_notice, yank_notice


def versions(package: ProviderPackage) -> Document:
    """`GET …/versions`; raises NotPublished when archived. Clients show `warnings` on every init."""
    listed = listed_provider_versions(package)
    document: Document = {"versions": [_version(version) for version in listed]}
    warnings = [deprecation_notice(package.deprecation)] if package.deprecation else []
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
        "download_url": base + link(build.zip.sha256, build.filename),
        "shasums_url": base + link(version.checksums.sha256, version.checksums_filename),
        "shasums_signature_url": base + link(version.signature.sha256, f"{version.checksums_filename}.sig"),
        "shasum": build.zip.sha256.hex,
        "signing_keys": {"gpg_public_keys": _keys(version)},
    }
    if _distinct(version):
        document["packages"] = {str(each.platform): _package(each) for each in version.builds}
    return document


def _keys(version: ProviderVersion) -> list[Document]:
    """One entry a key: of several blocks in one string clients read only the first."""
    return [{"key_id": key.key_id, "ascii_armor": key.armor, "trust_signature": ""} for key in version.keys]


def _distinct(version: ProviderVersion) -> bool:
    """OpenTofu 1.12 panics at random when two platforms share a zip's digest, and refuses sizes below one."""
    digests = {build.zip.sha256 for build in version.builds}
    return len(digests) == len(version.builds) and all(build.zip.size > 0 for build in version.builds)


def _package(build: ProviderBuild) -> Document:
    return {"hashes": [build.zip.sha256.zh, build.h1], "package_size": build.zip.size}
