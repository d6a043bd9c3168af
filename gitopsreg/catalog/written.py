"""How a document was written: where each value stands in its text, and the words it stands there with."""

from functools import cached_property

from gitopsreg.catalog.loader import Document, Places


class Written:
    """How a document was written, for as long as somebody asks: places and lines are found once."""

    def __init__(self, document: Document) -> None:
        self._document = document

    @cached_property
    def places(self) -> Places:
        return self._document.places()

    @cached_property
    def lines(self) -> list[str]:
        return self._document.lines()

    def raw(self, pointer: str) -> str:
        """The text of a scalar as it was written, "" when it is not in one line."""
        span = self.places[pointer][1]
        if span.line != span.end_line or span.line > len(self.lines):
            return ""
        return self.lines[span.line - 1][span.column - 1 : span.end_column - 1]
