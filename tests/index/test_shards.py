from dataclasses import replace
from hashlib import sha256
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.index.model import Delivery, Entry, Remote, Shelf
from gitopsreg.index.shards import digits_for, entry_of, prefix_of, sharded
from gitopsreg.model.address import ModuleAddress, PackageAddress, ProviderAddress
from gitopsreg.model.digest import Sha256
from tests import strategies
from tests.builders import VPC, a_module, a_module_version

NONE = Sha256("0" * 64)


@pytest.mark.parametrize(
    ("packages", "digits"),
    [(0, 0), (1, 0), (1_000, 0), (1_001, 1), (16_000, 1), (16_001, 2), (300_000, 2)],
)
def test_the_number_of_digits_follows_from_the_number_of_packages(packages: int, digits: int) -> None:
    assert digits_for(packages) == digits


def test_a_prefix_is_the_start_of_the_addresss_hash() -> None:
    address = ModuleAddress("platform", "vpc", "aws")
    hexadecimal = sha256(b"module:platform/vpc/aws").hexdigest()
    assert [prefix_of(address, digits) for digits in (0, 1, 2)] == ["", hexadecimal[:1], hexadecimal[:2]]


@given(st.sets(strategies.addresses, max_size=20), st.integers(0, 2), st.randoms(use_true_random=False))
def test_shards_part_the_packages_whatever_their_order(
    addresses: set[PackageAddress], digits: int, random: Random
) -> None:
    items = [(address, str(address)) for address in addresses]
    shards = sharded(items, digits)
    random.shuffle(items)
    again = sharded(items, digits)
    assert list(shards.items()) == list(again.items())
    assert list(shards) == sorted(shards)
    assert sorted(text for shard in shards.values() for text in shard) == sorted(map(str, addresses))
    for prefix, shard in shards.items():
        assert shard == tuple(sorted(shard))
        assert all(sha256(text.encode()).hexdigest().startswith(prefix) for text in shard)


@pytest.mark.parametrize(
    ("versions", "latest"),
    [
        ((), None),
        (("1.0.0", "1.2.0"), "1.2.0"),
        (("1.0.0", "2.0.0-rc.1"), "1.0.0"),
        (("1.0.0-a", "1.0.0-b"), "1.0.0-b"),
    ],
)
def test_an_entry_names_the_newest_release(versions: tuple[str, ...], latest: str | None) -> None:
    assert entry_of(a_module(*versions), NONE).latest == latest


def test_an_entry_names_only_what_is_listed() -> None:
    versions = (a_module_version("1.0.0"), a_module_version("2.0.0", listing="hidden"))
    assert entry_of(replace(a_module(), versions=versions), NONE).latest == "1.0.0"


def test_an_entry_says_what_lists_need() -> None:
    assert entry_of(a_module("1.0.0"), NONE) == Entry(address=VPC, digest=NONE, latest="1.0.0", stored="plainly")
    package = a_module("1.0.0", archived="2026-01-01T00:00:00Z", description="network")
    assert entry_of(package, NONE) == Entry(
        address=VPC, digest=NONE, description="network", latest="1.0.0", archived=True, stored="plainly"
    )


_REMOTE = Remote("git::https://git.example.com/acme/vpc.git?ref=v1.0.0")


@pytest.mark.parametrize(
    ("changes", "delivery", "stored"),
    [
        ({}, None, "plainly"),
        ({"yanked": "wrong", "listing": "hidden"}, None, "plainly"),
        ({"archive": _REMOTE}, None, "nothing"),
        ({"archive": _REMOTE, "listing": "blocked"}, Delivery(serve="proxy"), "nothing"),
        ({}, Delivery(serve="redirect"), "otherwise"),
        ({"shelf": Shelf(folder="old")}, None, "otherwise"),
        ({"listing": "blocked"}, None, "otherwise"),
        ({"discarded": "2026-01-01T00:00:00Z"}, None, "otherwise"),
    ],
)
def test_an_entry_says_what_is_stored(changes: dict[str, Any], delivery: Delivery | None, stored: str) -> None:
    versions = (a_module_version("1.0.0"), a_module_version("1.1.0", **changes))
    kept = versions if stored == "otherwise" else versions[1:]
    assert entry_of(replace(a_module(), versions=kept, delivery=delivery), NONE).stored == stored


def test_modules_and_providers_of_one_name_are_apart() -> None:
    module, provider = ModuleAddress("a", "b", "c"), ProviderAddress("a", "b")
    assert sharded([(provider, "p"), (module, "m")], 0) == {"": ("m", "p")}
