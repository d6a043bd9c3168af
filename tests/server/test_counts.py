"""What was answered is counted once, whichever way it was answered."""

import json
import os

import pytest

from gitopsreg.server.counts import KINDS, Counts, cell, kind_of
from tests.server.house import a_registry, ask


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/.well-known/terraform.json", "discovery"),
        ("/v1/modules/a/b/c/versions", "moduleVersions"),
        ("/v1/modules/a/b/c/1.0.0/download", "moduleDownload"),
        ("/v1/providers/a/b/versions", "providerVersions"),
        ("/v1/providers/a/b/1.0.0/download/linux/amd64", "providerDownload"),
        ("/v1/mirror/h/a/b/index.json", "mirror"),
        ("/artifacts/0/x.zip", "artifacts"),
        ("/hooks/catalog", "hooks"),
        ("/healthz", "other"),
        ("", "other"),
    ],
)
def test_paths_have_a_kind(path: str, kind: str) -> None:
    assert kind_of(path) == kind


def test_every_cell_is_one_of_its_own() -> None:
    statuses = (0, 101, 200, 304, 410, 503)
    cells = {cell(kind, status, remembered=way) for kind in KINDS for status in statuses for way in (True, False)}
    assert len(cells) == len(KINDS) * len(statuses) * 2


def test_rows_add_up_and_who_takes_a_place_counts_on() -> None:
    counts = Counts(3)
    for number in (0, 1, 2, 1):
        counts.sit(number)
        counts.mine[cell("mirror", 404, remembered=True)] += 5
    assert counts.table() == {"mirror": {"4xx": {"rendered": 0, "remembered": 20}}}
    assert (counts.total("remembered"), counts.total("rendered")) == (20, 0)
    assert [worker.process for worker in counts.workers()] == [os.getpid()] * 3


def test_the_registry_says_what_it_answered() -> None:
    with a_registry() as url:
        for _ in range(3):
            ask(url, "/v1/modules/platform/vpc/aws/versions")
            ask(url, "/v1/modules/platform/none/aws/versions", "HEAD")
            ask(url, "/v1/providers/platform/hello/versions", "POST")
        said = json.loads(ask(url, "/statusz").body)
    assert said["answers"] == {
        "moduleVersions": {
            "2xx": {"rendered": 1, "remembered": 2},
            "4xx": {"rendered": 1, "remembered": 2},
        },
        "providerVersions": {"4xx": {"rendered": 3, "remembered": 0}},
    }
    (worker,) = said["workers"]
    assert worker["process"] == os.getpid()
    assert worker["memoryBytes"] is None or worker["memoryBytes"] > 1_000_000
    assert said["memo"]["open"] > 0 < said["memo"]["missing"]
