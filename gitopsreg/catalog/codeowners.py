"""CODEOWNERS from what the catalog says of its owners. Pure: reads and writes no file, asks no forge.

The last line that fits a path counts, so the admins' lines stand last: nobody widens his own rights without their word.
Whatever no other line names is the admins' too.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from gitopsreg.catalog.owners import Style, handles
from gitopsreg.errors import ConfigError
from gitopsreg.model.catalog import Catalog, NamespaceDeclaration
from gitopsreg.model.declaration import CatalogSource, PackageDeclaration

PLACES: dict[Style, str] = {"github": ".github/CODEOWNERS", "gitlab": ".gitlab/CODEOWNERS"}
# GitHub passes over a larger file, and then asks nobody at all.
MAX_BYTES = 3_000_000
HEADER = "# Made by `gitopsreg codeowners --write` from the owners that the catalog declares. Do not edit."
_FORGE_NAMES: dict[Style, str] = {"github": "GitHub", "gitlab": "GitLab"}
_FORGE_FILES: dict[Style, tuple[str, ...]] = {"github": ("/.github/",), "gitlab": ("/.gitlab/", "/.gitlab-ci.yml")}
# What decides about the registry as a whole, and who owns what.
_ADMINS = (
    "registry.yaml", "alerts/", "connections/", "mirrors/", "policies/", "storage/", "namespaces/*/namespace.yaml",
)  # fmt: skip
# Other characters mean something in a pattern of CODEOWNERS.
_PLAIN = re.compile(r"[0-9A-Za-z_][0-9A-Za-z._/-]*")
_DECLARING = {"namespaces", *(path.rstrip("/") for path in _ADMINS)}


def codeowners(catalog: Catalog, *, style: Style, prefix: str = "") -> str:
    """The whole file. `prefix` is the catalog's folder in the repository, "" or "registry/".

    Owners whose names are no legal ones are left out (they are findings); a namespace whom nobody is left to review
    falls to the admins. Raises ConfigError when the forge would refuse the file.
    """
    admins = " ".join(handles(catalog.registry.admins, style))
    lines = [HEADER, "# The last line that fits a path counts.", ""]
    if admins:
        lines += [f"* {admins}", ""]
    else:
        lines += [
            f"# registry.yaml names no admins that {_FORGE_NAMES[style]} knows: nobody guards what is not below.",
            "",
        ]
    lines += _content(catalog, style, prefix)
    for namespace in sorted(catalog.namespaces, key=lambda one: one.name):
        lines += _namespace(namespace, style, prefix, admins)
    if admins:
        lines += ["", "# What concerns everybody: last, so that nobody else can be its owner."]
        lines += [f"/{prefix}{path} {admins}" for path in _ADMINS]
        lines += [f"{path} {admins}" for path in _FORGE_FILES[style]]
    text = "\n".join(lines) + "\n"
    if len(text.encode()) >= MAX_BYTES:
        raise ConfigError(
            f"CODEOWNERS would have {len(text.encode())} bytes, and GitHub ignores one of {MAX_BYTES} or more: "
            "split the catalog, or name fewer owners"
        )
    return text


def _namespace(namespace: NamespaceDeclaration, style: Style, prefix: str, admins: str) -> Iterator[str]:
    owners = " ".join(handles(namespace.owners, style))
    if not owners:
        who = "the admins review it" if admins else "nobody reviews it"
        yield f"# {namespace.name}: none of its owners is one that {_FORGE_NAMES[style]} can ask, so {who}."
    if owners or admins:
        yield f"/{prefix}namespaces/{namespace.name}/ {owners or admins}"


def _content(catalog: Catalog, style: Style, prefix: str) -> list[str]:
    """The folders that hold one namespace's own versions are its owners' too, so that they can publish the next."""
    owners = {one.name: " ".join(handles(one.owners, style)) for one in catalog.namespaces}
    lines = []
    for folder, namespaces in sorted(_folders(catalog.packages).items()):
        who = owners.get(next(iter(namespaces)), "") if len(namespaces) == 1 else ""
        lines += [f"/{prefix}{folder}/ {who}"] if who else []
    return [*lines, ""] if lines else []


def _folders(packages: Iterable[PackageDeclaration]) -> dict[str, set[str]]:
    """Folders in which packages keep their versions, with the namespaces of those packages."""
    found: dict[str, set[str]] = defaultdict(set)
    for package in packages:
        paths = (pin.path for pin in package.versions.pins if pin.path) if _is_catalog(package) else ()
        for folder in {path.strip("/").rpartition("/")[0] for path in paths}:
            if _PLAIN.fullmatch(folder) and "/" in folder and folder.partition("/")[0] not in _DECLARING:
                found[folder].add(package.address.namespace)
    return found


def _is_catalog(package: PackageDeclaration) -> bool:
    return isinstance(package.source, CatalogSource)
