"""A complete catalog repository to start from: what each of its files says. Pure; writes nothing, asks nobody."""

import re
from dataclasses import dataclass
from importlib.resources import files
from urllib.parse import urlsplit

from gitopsreg.catalog import compose
from gitopsreg.catalog.codeowners import PLACES, codeowners
from gitopsreg.catalog.files import CatalogFile, CatalogFiles
from gitopsreg.catalog.layout import is_declaration
from gitopsreg.catalog.load import Loaded, load
from gitopsreg.catalog.modeline import line_for
from gitopsreg.catalog.owners import Owner, Style
from gitopsreg.errors import CatalogInvalid

# Where hooks and CI find gitopsreg, unless told otherwise.
TOOLS = "https://github.com/gitopsreg/gitopsreg"
_SLOT = re.compile(r"@([A-Z_]+)(?::([A-Za-z]+))?@")

_EVERYWHERE = {
    "registry.yaml": "registry.yaml",
    "namespaces/{namespace}/modules/greeting/generic.yaml": "module.yaml",
    "content/modules/greeting/1.0.0/main.tf": "main.tf",
    "content/modules/greeting/1.0.0/README.md": "module-README.md",
    "README.md": "README.md",
    ".gitattributes": "gitattributes",
    ".pre-commit-config.yaml": "pre-commit-config.yaml",
}
_WORKFLOWS = {
    ".github/workflows/validate.yml": "validate.yml",
    ".github/workflows/plan-comment.yml": "plan-comment.yml",
}
_BRANCH_RULES: dict[Style, str] = {
    "github": (
        "3. Protect the branch `main`: pull requests only, review from code owners, the required check\n"
        "   `gitopsreg / validate`, stale approvals dismissed, no force-push, no deletion."
    ),
    "gitlab": (
        "3. Protect the branch `main`: nobody may push to it, code owners must approve, pipelines must succeed,\n"
        "   no force-push."
    ),
}
_CODEOWNERS_ARGS: dict[Style, str] = {"github": "", "gitlab": "\n        args: [--style, gitlab]"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What differs from one new catalog to another. `tools` and `revision` say where CI takes gitopsreg from."""

    namespace: str
    owners: tuple[Owner, ...]
    admins: tuple[Owner, ...]
    style: Style
    revision: str
    tools: str = TOOLS


def new_catalog(choices: Choices) -> dict[str, str]:
    """Path → text of every file. Raises CatalogInvalid when a choice makes it a wrong catalog."""
    made = {path.format(namespace=choices.namespace): _fill(name, choices) for path, name in _EVERYWHERE.items()}
    namespace = f"namespaces/{choices.namespace}/namespace.yaml"
    made[namespace] = compose.namespace(choices.namespace, owners=choices.owners)
    included = _fill("gitlab-ci.yml", choices)
    if choices.style == "github":
        made |= {path: _fill(name, choices) for path, name in _WORKFLOWS.items()}
        included = "".join(line if line.startswith("#") else f"# {line}" for line in included.splitlines(keepends=True))
    made[".gitlab-ci.yml"] = included
    loaded = _loaded(made)
    if loaded.findings:
        raise CatalogInvalid(loaded.findings)
    made[PLACES[choices.style]] = codeowners(loaded.catalog, style=choices.style)
    return dict(sorted(made.items()))


def _loaded(made: dict[str, str]) -> Loaded:
    """What a registry makes of these files."""
    files = tuple(_file(path, text.encode()) for path, text in sorted(made.items()) if is_declaration(path))
    folders = {path[:at] for path in made for at, character in enumerate(path) if character == "/"}
    return load(CatalogFiles(revision="new", time="", root="", files=files, has_folder=lambda path: path in folders))


def _file(path: str, data: bytes) -> CatalogFile:
    return CatalogFile(path=path, mode="file", size=len(data), oid="", read=lambda: data)


def _fill(name: str, choices: Choices) -> str:
    """A file of the starter with its slots filled."""
    where = "/".join(_path(choices.tools)[-2:])
    values = {
        "NAMESPACE": choices.namespace,
        "ADMINS": "\n".join(compose.owner_lines(choices.admins)),
        "TOOLS": choices.tools,
        "REV": choices.revision,
        "ACTION": where,
        "COMPONENT": "/".join(_path(choices.tools)),
        "CODEOWNERS_ARGS": _CODEOWNERS_ARGS[choices.style],
        "BRANCH_RULES": _BRANCH_RULES[choices.style],
    }
    text = files("gitopsreg.catalog").joinpath("starter", name).read_text(encoding="utf-8")
    return _SLOT.sub(lambda slot: line_for(slot[2]) if slot[2] else values[slot[1]], text)


def _path(url: str) -> list[str]:
    """The folders of a repository's URL, without .git."""
    path = urlsplit(url).path if "://" in url else url.partition(":")[2] or url
    return path.strip("/").removesuffix(".git").split("/")
