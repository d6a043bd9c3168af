"""One-line values for tests."""

from typing import Any

from gitopsreg.index.model import Blob, Content, ModulePackage, ModuleVersion, Origin
from gitopsreg.model.address import ModuleAddress, ProviderAddress
from gitopsreg.model.constraint import Constraint
from gitopsreg.model.declaration import (
    Block,
    CatalogSource,
    GitSource,
    ModuleDeclaration,
    ProviderDeclaration,
    VersionRules,
    Yank,
)
from gitopsreg.model.digest import Sha256
from gitopsreg.model.version import Version
from gitopsreg.upstream.base import Discovery, Found, Skipped

VPC = ModuleAddress("platform", "vpc", "aws")
HELLO = ProviderAddress("platform", "hello")
GIT_URL = "https://git.example.com/acme/vpc.git"


def a_blob(data: bytes = b"bytes") -> Blob:
    return Blob(Sha256.of(data), len(data))


def stored(content: Content) -> Blob:
    """Content that is known to be here."""
    assert isinstance(content, Blob)
    return content


def an_origin(commit: str = "c" * 40, tree: str = "7" * 40, ref: str = "v1.0.0") -> Origin:
    return Origin(url=GIT_URL, ref=ref, commit=commit, tree=tree)


def commit_of(text: str) -> str:
    """A commit id that only the text decides."""
    return Sha256.of(text.encode()).hex[:40]


def a_module_version(text: str = "1.0.0", **changes: Any) -> ModuleVersion:
    values: dict[str, Any] = dict(
        version=Version.parse(text),
        published="2026-01-01T00:00:00Z",
        origin=an_origin(commit=commit_of(text), ref=f"v{text}"),
        archive=a_blob(text.encode()),
    )
    return ModuleVersion(**(values | changes))


def a_module(*versions: str, address: ModuleAddress = VPC, **changes: Any) -> ModulePackage:
    records = tuple(sorted((a_module_version(text) for text in versions), key=lambda record: record.version))
    return ModulePackage(address=address, versions=records, source=GIT_URL, **changes)


def found(text: str, **changes: Any) -> Found:
    values: dict[str, Any] = dict(version=Version.parse(text), ref=f"v{text}", commit=commit_of(text))
    return Found(**(values | changes))


def discovered(*versions: str, skipped: tuple[Skipped, ...] = ()) -> Discovery:
    state = Sha256.of(" ".join(sorted(versions)).encode())
    return Discovery(found=tuple(found(text) for text in versions), skipped=skipped, state=state)


def rules(constraint: str | None = None, **changes: Any) -> VersionRules:
    return VersionRules(constraint=Constraint.parse(constraint) if constraint else None, **changes)


def yank(text: str, visibility: Any = "listed") -> Yank:
    return Yank(version=Version.parse(text), reason="wrong route table", visibility=visibility)


def block(text: str) -> Block:
    return Block(versions=Constraint.parse(text), reason="leaked credential")


def a_module_declaration(address: ModuleAddress = VPC, **changes: Any) -> ModuleDeclaration:
    values: dict[str, Any] = dict(
        address=address,
        path=f"namespaces/{address.namespace}/modules/{address.name}/{address.system}.yaml",
        source=GitSource(url=GIT_URL),
        versions=VersionRules(),
    )
    values |= changes
    return ModuleDeclaration(spec_digest=Sha256.of(repr(values).encode()), **values)


def a_provider_declaration(address: ProviderAddress = HELLO, **changes: Any) -> ProviderDeclaration:
    values: dict[str, Any] = dict(
        address=address,
        path=f"namespaces/{address.namespace}/providers/{address.type}.yaml",
        source=CatalogSource(),
        versions=VersionRules(),
    )
    values |= changes
    return ProviderDeclaration(spec_digest=Sha256.of(repr(values).encode()), **values)
