"""A reconciler survives every fault at every operation on its store, in the way that docs/reliability.md says."""

import pytest

from tests.faults import KINDS, Kind
from tests.reliability import reconciling, scenarios
from tests.reliability.operations import Operation
from tests.reliability.table import committed, reconciler_column


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[scenarios.Scenario]:
    folder = tmp_path_factory.mktemp("reconciling")
    return [scenarios.make(name, folder / name) for name in scenarios.CHANGES]


@pytest.mark.parametrize("kind", KINDS)
def test_it_survives(made: list[scenarios.Scenario], kind: Kind) -> None:
    survived = reconciler_column(made, kind)
    assert survived == committed("reconciler", kind), "python -m tests.reliability.table writes it anew"


def test_it_asks_for_all_that_an_index_is_made_of(made: list[scenarios.Scenario]) -> None:
    met = {operation for scenario in made for operation in reconciling.operations(scenario)}
    assert met >= {
        Operation("index/head", "replace"),
        Operation("index/roots/*", "put"),
        Operation("index/shards/*", "put"),
        Operation("index/packages/*", "put"),
        Operation("blobs/*", "put"),
        Operation("private/link-key", "replace"),
        Operation("status/registry", "put"),
    }
