"""The few things of a document that checks across files ask about, drawn out once so that asking again is cheap."""

from dataclasses import dataclass, fields

from gitopsreg.catalog.cursor import Cursor

# A name in the document, and the JSON pointer to it.
Named = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """Where a package comes from; "" for what is not said."""

    type: str = ""
    url: str = ""
    connection: str = ""
    repository: str = ""
    address: str = ""


_OF_SOURCE = {field.name for field in fields(SourceFacts)}
_NOTHING = Cursor(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageFacts:
    """`folders` are pinned paths (sources of type catalog), `keys` names of signing keys."""

    source: SourceFacts
    folders: tuple[Named, ...] = ()
    keys: tuple[Named, ...] = ()
    replacement: Named | None = None
    namespace_at: str = "/metadata"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """One entry of a namespace's allowedSources."""

    url: str = ""
    connection: str = ""
    repositories: tuple[str, ...] | None = None
    catalog: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NamespaceFacts:
    """`allowed` None means anything."""

    aliases: tuple[Named, ...] = ()
    allowed: tuple[Allowed, ...] | None = None


def package_facts(root: Cursor) -> PackageFacts:
    """Every file is asked: where nothing is said, as mostly, nothing is looked for."""
    spec = root / "spec"
    said = spec.value if isinstance(spec.value, dict) else {}
    source = _source(spec / "source")
    replacement = spec / "deprecation" / "replacement" if "deprecation" in said else _NOTHING
    pins = spec / "versions" / "pins" if source.type == "catalog" else ()
    return PackageFacts(
        source=source,
        folders=tuple((path.text, path.pointer) for pin in pins if (path := pin / "path").text),
        keys=_names(spec / "verify" / "keys") if "verify" in said else (),
        replacement=(replacement.text, replacement.pointer) if replacement.text else None,
        namespace_at="/metadata/namespace" if (root / "metadata" / "namespace").present else "/metadata",
    )


def _source(source: Cursor) -> SourceFacts:
    said = source.value if isinstance(source.value, dict) else ()
    return SourceFacts(**{name: (source / name).text for name in said if name in _OF_SOURCE})


def namespace_facts(root: Cursor) -> NamespaceFacts:
    spec = root / "spec"
    allowed = spec / "allowedSources"
    return NamespaceFacts(
        aliases=_names(spec / "aliases"),
        allowed=tuple(_allowed(entry) for entry in allowed) if allowed.present else None,
    )


def _allowed(entry: Cursor) -> Allowed:
    repositories = entry / "repositories"
    return Allowed(
        url=(entry / "url").text,
        connection=(entry / "connection").text,
        repositories=tuple(item.text for item in repositories) if repositories.present else None,
        catalog=(entry / "catalog").value is True,
    )


def _names(items: Cursor) -> tuple[Named, ...]:
    return tuple((item.text, item.pointer) for item in items if item.text)
