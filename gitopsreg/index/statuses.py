"""What is known of all packages, shard by shard as it is stored: a run that touches few of them touches few shards."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property

from gitopsreg.index.shards import digits_for, prefix_of
from gitopsreg.index.status import PackageStatus, RegistrySummary
from gitopsreg.model.address import PackageAddress


@dataclass(frozen=True)  # no slots: what is worked out is kept
class StatusShard:
    """Some packages' statuses; never written to."""

    by_address: Mapping[PackageAddress, PackageStatus]

    @cached_property
    def next_attempt(self) -> str:
        """The first of all, "" for none."""
        return min(filter(None, (item.next_attempt for item in self.by_address.values())), default="")

    @cached_property
    def last_attempt(self) -> str:
        return max((item.last_attempt for item in self.by_address.values()), default="")

    @cached_property
    def is_well(self) -> bool:
        return all(item.is_well for item in self.by_address.values())

    @cached_property
    def unfinished(self) -> tuple[PackageStatus, ...]:
        """Those that nothing is known of by which a later run could tell that nothing has changed."""
        return tuple(item for item in self.by_address.values() if not item.skip_key)

    @cached_property
    def in_order(self) -> tuple[PackageStatus, ...]:
        """By the text of their addresses."""
        return tuple(sorted(self.by_address.values(), key=_text))


class PackageStatuses(Mapping[PackageAddress, PackageStatus]):
    """By address, in the order of addresses' text. Never written to; `shards` are by prefix, none of them empty."""

    def __init__(self, shards: Mapping[str, StatusShard] | None = None) -> None:
        self.shards = shards or {}
        self._digits = len(next(iter(self.shards), ""))
        self._ordered: tuple[PackageAddress, ...] | None = None

    @classmethod
    def of(cls, packages: Iterable[PackageStatus]) -> "PackageStatuses":
        """In as many shards as they ask for."""
        every = {item.address: item for item in packages}
        digits = digits_for(len(every))
        shards: dict[str, dict[PackageAddress, PackageStatus]] = {}
        for address, item in every.items():
            shards.setdefault(prefix_of(address, digits), {})[address] = item
        return cls({prefix: StatusShard(shards[prefix]) for prefix in sorted(shards)})

    def changed(
        self, new: Mapping[PackageAddress, PackageStatus], gone: Iterable[PackageAddress] = ()
    ) -> "PackageStatuses":
        """With `new` in the place of what was there, and without those that are `gone`. Untouched shards are the same
        objects.
        """
        changes: dict[PackageAddress, PackageStatus | None] = {**dict.fromkeys(gone), **new}
        added = sum(item is not None and address not in self for address, item in changes.items())
        removed = sum(item is None and address in self for address, item in changes.items())
        if digits_for(len(self) + added - removed) != self._digits or not self.shards:
            kept = (item for address, item in self._all() if address not in changes)
            return PackageStatuses.of([*kept, *(item for item in changes.values() if item is not None)])
        by_prefix: dict[str, list[tuple[PackageAddress, PackageStatus | None]]] = {}
        for address, item in changes.items():
            by_prefix.setdefault(prefix_of(address, self._digits), []).append((address, item))
        shards = {**self.shards, **{prefix: self._with(prefix, some) for prefix, some in by_prefix.items()}}
        return PackageStatuses({prefix: shards[prefix] for prefix in sorted(shards) if shards[prefix].by_address})

    def _with(self, prefix: str, changes: Iterable[tuple[PackageAddress, PackageStatus | None]]) -> StatusShard:
        known = self.shards.get(prefix)
        merged = dict(known.by_address) if known else {}
        for address, item in changes:
            if item is None:
                merged.pop(address, None)
            else:
                merged[address] = item
        return StatusShard(merged)

    def differing(self, known: "PackageStatuses") -> set[str]:
        """The prefixes of shards that say something else than those of `known`; of those that are here."""
        if self._digits != known._digits:  # noqa: SLF001 - of our own kind
            return set(self.shards)
        before = known.shards
        return {prefix for prefix, shard in self.shards.items() if not _same(shard, before.get(prefix))}

    def due(self, now: str) -> list[PackageStatus]:
        """Those whose time has come, and those that were last tried at a time that is yet to come: a clock went back,
        and what was planned by the wrong one counts for nothing.
        """
        shards = [one for one in self.shards.values() if one.last_attempt > now or "" < one.next_attempt <= now]
        return [item for one in shards for item in one.by_address.values() if item.is_due(now)]

    @property
    def next_attempt(self) -> str:
        """The first of all, "" for none."""
        return min(filter(None, (shard.next_attempt for shard in self.shards.values())), default="")

    @property
    def unfinished(self) -> list[PackageStatus]:
        """As StatusShard.unfinished."""
        return [item for shard in self.shards.values() for item in shard.unfinished]

    @property
    def unwell(self) -> list[PackageStatus]:
        """Those with which something is wrong, in order."""
        found = (item for shard in self.shards.values() if not shard.is_well for item in shard.by_address.values())
        return sorted((item for item in found if not item.is_well), key=_text)

    def __getitem__(self, address: PackageAddress) -> PackageStatus:
        shard = self.shards.get(prefix_of(address, self._digits))
        if shard is None:
            raise KeyError(address)
        return shard.by_address[address]

    def __iter__(self) -> Iterator[PackageAddress]:
        if self._ordered is None:
            self._ordered = tuple(item.address for item in sorted((item for _, item in self._all()), key=_text))
        return iter(self._ordered)

    def __len__(self) -> int:
        return sum(len(shard.by_address) for shard in self.shards.values())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PackageStatuses) and self.shards == other.shards

    __hash__ = None  # type: ignore[assignment]

    def _all(self) -> Iterator[tuple[PackageAddress, PackageStatus]]:
        return (pair for shard in self.shards.values() for pair in shard.by_address.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryStatus(RegistrySummary):
    """The registry as a whole, and each of its packages."""

    packages: PackageStatuses = field(default_factory=PackageStatuses)

    @property
    def summary(self) -> RegistrySummary:
        return RegistrySummary(**{each.name: getattr(self, each.name) for each in fields(RegistrySummary)})


def with_packages(summary: RegistrySummary, packages: PackageStatuses) -> RegistryStatus:
    values = {each.name: getattr(summary, each.name) for each in fields(RegistrySummary)}
    return RegistryStatus(**values, packages=packages)


def _same(one: StatusShard, other: StatusShard | None) -> bool:
    return one is other or one == other


def _text(item: PackageStatus) -> str:
    return str(item.address)
