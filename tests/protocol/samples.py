"""A small registry with one of everything that the protocols tell apart."""

from dataclasses import replace
from typing import Any

from gitopsreg.index.model import (
    ModulePackage,
    Namespace,
    Package,
    ProviderBuild,
    ProviderPackage,
    ProviderVersion,
    PublicKey,
    Root,
    Snapshot,
)
from gitopsreg.model.address import ModuleAddress, PackageAddress, Platform
from gitopsreg.model.digest import Sha256
from gitopsreg.model.version import Version
from tests.builders import HELLO, a_blob, a_module, a_module_version, an_origin

OLD = ModuleAddress("platform", "old", "aws")
ARMOR = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDME\n-----END PGP PUBLIC KEY BLOCK-----\n"
NAMESPACE = Namespace(name="platform", aliases=("infra",))
EXPIRES = "expires=1790000000&signature=5151"


def plain_link(digest: Sha256, filename: str) -> str:
    """A link whose signature is readable."""
    return f"/artifacts/{digest.hex}/{filename}?{EXPIRES}"


def a_build(platform: str = "linux_amd64", data: bytes | None = None) -> ProviderBuild:
    return ProviderBuild(
        platform=Platform.parse(platform),
        filename=f"terraform-provider-hello_1.0.0_{platform}.zip",
        zip=a_blob(data if data is not None else platform.encode()),
        h1="h1:2VXq1JCX9PUuyMTCSjeY4pBiXCdqcSVLmhAIvAkLUwU=",
    )


def a_provider_version(text: str = "1.0.0", **changes: Any) -> ProviderVersion:
    values: dict[str, Any] = dict(
        version=Version.parse(text),
        published="2026-01-01T00:00:00Z",
        origin=an_origin(),
        protocols=("5.0", "6.0"),
        builds=(a_build("darwin_arm64"), a_build("linux_amd64")),
        checksums=a_blob(b"sums of " + text.encode()),
        checksums_filename=f"terraform-provider-hello_{text}_SHA256SUMS",
        signature=a_blob(b"signature of " + text.encode()),
        keys=(PublicKey(key_id="51852D87348FFC4C", armor=ARMOR),),
    )
    return ProviderVersion(**(values | changes))


def a_provider(*versions: ProviderVersion, **changes: Any) -> ProviderPackage:
    return ProviderPackage(address=HELLO, versions=versions or (a_provider_version(),), **changes)


def vpc() -> ModulePackage:
    """Every listing state, a yank, a pre-release and build metadata."""
    listings = (
        a_module_version("1.0.0"),
        a_module_version("1.1.0", yanked="wrong route table"),
        a_module_version("1.2.0", yanked="worse", listing="hidden"),
        a_module_version("1.3.0", listing="archived"),
        a_module_version("1.4.0", listing="blocked", blocked="leaked credential"),
        a_module_version("2.0.0+build.5"),
        a_module_version("2.1.0-beta1"),
    )
    return replace(a_module(), versions=listings)


def old() -> ModulePackage:
    return a_module("1.0.0", address=OLD, archived="2026-02-01T00:00:00Z")


def a_snapshot(*packages: Package, hostname: str | None = None) -> Snapshot:
    chosen = packages or (vpc(), old(), a_provider())
    loaded: dict[PackageAddress, Package] = {package.address: package for package in chosen}
    root = Root(
        revision="main@sha1:" + "a" * 40,
        time="2026-01-01T00:00:00Z",
        packages=len(loaded),
        shards=(),
        hostname=hostname,
        namespaces=(NAMESPACE,),
    )
    return Snapshot(digest=Sha256.of(b"snapshot"), root=root, packages=loaded)
