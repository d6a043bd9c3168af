"""A server survives every fault at every operation on its store, in the way that docs/reliability.md says."""

from collections.abc import Iterator

import pytest

from tests.faults import KINDS, Kind
from tests.reliability import serving
from tests.reliability.operations import Operation
from tests.reliability.table import committed, server_column


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[serving.Stage]:
    with serving.a_stage(tmp_path_factory.mktemp("serving")) as running:
        yield running


@pytest.mark.parametrize("kind", KINDS)
def test_it_survives(stage: serving.Stage, kind: Kind) -> None:
    survived = server_column(stage, kind)
    assert survived == committed("server", kind), "python -m tests.reliability.table writes it anew"


def test_it_reads_the_index_at_start_and_bytes_for_downloads(stage: serving.Stage) -> None:
    assert Operation("index/head", "get_with_token") in serving.operations(stage, "start")
    assert Operation("blobs/*", "chunks") in serving.operations(stage, "download")
