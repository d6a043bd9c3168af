"""The modeline: the comment on top of a file that tells an editor which schema it has (GR110). Reads no schema."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gitopsreg.catalog.loader import lines_of
from gitopsreg.catalog.nearest import did_you_mean
from gitopsreg.catalog.problem import Problem, Span
from gitopsreg.catalog.schema import FILES, UNION
from gitopsreg.errors import quoted

PUBLISHED = "https://gitopsreg.io/schemas/"
_EDITOR = PUBLISHED + "v1alpha1/editor/"
_MODELINE = re.compile(r"\s*#\s*(?:yaml-language-server\s*:.*?\$schema\s*=\s*|\$schema\s*:\s*)(?P<schema>\S+)")
_MOST_LINES = 20
_MOST_CHARACTERS = 8000


@dataclass(frozen=True, slots=True)
class Modeline:
    """The schema that a file names, as it is written: a URL or a path, relative to the file."""

    schema: str
    span: Span

    @property
    def file(self) -> str:
        """The last part: `module.json`."""
        return re.split(r"[#?]", self.schema)[0].replace("\\", "/").rpartition("/")[2]


def published(kind: str) -> str:
    """The URL of a kind's schema for editors."""
    return _EDITOR + FILES[kind]


def line_for(kind: str) -> str:
    """The modeline that a file of this kind begins with."""
    return f"# yaml-language-server: $schema={published(kind)}"


def find(text: str) -> Modeline | None:
    """The modeline, among the comments that a text begins with; later ones count for no editor."""
    head = text[:_MOST_CHARACTERS]
    for number, line in enumerate(lines_of(head)[:_MOST_LINES] if "$schema" in head else (), start=1):
        if line.strip() and not line.lstrip().startswith(("#", "%", "---")):
            return None
        if found := _MODELINE.match(line):
            span = Span(number, found.start("schema") + 1, number, found.end("schema") + 1)
            return Modeline(found["schema"], span)
    return None


def check(text: str, kind: str) -> Iterator[Problem]:
    """Whether the modeline, if there is one of ours, names the schema of this kind."""
    found = find(text)
    if found is None or found.file in {UNION, FILES[kind]}:
        return
    other = next((known for known, file in FILES.items() if file == found.file), "")
    if other:
        message = f"the modeline names the schema of kind {other}, the file is a declaration of kind {kind}"
    elif found.schema.startswith(PUBLISHED):
        message = f"the modeline names no schema there is, {quoted(found.file)}"
    else:
        return
    right = _renamed(found.schema, found.file, FILES[kind])
    near = did_you_mean(found.file, [FILES[kind]])
    hint = near if near and not other else f"write $schema={right}"
    yield Problem(rule="GR110", message=message, hint=hint, span=found.span, replacement=right)


def _renamed(schema: str, file: str, right: str) -> str:
    start = schema.rindex(file) if file else len(schema)
    return schema[:start] + right + schema[start + len(file) :]
