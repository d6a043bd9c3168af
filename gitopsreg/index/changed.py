"""The packages of a snapshot with some in the place of others: a publish of them costs what was given."""

from collections.abc import Iterator, Mapping

from gitopsreg.index.model import Package
from gitopsreg.model.address import PackageAddress


class Changed(Mapping[PackageAddress, Package]):
    """`given` over `before`: the same packages but for those, and those that are new. None is ever gone."""

    def __init__(self, before: Mapping[PackageAddress, Package], given: Mapping[PackageAddress, Package]) -> None:
        self.before = before
        self.given = given

    def __getitem__(self, address: PackageAddress) -> Package:
        return self.given[address] if address in self.given else self.before[address]

    def __contains__(self, address: object) -> bool:
        return address in self.given or address in self.before

    def __iter__(self) -> Iterator[PackageAddress]:
        yield from self.before
        yield from (address for address in self.given if address not in self.before)

    def __len__(self) -> int:
        return len(self.before) + sum(1 for address in self.given if address not in self.before)
