"""How the two halves of a proposal, the catalog's and the upstreams', come together for people."""

from dataclasses import replace

import pytest

from gitopsreg.catalog.difference import difference
from gitopsreg.catalog.load import load
from gitopsreg.reconcile.forecast import Forecast, Remark
from gitopsreg.reconcile.plan import Change, Plan
from gitopsreg.reconcile.proposal import Online, Proposal, in_units, row_of_plan, sheet_of
from tests.catalog.catalogs import AT_MODULE, WHOLE, a_catalog, a_module

VPC = "module:platform/vpc/aws"
NOTHING = Forecast(asked=0, silent=(), skipped=(), troubles=(), versions=0, bytes=0, unmeasured=0)
PLAN = Plan(
    revision="r",
    digest="sha256:" + "1" * 64,
    changes=(
        Change(
            address=VPC,
            action="change",
            added=("1.1.0",),
            removed=("1.0.0",),
            notes=("block 1.0.0: x",),
            marks=("block",),
        ),
        Change(address="module:platform/other/aws", action="archive", removed=("1.0.0",), marks=("removal",)),
    ),
)


def a_proposal(**changes: object) -> Proposal:
    base = load(a_catalog(WHOLE))
    head = load(a_catalog({**WHOLE, AT_MODULE: a_module("suspend: true")}))
    proposal = Proposal(name="x", base="b", head="h", loaded=head, difference=difference(base, head))
    return replace(proposal, **changes)  # type: ignore[arg-type]


def test_offline_there_is_the_catalog_only() -> None:
    sheet = sheet_of(a_proposal())
    assert [(row.subject, row.words) for row in sheet.rows] == [(VPC, ("suspend: false → true",))]
    assert sheet.verdicts == ("catalog valid",)
    assert sheet.digest == a_proposal().difference.digest


def test_online_a_row_has_both_and_the_rest_is_due_anyway() -> None:
    sheet = sheet_of(a_proposal(online=Online(plan=PLAN, forecast=NOTHING, against="store")))
    (row,) = sheet.rows
    assert row.words == ("suspend: false → true", "new: 1 version (1.1.0)", "no longer listed: 1 version (1.0.0)")
    assert [str(risk) for risk in row.risks] == ["high: block", "low: suspend"]
    (section,) = sheet.sections
    assert section.title == "Also due, with this change or without it"
    assert section.lines == ("module:platform/other/aws: archived: no longer declared (low: removal)",)
    assert sheet.digest == PLAN.digest


@pytest.mark.parametrize(
    ("found", "verdicts"),
    [
        (NOTHING, ["online check: 0 of 0 sources reached"]),
        (
            replace(NOTHING, asked=3, silent=(Remark(address="a", version="", text="away"),), versions=1, bytes=2048),
            ["online check: 2 of 3 sources reached", "1 version to fetch, 2.0 KiB"],
        ),
        (
            replace(NOTHING, asked=1, versions=3, bytes=100, unmeasured=1),
            [
                "online check: 1 of 1 source reached",
                "3 versions to fetch, 100 B without 1 whose size nobody knows yet",
            ],
        ),
        (replace(NOTHING, versions=2, unmeasured=2), ["online check: 0 of 0 sources reached", "2 versions to fetch"]),
    ],
)
def test_what_the_plan_rests_on(found: Forecast, verdicts: list[str]) -> None:
    sheet = sheet_of(a_proposal(online=Online(plan=PLAN, forecast=found, against="store")))
    assert list(sheet.verdicts[1:]) == verdicts


def test_remarks_are_details() -> None:
    remark = Remark(address=VPC, version="1.3.0", text="excluded by x")
    found = replace(NOTHING, silent=(replace(remark, version=""),), skipped=(remark,), troubles=(remark,))
    online = Online(plan=replace(PLAN, changes=()), forecast=found)
    sheet = sheet_of(a_proposal(online=online))
    assert [(section.title, section.lines) for section in sheet.sections] == [
        ("Sources that did not answer", (f"{VPC}: excluded by x",)),
        ("Versions that would fail", (f"{VPC} 1.3.0: excluded by x",)),
        ("Skipped versions", (f"{VPC} 1.3.0: excluded by x",)),
    ]
    assert "without an index" in sheet.verdicts[-1]


def test_what_is_held_back_can_be_approved_only_against_what_is_published() -> None:
    held = replace(PLAN, guard="12 of 20 packages would be removed")
    sheet = sheet_of(a_proposal(online=Online(plan=held, forecast=NOTHING, against="index")))
    assert sheet.held == held.guard
    assert sheet.next.endswith(f"gitopsreg reconcile --approve {PLAN.digest}")
    assert "after the merge" in sheet_of(a_proposal(online=Online(plan=held, forecast=NOTHING))).next


def test_actions_in_words() -> None:
    row = row_of_plan(Change(address="namespace:new", action="add"))
    assert (row.sign, row.words) == ("add", ("new namespace",))
    assert row_of_plan(Change(address=VPC, action="restore", added=("1.0.0",))).words == (
        "restored",
        "new: 1 version (1.0.0)",
    )


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (35_000_000, "33.4 MiB"), (2**45, "32768.0 GiB")],
)
def test_bytes_for_people(count: int, text: str) -> None:
    assert in_units(count) == text
