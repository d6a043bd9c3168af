import io

import pytest
from rich.console import Console

from gitopsreg.cli import tell
from gitopsreg.model.condition import Condition
from gitopsreg.reconcile.run import Outcome
from gitopsreg.settings import Settings
from tests.cli.outcomes import a_broken_package, a_finding, a_loaded, a_package, a_status, an_outcome

UNREACHABLE = Condition(type="CatalogFetched", status="False", reason="Timeout", message="no answer in 60 s")

AGAIN = "gitopsreg reconcile --catalog . --store 's3://bucket/x?region=eu'"


def shown(outcome: Outcome) -> str:
    file = io.StringIO()
    tell.show(Console(file=file, width=10_000), outcome, Settings(catalog=".", store="s3://bucket/x?region=eu"))
    return file.getvalue()


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (an_outcome(a_package()), 0),
        (an_outcome(a_package(), loaded=a_loaded(a_finding("warning"))), 0),
        (an_outcome(a_package(), a_broken_package()), 1),
        (an_outcome(a_package(), loaded=a_loaded(a_finding())), 1),
        (an_outcome(a_package(), blocked="12 of 20 packages would be removed"), 1),
        (an_outcome(a_package(), status=a_status(a_package(), conditions=(UNREACHABLE,))), 3),
    ],
)
def test_exit_codes(outcome: Outcome, code: int) -> None:
    assert tell.exit_code(outcome) == code


def test_a_publish_is_one_line() -> None:
    assert shown(an_outcome(a_package())) == (
        "Published main@9b9b9b9b9b: 1 package, 2 versions added, 3.0 KiB stored, 0.2 s, snapshot 3f3f3f3f3f3f\n"
    )


def test_nothing_new_says_so() -> None:
    assert shown(an_outcome(a_package(), published=False)).startswith("Nothing new in main@9b9b9b9b9b: ")


def test_what_is_held_back_can_be_approved() -> None:
    status = a_status(a_package(), blocked_plan="sha256:" + "5e" * 32)
    assert shown(an_outcome(a_package(), blocked="too many", status=status)).splitlines() == [
        "Held back main@9b9b9b9b9b: too many",
        f"  to publish it all the same: {AGAIN} --approve sha256:{'5e' * 32}",
    ]


def test_failures_are_listed_and_not_endlessly() -> None:
    broken = [a_broken_package(f"module:platform/m{number}/aws") for number in range(25)]
    lines = shown(an_outcome(*broken)).splitlines()
    assert lines[1] == "25 packages are not as declared; last good versions are served:"
    assert lines[2] == "  module:platform/m0/aws  NotFound: no such repository"
    assert lines[-1] == "  … and 5 more: 'gitopsreg status' shows them all"


def test_json() -> None:
    document = tell.as_json(an_outcome(a_package(), a_broken_package()))
    assert document["versionsAdded"] == 2
    assert document["bytesStored"] == 3072
    assert document["published"] is True
    assert [item["who"] for item in document["failed"]] == ["module:platform/dns/aws"]
