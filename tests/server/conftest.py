"""The sample registry, running: read only, so one for each module of tests."""

from collections.abc import Iterator

import pytest

from tests.server.house import a_registry


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with a_registry() as running:
        yield running
