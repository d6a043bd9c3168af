"""Catalogs in memory, and the shortest documents that are right."""

from collections.abc import Mapping
from hashlib import sha256

from gitopsreg.catalog.files import CatalogFile, CatalogFiles, FileMode

HEAD = "apiVersion: gitopsreg.io/v1alpha1\n"
NAMESPACE = HEAD + "kind: Namespace\nmetadata: {name: platform}\nspec: {displayName: Platform}\n"
MODULE = HEAD + (
    "kind: Module\nmetadata: {name: vpc}\nspec:\n  system: aws\n"
    "  source: {type: git, url: https://github.com/acme/vpc.git}\n"
)
PROVIDER = HEAD + (
    "kind: Provider\nmetadata: {name: internal}\nspec:\n  source: {type: catalog}\n  verify: {keys: [release]}\n"
    '  versions: {pins: [{version: "1.0.0", path: content/internal/1.0.0}]}\n'
)
KEY = HEAD + (
    "kind: SigningKey\nmetadata: {name: release}\nspec:\n  fingerprint: 0123456789abcdef0123456789abcdef01234567\n"
    "  publicKey: |\n    -----BEGIN PGP PUBLIC KEY BLOCK-----\n    -----END PGP PUBLIC KEY BLOCK-----\n"
)
CONNECTION = HEAD + "kind: Connection\nmetadata: {name: github}\nspec: {type: github}\n"
AT_CONNECTION = "connections/github.yaml"
AT_NAMESPACE = "namespaces/platform/namespace.yaml"
AT_MODULE = "namespaces/platform/modules/vpc/aws.yaml"
AT_PROVIDER = "namespaces/platform/providers/internal.yaml"
AT_KEY = "namespaces/platform/keys/release.yaml"
WHOLE = {AT_NAMESPACE: NAMESPACE, AT_MODULE: MODULE, AT_PROVIDER: PROVIDER, AT_KEY: KEY}


def a_file(path: str, content: str | bytes, mode: FileMode = "file") -> CatalogFile:
    data = content.encode() if isinstance(content, str) else content
    return CatalogFile(path=path, mode=mode, size=len(data), oid=sha256(data).hexdigest(), read=lambda: data)


def a_catalog(
    files: Mapping[str, str | bytes], *more: CatalogFile, folders: tuple[str, ...] = ("content/internal/1.0.0",)
) -> CatalogFiles:
    made = [a_file(path, content) for path, content in files.items()]
    return CatalogFiles(
        revision="main@sha1:" + "a" * 40,
        time="2026-10-01T12:00:00Z",
        root="",
        files=tuple(sorted([*made, *more], key=lambda file: file.path)),
        has_folder=lambda path: path in folders,
    )


def a_module(spec: str) -> str:
    """MODULE with more lines of spec."""
    return MODULE + "".join(f"  {line}\n" for line in spec.splitlines())
