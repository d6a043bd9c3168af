import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from gitopsreg.cli import status
from gitopsreg.cli.publishing import Publishing
from gitopsreg.errors import InvalidName, NotPublished
from gitopsreg.index.status import PackageStatus, VersionFailure
from gitopsreg.index.status_store import write_status
from gitopsreg.index.statuses import RegistryStatus
from gitopsreg.model.condition import Condition
from gitopsreg.settings import Settings
from gitopsreg.storage.filesystem import FilesystemStore
from tests.cli.outcomes import LATER, TIME, a_broken_package, a_package, a_status
from tests.cli.shell import gitopsreg

FAILURE = VersionFailure(
    version="2.4.0", reason="ChecksumMismatch", message="zip is not what it was", attempts=3, next_retry=LATER
)
SETTINGS = Settings(catalog="my catalog", store="file:///var/lib/store", path="sub")


def shown(value: RegistryStatus | PackageStatus) -> str:
    file = io.StringIO()
    console = Console(file=file, width=10_000)
    if isinstance(value, RegistryStatus):
        status.show(console, value, Publishing(), SETTINGS, now=datetime(2026, 10, 1, 12, 3, tzinfo=UTC))
    else:
        status.show_package(console, value)
    return file.getvalue()


@pytest.fixture
def store(tmp_path: Path) -> Path:
    packages = (
        a_package(listed=("1.0.0", "1.1.0", "1.2.0", "1.10.0")),
        a_broken_package(),
        a_package("provider:platform/internal", failures=(FAILURE,), skipped=(("nightly", "is no version"),)),
    )
    write_status(FilesystemStore(tmp_path / "store"), a_status(*packages))
    return tmp_path / "store"


def test_the_table_has_a_line_per_package(store: Path) -> None:
    done = gitopsreg("status", "--store", store)
    assert done.code == 0
    assert "\x1b" not in done.stdout
    lines = [line.split(maxsplit=2) for line in done.stdout.splitlines()]
    assert ["module:platform/vpc/aws", "yes"] in [line[:2] for line in lines]
    assert ["module:platform/dns/aws", "no"] in [line[:2] for line in lines]
    assert "1.10.0, 1.2.0, 1.1.0 +1" in done.stdout
    assert " ago" in done.stdout


def test_problems_have_reason_and_message(store: Path) -> None:
    lines = gitopsreg("status", "--store", store).stdout.partition("2 problems:")[2].splitlines()
    assert lines[1:] == [
        f"  module:platform/dns/aws  NotFound: no such repository (next try {LATER})",
        f"  provider:platform/internal 2.4.0  ChecksumMismatch: zip is not what it was (next try {LATER})",
    ]


def test_exit_code_is_0_unless_asked_for(store: Path) -> None:
    assert gitopsreg("status", "--store", store, "--exit-code").code == 1
    assert gitopsreg("status", "--store", store, "--exit-code", "platform/vpc/aws").code == 0
    assert gitopsreg("status", "--store", store, "--exit-code", "platform/dns/aws").code == 1


def test_json_is_complete(store: Path) -> None:
    document = gitopsreg("status", "--store", store, "--output", "json").json
    assert document["schemaVersion"] == 1
    assert document["snapshot"] == "3f" * 32
    assert document["lastAttempt"] == TIME
    assert {item["type"] for item in document["conditions"]} == {"CatalogFetched", "Published"}
    packages = {item["address"]: item for item in document["packages"]}
    broken = packages["module:platform/dns/aws"]
    assert broken["ready"] == "False"
    assert broken["conditions"][1] == {
        "type": "FetchFailed",
        "status": "True",
        "reason": "NotFound",
        "message": "no such repository",
    }
    provider = packages["provider:platform/internal"]
    assert provider["failures"][0]["nextRetry"] == LATER
    assert provider["skipped"] == [{"ref": "nightly", "reason": "is no version"}]
    assert packages["module:platform/vpc/aws"]["listed"] == ["1.0.0", "1.1.0", "1.2.0", "1.10.0"]


def test_one_package_as_json_is_the_same_object(store: Path) -> None:
    every = gitopsreg("status", "--store", store, "--output", "json").json["packages"]
    one = gitopsreg("status", "--store", store, "--output", "json", "PLATFORM/internal").json
    assert one.pop("schemaVersion") == 1
    assert one in every


def test_one_package_in_full(store: Path) -> None:
    text = gitopsreg("status", "--store", store, "provider:platform/internal").stdout
    assert "Declared in        namespaces/platform/modules/vpc/aws.yaml" in text
    assert "2.4.0  ChecksumMismatch: zip is not what it was" in text
    assert "1 ref skipped:\n  nightly: is no version" in text


def test_an_unknown_package_is_told_with_what_is_close(store: Path) -> None:
    done = gitopsreg("status", "--store", store, "platform/vcp/aws")
    assert done.code == 1
    assert 'no package is called "module:platform/vcp/aws"; did you mean "module:platform/vpc/aws"?' in done.stderr


def test_a_store_without_anything_says_what_to_do(tmp_path: Path) -> None:
    done = gitopsreg("status", "--store", tmp_path)
    assert done.code == 0
    assert "Nothing has been reconciled" in done.stdout
    assert "There is no folder" not in done.stdout
    assert f"next: gitopsreg reconcile --catalog … --store {tmp_path.as_uri()}\n" in done.stdout
    assert gitopsreg("status", "--store", tmp_path, "--output", "json").json["packages"] == []


