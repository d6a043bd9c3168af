"""`hold`, `release`, `rollback`, and what `history` and `status` say of them."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gitopsreg.cli.holding import a_hold, operator, parse_until, says_the_same
from gitopsreg.cli.publishing import stamp
from gitopsreg.errors import InvalidName
from gitopsreg.index.codec import encode_lease
from gitopsreg.index.keys import LEASE
from gitopsreg.index.lease import Holder, LeaseRecord
from gitopsreg.storage.filesystem import FilesystemStore
from tests.cli.catalogs import AT_MODULE, a_catalog, a_module
from tests.cli.shell import Ran, gitopsreg
from tests.repositories import commit, git

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


class House:
    """A registry with two snapshots; `run` gives a command its store."""

    def __init__(self, root: Path) -> None:
        self.catalog = a_catalog(root / "catalog")
        self.store = root / "store"
        self.flags = ("--catalog", self.catalog, "--cache", root / "cache")
        self.first = self.reconcile().json["snapshot"]
        commit(self.catalog, a_module("1.0.0", "1.1.0"))
        self.second = self.reconcile().json["snapshot"]

    def run(self, *arguments: str | Path) -> Ran:
        return gitopsreg(*arguments, "--store", self.store)

    def reconcile(self, *arguments: str) -> Ran:
        return self.run("reconcile", *self.flags, "--output", "json", *arguments)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_a_hold_is_set_changed_and_released(house: House) -> None:
    done = house.run("hold", "--reason", "new disks")
    assert (done.code, done.stderr) == (0, "")
    assert re.fullmatch(
        r"Publishing is on hold since \S+Z by \S+@\S+, until it is released: new disks\n", done.stdout
    ), done.stdout
    again = house.run("hold", "--reason", "new disks", "--output", "json").json
    assert again["changed"] is False
    commit(house.catalog, a_module("1.0.0", "1.1.0", "1.2.0"))
    held = house.reconcile()
    assert (held.code, held.json["published"]) == (1, False)
    assert held.json["blocked"].startswith("on hold since ")
    changed = house.run("hold", "--until", "4h", "--output", "json").json
    assert (changed["changed"], changed["hold"]["since"]) == (True, again["hold"]["since"])
    released = house.run("release")
    assert (released.code, released.stdout.startswith("Released; it was on hold since ")) == (0, True)
    assert house.run("release").stdout == "Publishing is not on hold.\n"
    assert house.run("release", "--output", "json").json == {"schemaVersion": 1, "changed": False, "hold": None}
    assert house.reconcile().json["published"] is True


def test_a_rollback_and_the_way_back(house: House) -> None:
    done = house.run("rollback", "previous", "--hold", "--until", "4h", "--reason", "1.1.0 breaks plans")
    assert (done.code, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == f"Serving {house.first[:12]}"
    assert lines[1] == f"Rolled back: {house.first[:12]} is served, {house.second[:12]} is the newest"
    assert "1.1.0 breaks plans; 'gitopsreg release' ends it" in lines[2]
    history = house.run("history")
    rows = [line.split() for line in history.stdout.splitlines()[1:3]]
    assert [(row[0], row[-1]) for row in rows] == [(house.second[:12], "newest"), (house.first[:12], "served")]
    document = house.run("history", "--output", "json").json
    assert (document["served"], document["newest"]) == (f"sha256:{house.first}", f"sha256:{house.second}")
    assert document["hold"]["reason"] == "1.1.0 breaks plans"
    assert house.reconcile().json["snapshot"] == house.first
    house.run("release")
    assert house.reconcile().json["snapshot"] == house.second
    assert [item["state"] for item in house.run("history", "--output", "json").json["snapshots"]] == ["served", ""]


def test_the_same_rollback_twice_changes_nothing(house: House) -> None:
    wanted = ("rollback", house.first[:12], "--hold", "--output", "json")
    assert [house.run(*wanted).json["changed"] for _ in range(2)] == [True, False]


def test_without_a_hold_the_next_run_would_undo_it(house: House) -> None:
    done = house.run("rollback", "previous")
    assert done.code == 2
    assert "git revert" in done.stderr
    assert house.run("history", "--output", "json").json["served"] == f"sha256:{house.second}"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["rollback", "latest", "--hold"], 2, '"latest" names no snapshot'),
        (["rollback", "0" * 64, "--hold"], 1, "no snapshot that is kept"),
        (["rollback", "previous", "--hold", "--until", "yesterday"], 2, '--until "yesterday"'),
        (["hold", "--until", "2020-01-01T00:00:00Z"], 2, "a time to come"),
        (["hold", "--reason", "x" * 201], 2, "200 at most"),
    ],
)
def test_wrong_use(house: House, arguments: list[str], code: int, message: str) -> None:
    done = house.run(*arguments)
    assert (done.code, done.stdout) == (code, "")
    assert message in done.stderr


@pytest.mark.parametrize("verb", [["hold"], ["release"], ["rollback", "previous", "--hold"]])
def test_an_empty_store_has_nothing_to_hold_and_stays_empty(tmp_path: Path, verb: list[str]) -> None:
    done = gitopsreg(*verb, "--store", tmp_path / "store")
    assert done.code == 1
    assert "nothing has been published into this store yet" in done.stderr
    assert not (tmp_path / "store").exists()


def test_a_snapshot_that_lacks_bytes_is_not_served(house: House) -> None:
    for blob in house.store.joinpath("blobs").iterdir():
        if blob.is_file():
            blob.unlink()
    done = house.run("rollback", "previous", "--hold")
    assert done.code == 3
    assert "can't be served whole" in done.stderr
    assert house.run("history", "--output", "json").json["hold"] is None


def test_archived_packages_are_not_counted(house: House) -> None:
    git(house.catalog, "rm", "--quiet", AT_MODULE)
    commit(house.catalog, {"registry.yaml": REGISTRY})
    assert house.reconcile().json["packages"] == 0
    counts = [item["packages"] for item in house.run("history", "--output", "json").json["snapshots"]]
    assert counts == [0, 1, 1]


REGISTRY = (
    "apiVersion: gitopsreg.io/v1alpha1\nkind: Registry\nmetadata: {name: default}\nspec: {guards: {allowEmpty: true}}\n"
)


# Status


def test_status_tells_a_hold_at_once_and_who_is_at_work(house: House) -> None:
    house.run("rollback", "previous", "--hold", "--reason", "1.1.0 breaks plans")
    holder = Holder(host="host-a", pid=12, id="x")
    record = LeaseRecord(epoch=9, duration=30, holder=holder, acquired=stamp(NOW), renewed=stamp(NOW))
    FilesystemStore(house.store).put(LEASE, encode_lease(record))
    text = house.run("status").stdout
    assert f"Rolled back: {house.first[:12]} is served, {house.second[:12]} is the newest" in text
    assert text.count("1.1.0 breaks plans") == 1
    assert "At work: process 12 of host-a since 2026-11-01T12:00:00Z" in text
    document = house.run("status", "--output", "json").json
    assert document["lease"]["holder"]["host"] == "host-a"
    assert document["hold"]["reason"] == "1.1.0 breaks plans"
    assert document["served"] == f"sha256:{house.first}"


def test_status_marks_what_is_yanked_hidden_archived_or_blocked(house: House) -> None:
    rules = """\
    yanked:
      - {version: "1.1.0", reason: slow}
      - {version: "1.2.0", reason: wrong, visibility: hidden}
    blocked: [{version: "1.3.0", reason: leak}]
