"""What answers are made of, as one thing to compare: while it is the same, so is the answer to a question."""

from collections.abc import Callable

from gitopsreg.protocol.links import LinkSigner
from gitopsreg.server.served import Served
from gitopsreg.server.snapshot import Snapshots


class Era:
    """`current` is an object that stays the same while snapshot and link key do; None while there is no snapshot, or an
    old one, whose answers say how old they are.
    """

    def __init__(self, snapshots: Snapshots, signer: Callable[[], LinkSigner]) -> None:
        self._snapshots = snapshots
        self._signer = signer
        self._served: Served | None = None
        self._key: LinkSigner | None = None
        self._mark = object()

    def current(self) -> object | None:
        """Asked for every request, also for those that are answered in a millionth of a second."""
        snapshots = self._snapshots
        served = snapshots.current()
        if served is None or snapshots.stale:
            return None
        try:
            key = self._signer()
        except Exception:  # noqa: BLE001 - whatever it is, the routes that need a signer tell of it
            key = None
        if served is not self._served or key is not self._key:
            self._served, self._key, self._mark = served, key, object()
        return self._mark