@pytest.mark.parametrize("command", ["status", "history"])
def test_a_store_that_is_not_there_may_be_another_than_was_meant(tmp_path: Path, command: str) -> None:
    done = gitopsreg(command, "--store", tmp_path / "stroe")
    assert (done.code, done.stderr) == (0, "")
    assert f'There is no folder "{tmp_path}/stroe": the first reconcile makes it' in done.stdout
    assert not (tmp_path / "stroe").exists()


def test_who_watches_a_store_learns_that_nothing_is_in_it(tmp_path: Path) -> None:
    assert gitopsreg("status", "--store", tmp_path / "stroe", "--exit-code").code == 1


def test_a_broken_store_exits_3(tmp_path: Path) -> None:
    FilesystemStore(tmp_path).put("index/head", b"{")
    done = gitopsreg("status", "--store", tmp_path)
    assert done.code == 3
    assert done.stderr.startswith("error: ")
    assert "  next: check" in done.stderr


def test_registry_conditions_stand_on_top() -> None:
    held = a_status(
        a_package(),
        conditions=(
            Condition(type="PublishBlocked", status="True", reason="MassChangeGuard", message="12 of 20 would go"),
            Condition(type="CatalogValid", status="False", reason="Invalid", message="2 errors"),
        ),
        attempted_revision="main@sha1:" + "77" * 20,
        blocked_plan="sha256:" + "5e" * 32,
    )
    lines = shown(held).splitlines()
    assert lines[0] == "Snapshot 3f3f3f3f3f3f of main@9b9b9b9b9b"
    assert lines[1] == "Attempted main@7777777777"
    assert "PublishBlocked=True MassChangeGuard: 12 of 20 would go" in lines
    assert (
        "  to publish it all the same: gitopsreg reconcile --catalog 'my catalog' --path sub "
        f"--store file:///var/lib/store --approve sha256:{'5e' * 32}"
    ) in lines
    assert f"  registry  MassChangeGuard: 12 of 20 would go (next try {LATER})" in lines
    assert f"  registry  Invalid: 2 errors (next try {LATER})" in lines


def test_the_table_says_how_long_ago_and_how_soon() -> None:
    (line,) = [line for line in shown(a_status(a_package())).splitlines() if line.startswith("module:")]
    assert line == "module:platform/vpc/aws  yes    1.0.0     9b9b9b9b  3m ago   in 12m"


def test_what_is_neither_ready_nor_failing_says_why() -> None:
    package = a_package("module:a/b/c", Condition(type="Ready", status="Unknown", reason="Suspended"))
    assert "module:a/b/c  Suspended" in shown(a_status(package))


@pytest.mark.parametrize(
    ("stamp", "text"),
    [
        ("2026-10-01T12:02:59Z", "1s ago"),
        ("2026-10-01T12:03:00Z", "in 0s"),
        ("2026-10-01T14:02:00Z", "in 1h"),
        ("2026-09-01T12:03:00Z", "30d ago"),
        ("", ""),
        ("2026-10-01", "2026-10-01"),
    ],
)
def test_moments(stamp: str, text: str) -> None:
    assert status.moment(stamp, datetime(2026, 10, 1, 12, 3, tzinfo=UTC)) == text


def test_nothing_wrong_says_nothing_of_problems() -> None:
    assert "problem" not in shown(a_status(a_package()))


def test_a_package_that_is_only_not_ready_is_a_problem() -> None:
    package = a_package("module:a/b/c", Condition(type="Ready", status="False", reason="Suspended", message="by hand"))
    assert [problem[:3] for problem in status.package_problems(package)] == [("module:a/b/c", "Suspended", "by hand")]


def test_messages_of_others_do_not_reach_the_terminal_raw() -> None:
    text = shown(a_status(a_broken_package(message="\x1b]0;owned\x07 [red]not found")))
    assert "\x1b" not in text
    assert "\\x1b]0;owned\\x07 [red]not found" in text


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("platform/vpc/aws", "module:platform/vpc/aws"),
        ("platform/internal", "provider:platform/internal"),
        ("Module:Platform/VPC/aws", "module:platform/vpc/aws"),
    ],
)
def test_addresses_may_lack_their_kind(written: str, address: str) -> None:
    assert str(status.address_of(written)) == address


@pytest.mark.parametrize("written", ["vpc", "a/b/c/d", "resource:a/b", "../x"])
def test_what_is_no_address_is_refused(written: str) -> None:
    with pytest.raises(InvalidName):
        status.address_of(written)


def test_find_raises_for_an_unknown_package() -> None:
    with pytest.raises(NotPublished):
        status.find(a_status(), "a/b/c")


IDLE = (("Connection", "connections/github-acme.yaml"), ("Alert", "alerts/ops\x1b.yaml"))


def test_what_this_release_does_not_act_on_is_named(store: Path) -> None:
    value = a_status(a_package(), idle=IDLE)
    assert shown(value).endswith(
        "\n2 declarations valid, and not acted on by this release:\n"
        "  Connection  connections/github-acme.yaml\n  Alert       alerts/ops\\x1b.yaml\n"
    )
    assert status.as_json(value)["idle"][0] == {"kind": "Connection", "path": "connections/github-acme.yaml"}
    assert "not acted on" not in shown(a_status(a_package()))


def test_programs_do_not_see_our_own_notes(store: Path) -> None:
    done = gitopsreg("status", "--store", store, "--output", "json").json
    assert "resting" not in done
    assert all("skipKey" not in package for package in done["packages"])
    assert "skipKey" not in gitopsreg("status", "--store", store, "--output", "json", "platform/vpc/aws").json
