"""The text of new declarations: formatted, with modeline and comments, as an author would write it. Writes no file."""

import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass

from gitopsreg.catalog.modeline import line_for
from gitopsreg.catalog.owners import Owner
from gitopsreg.catalog.scalar import classify
from gitopsreg.catalog.schema import API_VERSION
from gitopsreg.model.address import ModuleAddress, Platform, ProviderAddress
from gitopsreg.model.version import Version

# Plain wherever YAML stands, also between braces: no ": ", no " #", no indicator in front.
_PLAIN = re.compile(r"[0-9A-Za-z/](?:[0-9A-Za-z ._/+@-]*[0-9A-Za-z._/+-])?")
_PLAIN_URL = re.compile(
    r"(?:[a-z]+://|[0-9A-Za-z._-]+@[0-9A-Za-z.-]+:)[0-9A-Za-z._/~+@-]+(?::[0-9]+/[0-9A-Za-z._/~+-]*)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewModule:
    """A module whose versions are tags; "" for what was not said. `pins` are versions with their commits."""

    address: ModuleAddress
    url: str
    connection: str = ""
    path: str = ""
    tag_prefix: str | None = None
    constraint: str = ""
    description: str = ""
    prereleases: bool = False
    pins: tuple[tuple[Version, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProvider:
    """A provider whose releases are folders of the catalog."""

    address: ProviderAddress
    pins: tuple[tuple[Version, str], ...]
    platforms: tuple[Platform, ...]
    keys: tuple[str, ...]
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A public key and what it may vouch for; `note` is for the next reader."""

    namespace: str
    name: str
    fingerprint: str
    armor: str
    status: str = "active"
    note: str = ""
    providers: tuple[str, ...] = ()
    versions: str = ""


def module(new: NewModule) -> str:
    address = new.address
    lines = [
        *head("Module", f"{{name: {value(address.name)}, namespace: {value(address.namespace)}}}"),
        f"  system: {value(address.system)}",
        *_optional("description", new.description),
        "  source:",
        "    type: git",
        f"    url: {value(new.url)}",
        *_optional("connection", new.connection, depth=2),
        *_optional("path", new.path, depth=2),
        *([] if new.tag_prefix is None else [f"    tagPrefix: {quoted(new.tag_prefix)}"]),
    ]
    if chosen := _chosen(new):
        lines += ["  versions:", *chosen]
    else:
        lines += [
            "  # Every tag that is a version is published. To publish some of them only:",
            "  # versions:",
            '  #   constraint: ">= 1.0.0, < 2.0.0"',
        ]
    return whole(lines)


def _chosen(new: NewModule) -> list[str]:
    lines = [f"    constraint: {quoted(new.constraint)}"] if new.constraint else []
    lines += ["    prereleases: true"] if new.prereleases else []
    lines += ["    pins:"] if new.pins else []
    return lines + [f"      - {{version: {quoted(version.text)}, commit: {commit}}}" for version, commit in new.pins]


def provider(new: NewProvider) -> str:
    address = new.address
    lines = head("Provider", f"{{name: {value(address.type)}, namespace: {value(address.namespace)}}}")
    lines += _optional("description", new.description)
    lines += ["  source: {type: catalog} # the versions are folders of this repository, listed below"]
    if new.platforms:
        platforms = ", ".join(str(platform) for platform in new.platforms)
        lines += ["  # A version that lacks one of these is not published.", f"  platforms: [{platforms}]"]
    lines += [f"  verify: {{keys: [{', '.join(map(value, new.keys))}], required: true}}", "  versions:", "    pins:"]
    lines += [f"      - {{version: {quoted(version.text)}, path: {value(path)}}}" for version, path in new.pins]
    return whole(lines)


def key(new: NewKey) -> str:
    lines = head(
        "SigningKey",
        f"{{name: {value(new.name)}, namespace: {value(new.namespace)}}}",
        "Compare the fingerprint with the publisher by another way before you merge this.",
    )
    lines += ["  type: pgp", f"  fingerprint: {quoted(new.fingerprint)}"]
    lines += [f"  # {new.note}"] if new.note else []
    lines += [f"  status: {new.status} # retired: still verifies what it signed; revoked: verifies nothing any more"]
    scope = [f"providers: [{', '.join(map(value, new.providers))}]"] if new.providers else []
    scope += [f"versions: {quoted(new.versions)}"] if new.versions else []
    lines += [f"  scope: {{{', '.join(scope)}}}"] if scope else []
    armor = textwrap.indent(new.armor.strip("\n"), "    ")
    return whole([*lines, "  publicKey: |", *(line.rstrip() for line in armor.splitlines())])


def namespace(name: str, *, owners: Iterable[Owner], display_name: str = "") -> str:
    lines = head("Namespace", f"{{name: {value(name)}}}")
    lines += _optional("displayName", display_name)
    return whole([*lines, "  owners: # who reviews changes below this folder", *owner_lines(owners)])


def owner_lines(owners: Iterable[Owner]) -> list[str]:
    return [f"    - {{type: {kind}, name: {value(name)}}}" for kind, name in owners]


def value(text: str) -> str:
    """The text as one YAML scalar: plain where every reader takes that for this very text, else in double quotes."""
    plain = _PLAIN.fullmatch(text) and "  " not in text and classify(text) == text
    return text if plain or _PLAIN_URL.fullmatch(text) else quoted(text)


def quoted(text: str) -> str:
    """In double quotes; what can't be seen is an escape."""
    shown = (f"\\{c}" if c in '"\\' else c if c.isprintable() else f"\\U{ord(c):08x}" for c in text)
    return f'"{"".join(shown)}"'


def head(kind: str, metadata: str, comment: str = "") -> list[str]:
    """The first lines of a declaration, down to its `spec:`."""
    told = [f"# {comment}"] if comment else []
    return [line_for(kind), *told, f"apiVersion: {API_VERSION}", f"kind: {kind}", f"metadata: {metadata}", "spec:"]


def _optional(name: str, text: str, *, depth: int = 1) -> list[str]:
    return [f"{'  ' * depth}{name}: {value(text)}"] if text else []


def whole(lines: Iterable[str]) -> str:
    """A whole file."""
    return "\n".join(lines) + "\n"
