"""Stored bytes on their way to one client: opened up to the first piece, then sent piece by piece."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from gitopsreg.errors import StorageError
from gitopsreg.server.hands import Hands
from gitopsreg.server.ranges import Span, wanted
from gitopsreg.storage.base import BlobReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Bytes that have begun to come: `first` is the first piece. Nothing is open of an unsatisfiable range."""

    size: int
    span: Span | Literal["whole", "unsatisfiable"]
    first: bytes = b""
    rest: Iterator[bytes] = field(default_factory=lambda: iter(()))

    @property
    def length(self) -> int:
        """Of what is sent, in bytes."""
        return self.span.length if isinstance(self.span, Span) else self.size


def opened(reader: BlobReader, key: str, asked: str | None) -> Opened:
    """`asked` is a Range header. The first piece is here when this returns: a store that hangs is no answer yet."""
    size = reader.size(key)
    span = wanted(asked, size)
    if span == "unsatisfiable":
        return Opened(size=size, span=span)
    pieces = reader.chunks(key, span.start, span.length) if isinstance(span, Span) else reader.chunks(key)
    return Opened(size=size, span=span, first=next(pieces, b""), rest=pieces)


class Stream(StreamingResponse):
    """Reads the store in threads, and lets go of it also when the client leaves in the middle."""

    def __init__(
        self, source: Opened, hands: Hands, report: Callable[[str], None], headers: dict[str, str], status: int
    ) -> None:
        super().__init__(_pieces(source, hands), status, headers)
        self._source = source
        self._report = report

    async def stream_response(self, send: Send) -> None:
        try:
            await super().stream_response(send)
        except StorageError as error:
            # Too late for a status: the connection ends before its Content-Length, and the client sees that.
            self._report(f"a download broke off: {error}")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            close = getattr(self._source.rest, "close", None)
            if close is not None:
                with suppress(ValueError):  # cut off while a thread still reads: the process is ending
                    close()


async def _pieces(source: Opened, hands: Hands) -> AsyncIterator[bytes]:
    """As many bytes as were promised. Raises StorageError where the store has fewer or more: they are torn."""
    left, piece = source.length, source.first
    while piece:
        left -= len(piece)
        if left < 0:
            break
        yield piece
        piece = await hands.do(lambda: next(source.rest, b""))
    if left:
        raise StorageError(
            f"the store gave {'more' if left < 0 else 'fewer'} bytes than the {source.length} it promised"
        )
