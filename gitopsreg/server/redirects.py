"""Links that a store signs itself. One that signs none is left alone for a while, and reported once an outage."""

import time
from collections.abc import Callable, Mapping

from gitopsreg.errors import StorageError
from gitopsreg.index.contents import Place
from gitopsreg.server.hands import Hands
from gitopsreg.storage.base import BlobReader, LinkTerms

_REST = 30.0  # seconds until a store that failed to sign is asked again
_NONE = "this kind of store has none"


class Redirects:
    """`readers` are the back ends by name; their calls must end by themselves, soon: clients wait meanwhile."""

    def __init__(
        self,
        readers: Mapping[str, BlobReader],
        hands: Hands,
        *,
        report: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._readers = readers
        self._hands = hands
        self._report = report
        self._clock = clock
        self._resting: dict[str, float] = {}  # back end -> until when

    async def link(self, place: Place, terms: LinkTerms) -> str | None:
        """A URL of the store; None when the bytes must go through the server."""
        if self._clock() < self._resting.get(place.backend, 0.0):
            return None
        url, why = await self._asked(self._readers[place.backend], place.key, terms)
        if url is None:
            self._rest(place.backend, why)
        else:
            self._resting.pop(place.backend, None)
        return url

    async def _asked(self, reader: BlobReader, key: str, terms: LinkTerms) -> tuple[str | None, str]:
        """The URL, or None and why there is none."""
        try:
            return await self._hands.do(lambda: reader.link(key, terms)), _NONE
        except StorageError as error:
            return None, str(error)
        except Exception as error:  # noqa: BLE001 -- the bytes are there, whatever is wrong with the link
            return None, f"{type(error).__name__}: {error}"

    def _rest(self, backend: str, why: str) -> None:
        if backend not in self._resting:
            name = f'the back end "{backend}"' if backend else "the store"
            self._report(f"{name} signs no download links, so its bytes go through this server: {why}")
        self._resting[backend] = self._clock() + _REST
