"""Liveness and readiness."""

import json
from datetime import UTC, datetime

import pytest

from gitopsreg.storage.memory import MemoryStore
from tests.server.house import a_registry, ask, running


def test_ready_says_what_is_served_and_how_fresh(url: str) -> None:
    answer = ask(url, "/readyz")
    body = json.loads(answer.body)
    assert answer.status == 200
    assert body["snapshot"] == ask(url, "/.well-known/terraform.json").headers["x-gitopsreg-snapshot"]
    assert body["revision"] == "main@sha1:" + "a" * 40
    assert body["packages"] == 3
    assert body.keys() == {"snapshot", "revision", "packages", "ageSeconds", "confirmedSeconds"}


@pytest.mark.parametrize(("now", "age"), [("2026-01-02T00:00:30Z", 86430.0), ("2025-12-31T23:59:59Z", 0.0)])
def test_the_age_is_that_of_the_commit_and_apart_from_when_the_store_confirmed_it(now: str, age: float) -> None:
    with a_registry(clock=lambda: datetime.fromisoformat(now).astimezone(UTC).timestamp()) as url:
        body = json.loads(ask(url, "/readyz").body)
    assert body["ageSeconds"] == age
    assert 0 <= body["confirmedSeconds"] < 86430


@pytest.mark.parametrize(("path", "status"), [("/healthz", 200), ("/readyz", 503)])
def test_without_a_snapshot_it_lives_and_is_not_ready(path: str, status: int) -> None:
    with running(MemoryStore()) as url:
        answer = ask(url, path)
    assert (answer.status, answer.headers["cache-control"]) == (status, "no-store")


def test_a_broken_index_is_told_without_saying_where_it_lies() -> None:
    store = MemoryStore()
    store.put("index/head", b"torn")
    with running(store) as url:
        assert json.loads(ask(url, "/readyz").body) == {
            "snapshot": None,
            "error": "the store can't be read; the registry's log says why",
        }
