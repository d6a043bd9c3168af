"""Which schema a kind has, and what of a document breaks it."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import gitopsreg
from gitopsreg.catalog.conform import Fits, compiled
from gitopsreg.catalog.loader import Document
from gitopsreg.catalog.problem import Problem

API_VERSION = "gitopsreg.io/v1alpha1"
FILES = {
    "Registry": "registry.json",
    "Namespace": "namespace.json",
    "Module": "module.json",
    "Provider": "provider.json",
    "SigningKey": "signing-key.json",
    "Discovery": "discovery.json",
    "Connection": "connection.json",
    "StorageClass": "storage-class.json",
    "AccessPolicy": "access-policy.json",
    "BinaryMirror": "binary-mirror.json",
    "Alert": "alert.json",
}
KINDS = tuple(FILES)
# Any document: the schema of its kind.
UNION = "catalog.json"
# Checked like all others, and nothing more: this release does not act on them.
IDLE_KINDS = ("AccessPolicy", "BinaryMirror", "Alert")
# Acted on where they are about a registry in a Git repository, else only checked.
PARTLY_IDLE_KINDS = ("Discovery", "Connection")
MAX_PROBLEMS = 100


def schema_folder() -> Path:
    """Where the schemas are: inside the installed package, or beside it in a source tree."""
    package = Path(gitopsreg.__file__).parent
    installed = package / "schemas"
    return installed if installed.is_dir() else package.parent / "schemas"


@cache
def schema(kind: str) -> Mapping[str, Any]:
    """The JSON Schema of one of KINDS."""
    return read(FILES[kind])


def read(file: str) -> dict[str, Any]:
    """One of the strict schemas by the name of its file."""
    loaded: dict[str, Any] = json.loads((schema_folder() / file).read_text(encoding="utf-8"))
    return loaded


def check(kind: str, document: Document) -> Iterator[Problem]:
    """Everything in the document that its kind's schema does not admit; at most 100."""
    if _fits(kind)(document.value):
        return
    from gitopsreg.catalog import strict  # its library is slow to import, and most files are right

    yield from strict.problems(_validator(kind), document, MAX_PROBLEMS)


@cache
def _validator(kind: str) -> Any:
    from gitopsreg.catalog import strict

    return strict.validator(schema(kind))


@cache
def _fits(kind: str) -> Fits:
    return compiled(schema(kind))
