import io
import re
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from rich.console import Console

from gitopsreg.catalog.load import Loaded
from gitopsreg.cli import plan_published as plan
from gitopsreg.errors import CheckoutFailed
from gitopsreg.index.statuses import RegistryStatus
from gitopsreg.reconcile.plan import Change, Plan
from gitopsreg.reconcile.run import Prepared
from gitopsreg.settings import Settings
from tests.cli.outcomes import a_finding, a_loaded, a_plan

CHANGES = (
    Change(address="module:platform/vpc/aws", action="add", added=("1.0.0", "1.1.0", "1.2.0", "2.0.0")),
    Change(address="module:platform/dns/aws", action="archive", removed=("0.1.0",), marks=("removal",)),
    Change(address="module:platform/old/aws", action="restore", added=("1.0.0",)),
    Change(
        address="provider:platform/internal",
        action="change",
        added=("2.4.0",),
        removed=("2.3.0",),
        notes=("yank 2.2.0: leaks \x1b[31m memory",),
        marks=("source", "yank"),
    ),
)


def prepared(value: Plan, loaded: Loaded | None = None, unreachable: CheckoutFailed | None = None) -> Prepared:
    return Prepared(
        now=datetime(2026, 10, 1, tzinfo=UTC),
        checkout=cast("Any", None),
        loaded=loaded or a_loaded(),
        head=None,
        base=None,
        known=RegistryStatus(),
        resolved=(),
        plan=value,
        unreachable=unreachable,
    )


def shown(value: Plan) -> str:
    file = io.StringIO()
    plan.show(Console(file=file, width=10_000), prepared(value), Settings(catalog="../catalog", store="file:///s"))
    return file.getvalue()


BOTH = (
    "new: 1 version (2.4.0); no longer listed: 1 version (2.3.0); "
    "yank 2.2.0: leaks \\x1b[31m memory  high: source, low: yank"
)


def test_a_plan_is_a_table_with_its_sum() -> None:
    lines = shown(a_plan(changes=CHANGES)).splitlines()
    assert lines[0] == "Plan for main@9b9b9b9b9b"
    assert [re.sub(" {3,}", "  ", line).split(maxsplit=2) for line in lines[2:6]] == [
        ["+", "module:platform/vpc/aws", "new package; 4 versions (1.0.0 … 2.0.0)"],
        ["-", "module:platform/dns/aws", "archived: no longer declared  low: removal"],
        ["+", "module:platform/old/aws", "restored; new: 1 version (1.0.0)"],
        [
            "~",
            "provider:platform/internal",
            BOTH,
        ],
    ]
    assert lines[6] == "1 to add, 1 to change, 1 to archive, 1 to restore."
    assert lines[7] == f"Plan digest: sha256:{'5e' * 32}"


def test_no_changes() -> None:
    assert "No changes" in shown(a_plan())


def test_a_guard_says_how_to_go_on() -> None:
    lines = shown(a_plan(changes=CHANGES, guard="12 of 20 packages would be removed")).splitlines()
    assert lines[-2] == "Held back: 12 of 20 packages would be removed"
    assert lines[-1].endswith(
        f"gitopsreg reconcile --catalog ../catalog --store file:///s --approve sha256:{'5e' * 32}"
    )


CHANGED = a_plan(changes=CHANGES)


@pytest.mark.parametrize(
    ("value", "plain", "detailed"),
    [
        (prepared(a_plan()), 0, 0),
        (prepared(CHANGED), 0, 2),
        (prepared(CHANGED, a_loaded(a_finding("warning"))), 0, 2),
        (prepared(CHANGED, a_loaded(a_finding())), 1, 1),
        (prepared(a_plan(), a_loaded(broken="registry.yaml is no YAML")), 1, 1),
        (prepared(CHANGED, unreachable=CheckoutFailed("gone")), 3, 3),
    ],
)
def test_exit_codes(value: Prepared, plain: int, detailed: int) -> None:
    assert plan.exit_code(value, detailed=False) == plain
    assert plan.exit_code(value, detailed=True) == detailed


def test_json() -> None:
    document = plan.as_json(prepared(CHANGED, a_loaded(a_finding())))
    assert document["hasChanges"] is True
    assert document["digest"] == "sha256:" + "5e" * 32
    assert document["changes"][0] == {
        "address": "module:platform/vpc/aws",
        "action": "add",
        "added": ["1.0.0", "1.1.0", "1.2.0", "2.0.0"],
        "removed": [],
        "notes": [],
        "risks": [],
    }
    assert [(risk["mark"], risk["level"]) for risk in document["changes"][3]["risks"]] == [
        ("source", "high"),
        ("yank", "low"),
    ]
    assert document["findings"][0]["rule"] == "GR201"
