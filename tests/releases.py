"""Provider releases for tests: whole ones, and each thing about them that can be broken."""

import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import pysequoia

from gitopsreg.model.address import ProviderAddress
from gitopsreg.model.declaration import CatalogSource, Pin, ProviderDeclaration, SigningKey, VersionRules
from gitopsreg.model.digest import Sha256
from gitopsreg.model.version import Version
from gitopsreg.upstream.provider_release import ReleaseFile

PLATFORMS = ("darwin_arm64", "linux_amd64", "windows_amd64")


@dataclass(frozen=True)
class Signer:
    """A private key, and how the catalog would declare its public half."""

    name: str
    secret: pysequoia.Tsk

    @property
    def public(self) -> pysequoia.Cert:
        return self.secret.extract_certificate()

    @property
    def key_id(self) -> str:
        return self.public.fingerprint[-16:].upper()

    def sign(self, data: bytes, *, armor: bool = False) -> bytes:
        return pysequoia.sign(self.secret.signer(), data, mode=pysequoia.SignatureMode.DETACHED, armor=armor)

    def declared(self) -> SigningKey:
        return SigningKey(
            namespace="acme", name=self.name, fingerprint=self.public.fingerprint.upper(), public_key=str(self.public)
        )

    def revoked_by_owner(self) -> str:
        """The public key with its own revocation."""
        revocation = bytes(self.public.revoke(self.secret.certifier()))
        return str(pysequoia.Cert.from_bytes(bytes(self.public) + revocation))


@lru_cache
def a_signer(name: str = "release") -> Signer:
    """An Ed25519 key; the same for the same name within one test run."""
    return Signer(name, pysequoia.Tsk.generate(f"{name} <{name}@example.com>"))


def an_entry(name: str, *, mode: int = 0o100644) -> zipfile.ZipInfo:
    """What a Unix zip says about one file; `mode` holds the kind of file too."""
    entry = zipfile.ZipInfo(name, (2026, 10, 1, 12, 0, 0))
    entry.create_system = 3
    entry.external_attr = mode << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def a_zip(entries: Iterable[tuple[zipfile.ZipInfo | str, bytes]]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for entry, content in entries:
            archive.writestr(an_entry(entry) if isinstance(entry, str) else entry, content)
    return data.getvalue()


def a_provider_zip(platform: str, *, provider_type: str = "hello", version: str = "1.0.0", salt: str = "") -> bytes:
    """One platform's build, different from every other platform's."""
    end = ".exe" if platform.startswith("windows_") else ""
    executable = an_entry(f"terraform-provider-{provider_type}_v{version}{end}", mode=0o100755)
    return a_zip([(executable, f"#!/bin/sh\n# {platform} {salt}\n".encode()), ("README.md", b"Hello.\n")])


@dataclass
class AReleaseFolder:
    """A release as a folder of files. Change `files` (and `seal` it again, or not) to break it."""

    version: str = "1.0.0"
    provider_type: str = "hello"
    platforms: tuple[str, ...] = PLATFORMS
    signer: Signer = field(default_factory=a_signer)
    protocols: tuple[object, ...] | None = ("5.0",)
    files: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for platform in self.platforms:
            self.files[self.zip_name(platform)] = a_provider_zip(
                platform, provider_type=self.provider_type, version=self.version
            )
        if self.protocols is not None:
            self.manifest({"version": 1, "metadata": {"protocol_versions": list(self.protocols)}})
        self.seal()

    @property
    def prefix(self) -> str:
        return f"terraform-provider-{self.provider_type}_{self.version}_"

    @property
    def sums_name(self) -> str:
        return f"{self.prefix}SHA256SUMS"

    @property
    def signature_name(self) -> str:
        return f"{self.sums_name}.sig"

    @property
    def manifest_name(self) -> str:
        return f"{self.prefix}manifest.json"

    def zip_name(self, platform: str = "linux_amd64") -> str:
        return f"{self.prefix}{platform}.zip"

    def manifest(self, document: object) -> None:
        text = document if isinstance(document, str) else json.dumps(document)
        self.files[self.manifest_name] = text.encode()

    def sums(self) -> bytes:
        listed = {name: data for name, data in self.files.items() if "SHA256SUMS" not in name}
        return b"".join(f"{sha256(listed[name]).hexdigest()}  {name}\n".encode() for name in sorted(listed))

    def seal(self, sums: bytes | None = None) -> None:
        """SHA256SUMS (of all files, or as given) and its signature."""
        self.files[self.sums_name] = self.sums() if sums is None else sums
        self.files[self.signature_name] = self.signer.sign(self.files[self.sums_name])

    def release_files(self) -> dict[str, ReleaseFile]:
        return release_files(self.files)


def release_files(files: Mapping[str, bytes]) -> dict[str, ReleaseFile]:
    """Files in memory, handed out in small pieces as a network would."""

    def one(name: str, data: bytes) -> ReleaseFile:
        pieces = [data[at : at + 100] for at in range(0, len(data), 100)]
        return ReleaseFile(name=name, size=len(data), open=lambda: iter(pieces))

    return {name: one(name, data) for name, data in files.items()}


def a_provider_declaration(
    *, keys: tuple[SigningKey, ...] | None = None, pins: tuple[Pin, ...] = (), provider_type: str = "hello"
) -> ProviderDeclaration:
    """`acme/hello` from the catalog, vouched for by `a_signer()`; use dataclasses.replace for the rest."""
    return ProviderDeclaration(
        path=f"namespaces/acme/providers/{provider_type}.yaml",
        source=CatalogSource(),
        versions=VersionRules(pins=pins),
        spec_digest=Sha256.of(b"spec"),
        address=ProviderAddress("acme", provider_type),
        keys=(a_signer().declared(),) if keys is None else keys,
    )


def a_pin(version: str = "1.0.0", *, path: str | None = None, sha256: Sha256 | None = None) -> Pin:
    return Pin(version=Version.parse(version), path=path, sha256=sha256)


def open_files() -> set[tuple[str, str]]:
    """The files that this process holds open: equal before and after when nothing leaked. Sockets may be others'."""
    found = set()
    for entry in Path("/dev/fd").iterdir():
        with suppress(OSError):
            if (target := str(entry.readlink())).startswith("/") and not target.startswith(("/proc/", "/dev/")):
                found.add((entry.name, target))
    return found
