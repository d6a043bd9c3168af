"""Checked documents to frozen declarations. What comes here has passed every check; nothing is looked up or guessed."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from gitopsreg.catalog.defaults import Spec, digest, effective
from gitopsreg.catalog.delivery import can_be_referred_to
from gitopsreg.catalog.discovery import KINDS, name_pattern
from gitopsreg.catalog.duration import parse_duration
from gitopsreg.model.address import ModuleAddress, PackageAddress, Platform, ProviderAddress
from gitopsreg.model.catalog import Guards, NamespaceDeclaration, RegistryDeclaration, Retention
from gitopsreg.model.constraint import Constraint, Reading
from gitopsreg.model.declaration import (
    Block,
    CatalogSource,
    Deprecation,
    DiscoveryDeclaration,
    GitSource,
    ModuleDeclaration,
    OpentofuGitSource,
    PackageDeclaration,
    Pin,
    ProviderDeclaration,
    SigningKey,
    Source,
    StorageClass,
    UnsupportedSource,
    VersionRules,
    Yank,
)
from gitopsreg.model.digest import Sha256
from gitopsreg.model.pattern import Pattern
from gitopsreg.model.version import Version

# Of what templates are, which are nobody's: legal in every namespace.
_NOBODY: Mapping[str, PackageAddress] = {
    "Module": ModuleAddress("found", "found", "found"),
    "Provider": ProviderAddress("found", "found"),
}


def registry(document: Spec) -> RegistryDeclaration:
    spec = document["spec"]
    guards, built_in = spec.get("guards", {}), Guards()
    return RegistryDeclaration(
        hostname=spec.get("hostname"),
        admins=tuple((admin["type"], admin["name"]) for admin in spec.get("admins", ())),
        guards=Guards(
            max_removed_packages=guards.get("maxRemovedPackages", built_in.max_removed_packages),
            max_removed_percent=guards.get("maxRemovedPercent", built_in.max_removed_percent),
            allow_empty=guards.get("allowEmpty", built_in.allow_empty),
        ),
        suspend=spec.get("suspend", False),
        archive_for=_archive_for(spec.get("defaults", {})),
    )


def _archive_for(defaults: Spec) -> timedelta | None:
    written = (defaults.get("retention") or {}).get("archiveFor")
    return parse_duration(written) if written else None


def storage_class(name: str, document: Spec) -> StorageClass:
    spec = document["spec"]
    return StorageClass(
        name=name,
        backend="" if spec["backend"] == "primary" else spec["backend"],
        folder=spec.get("prefix", "artifacts/").strip("/"),
        serve=spec.get("serve", "redirect"),
        link_lifetime=parse_duration(spec.get("redirectTTL", "10m")),
        archive_format=spec.get("archiveFormat", "tar.gz"),
    )


def retention(document: Spec) -> Retention:
    """What one storage class says of it."""
    written, usual = document["spec"].get("gc", {}), Retention()
    grace = written.get("graceAfterUnreferenced")
    return Retention(
        snapshots=written.get("keepSnapshots", usual.snapshots), grace=parse_duration(grace) if grace else usual.grace
    )


def namespace(name: str, document: Spec) -> NamespaceDeclaration:
    spec = document["spec"]
    return NamespaceDeclaration(
        name=name,
        display_name=spec.get("displayName", ""),
        owners=tuple((owner["type"], owner["name"]) for owner in spec.get("owners", ())),
        aliases=tuple(spec.get("aliases", ())),
    )


def signing_key(namespace: str, name: str, document: Spec) -> SigningKey:
    spec = document["spec"]
    scope = spec.get("scope", {})
    return SigningKey(
        namespace=namespace,
        name=name,
        fingerprint=spec["fingerprint"].upper(),
        public_key=spec["publicKey"],
        status=spec.get("status", "active"),
        providers=tuple(scope.get("providers", ())),
        versions=Constraint.parse(scope["versions"], "provider") if "versions" in scope else None,
    )


def package(
    address: PackageAddress,
    path: str,
    document: Spec,
    inherited: Iterable[Spec],
    keys: tuple[SigningKey, ...],
    classes: Mapping[str, StorageClass],
) -> PackageDeclaration:
    """`inherited` are the defaults of registry and namespace, in this order; `keys` those that verify.keys names;
    `classes` the storage classes by name.
    """
    spec = effective([*inherited, document["spec"]])
    storage = classes.get(spec.get("storageClass", ""))
    if isinstance(address, ModuleAddress):
        usual = storage.archive_format if storage else "tar.gz"
        return ModuleDeclaration(
            address=address,
            archive_format=spec.get("archiveFormat", usual),
            **_shared(path, document, spec, "module", storage),
        )
    return _provider(address, path, document, spec, keys, storage)


def discovery(
    place: tuple[str, str, str],
    document: Spec,
    connection: Spec,
    inherited: Iterable[Spec],
    keys: tuple[SigningKey, ...],
    classes: Mapping[str, StorageClass],
) -> DiscoveryDeclaration:
    """`place` is its namespace, name and path, `connection` the document that its scope names; for the rest see
    `package`.
    """
    namespace, name, path = place
    spec, url = document["spec"], connection["spec"]["url"]
    scope, pattern = spec["scope"], spec.get("match", {}).get("name")
    found = {"metadata": {}, "spec": {**spec.get("template", {}), "source": {"type": "opentofu-git", "url": url}}}
    layers, kinds = tuple(inherited), scope.get("kinds", KINDS)
    return DiscoveryDeclaration(
        namespace=namespace,
        name=name,
        path=path,
        url=url,
        namespaces=tuple(dict.fromkeys(text.lower() for text in scope["namespaces"])),
        templates=tuple(package(_NOBODY[kind], path, found, layers, keys, classes) for kind in KINDS if kind in kinds),
        pattern=name_pattern(pattern) if pattern else None,
        approval=spec.get("approval", "pending"),
        max_packages=spec.get("maxPackages", 200),
        on_disappear=spec.get("onDisappear", "keep"),
        interval=parse_duration(spec.get("interval", "1h")),
        suspended_by=_suspended_by(path, document)
        or _suspended_by(f"connections/{scope['registry']}.yaml", connection),
    )


def _suspended_by(what: str, document: Spec) -> str:
    return f"suspend: true in {what}" if document["spec"].get("suspend", False) else ""


def _provider(
    address: ProviderAddress,
    path: str,
    document: Spec,
    spec: dict[str, Any],
    keys: tuple[SigningKey, ...],
    storage: StorageClass | None,
) -> ProviderDeclaration:
    # A key that changed changes every provider it vouches for: its content is part of the digest.
    trusted = [
        [key.name, key.fingerprint, key.public_key, key.status, key.providers, _text(key.versions)] for key in keys
    ]
    return ProviderDeclaration(
        address=address,
        protocols=tuple(spec.get("protocols", ("5.0",))),
        platforms=tuple(Platform.parse(text) for text in spec.get("platforms", ())),
        completeness=spec.get("completeness", "all-in-checksums"),
        keys=keys,
        **_shared(path, document, spec, "provider", storage, trusted),
    )


def _text(constraint: Constraint | None) -> str | None:
    return constraint.text if constraint else None


def _shared(
    path: str,
    document: Spec,
    spec: dict[str, Any],
    reading: Reading,
    storage: StorageClass | None,
    trusted: Any = None,
) -> dict[str, Any]:
    deprecation = spec.get("deprecation")
    # What is not written here and yet decides: without any of it the digest is that of the spec alone.
    beside = [part for part in (trusted, repr(storage) if storage else None) if part is not None]
    return {
        "path": path,
        "source": _source(spec["source"]),
        "versions": _versions(spec["versions"], reading),
        "spec_digest": digest([spec, *beside] if beside else spec),
        "description": spec.get("description", ""),
        "labels": tuple(sorted(document["metadata"].get("labels", {}).items())),
        "deprecation": Deprecation(**deprecation) if deprecation else None,
        "suspend": spec.get("suspend", False),
        "interval": parse_duration(spec["interval"]),
        "timeout": parse_duration(spec["timeout"]),
        "storage": storage,
        "delivery": spec.get("delivery", "store") if can_be_referred_to(reading, spec["source"]["type"]) else "store",
    }


def _source(spec: Spec) -> Source:
    match spec["type"]:
        case "git":
            return GitSource(url=spec["url"], path=spec.get("path", ""), tag_prefix=spec.get("tagPrefix"))
        case "catalog":
            return CatalogSource(path=spec.get("path", ""))
        case "opentofu-git":
            return OpentofuGitSource(url=spec["url"], address=spec.get("address", ""))
        case other:
            return UnsupportedSource(type=other)


def _versions(spec: Spec, reading: Reading) -> VersionRules:
    constraint = spec.get("constraint")
    return VersionRules(
        include=tuple(map(Pattern.parse, spec.get("include", ()))),
        exclude=tuple(map(Pattern.parse, spec.get("exclude", ()))),
        constraint=Constraint.parse(constraint, reading) if constraint else None,
        prereleases=spec["prereleases"],
        blocked=tuple(_block(block, reading) for block in spec.get("blocked", ())),
        keep_latest=spec["keepLatest"],
        pins=tuple(_pin(pin) for pin in spec.get("pins", ())),
        yanked=tuple(_yank(yank) for yank in spec.get("yanked", ())),
    )


def _block(spec: Spec, reading: Reading) -> Block:
    return Block(
        versions=Constraint.parse(spec.get("version") or spec["range"], reading),
        reason=spec["reason"],
        severity=spec.get("severity", "critical"),
    )


def _pin(spec: Spec) -> Pin:
    return Pin(
        version=Version.parse(spec["version"]),
        commit=spec.get("commit"),
        sha256=Sha256.parse(spec["sha256"]) if "sha256" in spec else None,
        path=spec.get("path"),
    )


def _yank(spec: Spec) -> Yank:
    return Yank(
        version=Version.parse(spec["version"]), reason=spec["reason"], visibility=spec.get("visibility", "listed")
    )
