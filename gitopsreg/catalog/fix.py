"""How a finding is mended without asking anybody: edits by position, or a better place for the file. Writes nothing."""

from dataclasses import dataclass

from gitopsreg.catalog.problem import Span


@dataclass(frozen=True, slots=True)
class Edit:
    """`text` stands where `span` was; an empty span inserts."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """What to do, in words and for programs. `move_to` is the file's new path, written like the finding's."""

    description: str
    edits: tuple[Edit, ...] = ()
    move_to: str = ""
