"""A part of a registry laid out like opentofu/registry: which of its packages are wanted. Reads nothing."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from gitopsreg.errors import ConfigError, quoted
from gitopsreg.upstream.base import Skipped
from gitopsreg.upstream.opentofu_git_layout import Entry, Layout

Kind = Literal["", "module", "provider"]
_HOLDS: dict[str, Kind] = {"modules": "module", "providers": "provider", "keys": "provider"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """`namespaces` () are all of them, in whatever letter case; `kind` "" is both."""

    namespaces: Collection[str] = ()
    kind: Kind = ""

    def entries(self, layout: Layout) -> tuple[Entry, ...]:
        """Sorted by address. Raises ConfigError for a namespace that holds no package there."""
        names = {name.lower() for name in self.namespaces}
        known = {address.namespace for address in layout.entries}
        for name in sorted(names - known):
            raise ConfigError(f"there is no namespace {quoted(name)} in it")
        chosen = (
            entry
            for address, entry in layout.entries.items()
            if (not names or address.namespace in names) and self.kind in {"", address.kind}
        )
        return tuple(sorted(chosen, key=lambda entry: str(entry.address)))

    def skipped(self, layout: Layout) -> tuple[Skipped, ...]:
        """Files among them that are no package."""
        return tuple(one for one in layout.skipped if self._may_hold(one.ref))

    def _may_hold(self, path: str) -> bool:
        top, _, namespace, *_ = f"{path.lower()}///".split("/")
        names = {name.lower() for name in self.namespaces}
        return (not names or namespace in names) and self.kind in {"", _HOLDS.get(top)}
