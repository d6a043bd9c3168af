"""What answers are made of, as one thing to compare: while it is the same, so is the answer to a question."""

from collections.abc import Callable

from gitopsreg.protocol.links import LinkSigner
from gitopsreg.server.served import Served
from gitopsreg.server.snapshot import Snapshots


class Era:
    """Calling it gives an object that stays the same while snapshot and link key do; None while there is no snapshot,
    or an old one, whose answers say how old they are.
    """

    def __init__(self, snapshots: Snapshots, signer: Callable[[], LinkSigner]) -> None:
        self._snapshots = snapshots
        self._signer = signer
        self._made_of: tuple[Served | None, LinkSigner | None] = (None, None)
        self._mark = object()

    def __call__(self) -> object | None:
        served = self._snapshots.current()
        if served is None or self._snapshots.stale:
            return None
        signer = self._key()
        if served is not self._made_of[0] or signer is not self._made_of[1]:
            self._made_of = (served, signer)
            self._mark = object()
        return self._mark

    def _key(self) -> LinkSigner | None:
        try:
            return self._signer()
        except Exception:  # noqa: BLE001 - whatever it is, the routes that need a signer tell of it
            return None
