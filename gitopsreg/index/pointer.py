"""What `index/head` says: which root is served, and what else a publish must respect."""

from dataclasses import dataclass

from gitopsreg.model.digest import Sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A person's word that nothing is published. Times are RFC 3339 in UTC with seconds.

    `until` "" is until it is released; `by` is user@host.
    """

    since: str
    by: str = ""
    reason: str = ""
    until: str = ""

    def in_force(self, now: str) -> bool:
        return not self.until or now < self.until

    def __str__(self) -> str:
        words = f"on hold since {self.since}" + (f" by {self.by}" if self.by else "")
        return f"{words}, until {self.until or 'it is released'}" + (f": {self.reason}" if self.reason else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """`root` is served. `epoch` grows by one with every change of the pointer; `fence` is the epoch of the lease under
    which it was last changed.

    `ledger` is the newest root that was ever published, where an older one is served: a rollback moves only what is
    served, and what comes next is built on the ledger, so that nothing published is ever forgotten.
    """

    root: Sha256
    revision: str
    epoch: int
    fence: int = 0
    ledger: Sha256 | None = None
    hold: Hold | None = None

    @property
    def newest(self) -> Sha256:
        """The root that the next publish builds on."""
        return self.ledger or self.root

    def hold_at(self, now: str) -> Hold | None:
        """The hold that is in force at this time; one that has ended counts as none."""
        return self.hold if self.hold is not None and self.hold.in_force(now) else None
