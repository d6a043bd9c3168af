"""What the reconciler tells while it works. It never logs: a reporter shows progress, writes logs, or does nothing."""

from typing import Protocol


class Reporter(Protocol):
    """Told of each step; called from several threads; must not raise."""

    def waiting(self, message: str) -> None: ...
    def started(self, revision: str) -> None: ...
    def resolving(self, total: int) -> None: ...
    def resolved(self, address: str) -> None: ...
    def fetching(self, total_versions: int) -> None: ...
    def stored(self, address: str, version: str, size: int) -> None: ...
    def failed(self, address: str, version: str, reason: str, message: str) -> None: ...
    def published(self, snapshot: str) -> None: ...


class Silent:
    """The reporter that says nothing; a base for those that say a little."""

    def waiting(self, message: str) -> None:
        pass

    def started(self, revision: str) -> None:
        pass

    def resolving(self, total: int) -> None:
        pass

    def resolved(self, address: str) -> None:
        pass

    def fetching(self, total_versions: int) -> None:
        pass

    def stored(self, address: str, version: str, size: int) -> None:
        pass

    def failed(self, address: str, version: str, reason: str, message: str) -> None:
        pass

    def published(self, snapshot: str) -> None:
        pass
