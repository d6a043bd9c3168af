"""A broken rule before anybody knows in which file: what every check yields. Prints nothing, reads nothing."""

from dataclasses import dataclass

from gitopsreg.errors import quoted


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text; lines and columns count from 1, the end is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """The place is `span`, or what `pointer` (a JSON pointer) leads to: the value, or with `on_key` its key.

    `replacement` is what would be right there, when nobody need be asked; `move_to` the path where the file belongs.
    """

    rule: str
    message: str
    hint: str = ""
    pointer: str = ""
    on_key: bool = False
    span: Span | None = None
    replacement: str | None = None
    move_to: str = ""


def pointer_to(*steps: object) -> str:
    """The JSON pointer of these keys and indexes (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def name_of(pointer: str) -> str:
    """What people call the place: `spec`, `exclude[0]`, `version`."""
    *before, last = pointer.split("/")
    if last.isdecimal() and len(before) > 1:
        return f"{name_of('/'.join(before))}[{last}]"
    return quoted(last.replace("~1", "/").replace("~0", "~"))[1:-1] if last else "the document"