"""
    versions = ("1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0")
    commit(house.catalog, a_module(*versions))
    house.reconcile()
    files = a_module(*versions[1:])
    commit(house.catalog, files | {AT_MODULE: files[AT_MODULE] + rules})
    house.reconcile()
    package = house.run("status", "--output", "json").json["packages"][0]
    assert {item["version"]: item["mark"] for item in package["marks"]} == {
        "1.0.0": "archived",
        "1.1.0": "yanked",
        "1.2.0": "hidden",
        "1.3.0": "blocked",
    }
    assert "1.4.0, 1.1.0 (yanked)" in house.run("status").stdout
    one = house.run("status", "platform/naming/generic").stdout
    assert re.search(r"^Hidden +1\.2\.0$", one, re.MULTILINE)
    assert re.search(r"^Archived +1\.0\.0$", one, re.MULTILINE)


# What operators write


@pytest.mark.parametrize(
    ("text", "end"),
    [
        (None, ""),
        ("4h", "2026-11-01T16:00:00Z"),
        ("1d", "2026-11-02T12:00:00Z"),
        ("2026-11-01T14:00:00+01:00", "2026-11-01T13:00:00Z"),
        ("2026-12-24T18:00:00Z", "2026-12-24T18:00:00Z"),
    ],
)
def test_ends_of_holds(text: str | None, end: str) -> None:
    assert parse_until(text, NOW) == end


@pytest.mark.parametrize(
    "text", ["", "soon", "-4h", "0s", "2026-11-01T12:00:00Z", "2026-12-24T18:00:00", "2026-12-24", "400d", "9" * 40]
)
def test_ends_that_are_none(text: str) -> None:
    with pytest.raises(InvalidName, match=r'write a duration like "4h", or a time to come with its zone'):
        parse_until(text, NOW)


def test_a_hold_in_force_goes_on_when_it_is_changed() -> None:
    was = a_hold(None, "one", now=NOW)
    later = a_hold("4h", "two", now=NOW + timedelta(hours=1), was=was)
    assert (later.since, later.reason, later.until) == (was.since, "two", "2026-11-01T17:00:00Z")
    assert says_the_same(a_hold(None, "one", now=NOW + timedelta(hours=1)), was)
    assert not says_the_same(later, was)
    assert not says_the_same(was, None)


def test_words_of_operators_can_be_shown_anywhere() -> None:
    assert a_hold(None, "\x1b[31mred\n", now=NOW).reason == "\\x1b[31mred\\n"
    assert operator().isprintable()
    assert "@" in operator()
