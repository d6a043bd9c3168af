import hashlib
import hmac
import json
import signal
import urllib.request
from pathlib import Path

import pytest

from tests.cli.catalogs import AT_MODULE, a_catalog, a_module, running
from tests.cli.shell import gitopsreg
from tests.repositories import commit, git

SECRET = "a secret that is long enough to be one"


class House:
    """A catalog, a store, and the flags that name them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.catalog = a_catalog(root / "catalog")
        self.store = root / "store"
        self.flags = ("--catalog", self.catalog, "--store", self.store, "--cache", root / "cache")


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_a_run_publishes_and_the_next_has_nothing_to_do(house: House) -> None:
    first = gitopsreg("reconcile", *house.flags)
    assert (first.code, first.stderr) == (0, "")
    assert first.stdout.startswith("Published ")
    assert "1 package, 1 version added" in first.stdout
    second = gitopsreg("reconcile", *house.flags)
    assert second.code == 0
    assert second.stdout.startswith("Nothing new in ")


def test_json_and_history(house: House) -> None:
    first = gitopsreg("reconcile", *house.flags, "--output", "json").json
    assert (first["schemaVersion"], first["published"], first["versionsAdded"]) == (1, True, 1)
    assert first["changes"][0]["added"] == ["1.0.0"]
    revision = commit(house.catalog, a_module("1.0.0", "1.1.0"), time="2026-10-02T12:00:00Z")
    second = gitopsreg("reconcile", *house.flags, "--output", "json").json
    snapshots = gitopsreg("history", "--store", house.store, "--output", "json").json["snapshots"]
    assert [snapshot["digest"].removeprefix("sha256:") for snapshot in snapshots] == [
        second["snapshot"],
        first["snapshot"],
    ]
    assert snapshots[0]["revision"].endswith(revision)
    assert snapshots[0]["time"] == "2026-10-02T12:00:00Z"
    assert snapshots[0]["previous"] == snapshots[1]["digest"]
    assert len(gitopsreg("history", "--store", house.store, "--limit", "1", "--output", "json").json["snapshots"]) == 1
    lines = gitopsreg("history", "--store", house.store).stdout.splitlines()
    assert lines[0].split() == ["SNAPSHOT", "REVISION", "COMMIT", "TIME", "PACKAGES", "STATE"]
    assert lines[1].split()[0] == second["snapshot"][:12]
    assert lines[1].split()[2:] == ["2026-10-02T12:00:00Z", "1", "served"]


def test_history_of_nothing(tmp_path: Path) -> None:
    assert "Nothing has been published" in gitopsreg("history", "--store", tmp_path).stdout
    assert gitopsreg("history", "--store", tmp_path, "--output", "json").json["snapshots"] == []


def test_a_broken_declaration_exits_1_and_keeps_what_was_good(house: House) -> None:
    gitopsreg("reconcile", *house.flags)
    commit(house.catalog, {AT_MODULE: "kind: Nonsense\n"})
    done = gitopsreg("reconcile", *house.flags)
    assert done.code == 1
    assert "1 package is not as declared; last good versions are served:" in done.stdout
    package = gitopsreg("status", "--store", house.store, "--output", "json").json["packages"][0]
    assert (package["ready"], package["listed"]) == ("False", ["1.0.0"])
    planned = gitopsreg("plan", *house.flags)
    assert planned.code == 1
    assert f"{AT_MODULE}:1:" in planned.stderr


def test_plan_says_what_a_run_would_do_and_does_not_do_it(house: House) -> None:
    assert gitopsreg("plan", *house.flags).code == 0
    changes = gitopsreg("plan", *house.flags, "--detailed-exitcode")
    assert changes.code == 2
    assert "new package; 1 version (1.0.0)" in changes.stdout
    assert gitopsreg("history", "--store", house.store, "--output", "json").json["snapshots"] == []
    gitopsreg("reconcile", *house.flags)
    nothing = gitopsreg("plan", *house.flags, "--detailed-exitcode", "--output", "json")
    assert (nothing.code, nothing.json["hasChanges"]) == (0, False)


def test_a_guard_holds_until_exactly_this_plan_is_approved(house: House) -> None:
    gitopsreg("reconcile", *house.flags)
    git(house.catalog, "rm", "--quiet", AT_MODULE)
    commit(house.catalog)
    held = gitopsreg("reconcile", *house.flags)
    assert held.code == 1
    assert held.stdout.startswith("Held back ")
    assert gitopsreg("reconcile", *house.flags, "--approve", "sha256:" + "0" * 64).code == 1
    digest = gitopsreg("plan", *house.flags, "--output", "json").json["digest"]
    assert digest in held.stdout
    approved = gitopsreg("reconcile", *house.flags, "--approve", digest.removeprefix("sha256:"))
    assert approved.code == 0
    assert approved.stdout.startswith("Published ")


def test_a_catalog_that_is_gone_exits_3(house: House) -> None:
    done = gitopsreg("reconcile", "--catalog", house.root / "gone", *house.flags[2:])
    assert done.code == 3
    assert done.stderr.startswith("error: ")
    assert "--catalog" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--watch", "--force"], "--watch goes on"),
        (["--watch", "--approve", "0" * 64], "--watch goes on"),
        (["--approve", "latest"], '"latest" is not a sha256'),
        (["--store", "ftp://x/y"], '"ftp://x/y"'),
    ],
)
def test_wrong_use(house: House, arguments: list[str], message: str) -> None:
    done = gitopsreg("reconcile", *house.flags, *arguments)
    assert done.code == 2
    assert message in done.stderr


def test_watching_tells_each_publish_on_a_line_and_receives_webhooks(house: House, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET + "\n")
    hooks = ("--hooks-listen", "127.0.0.1:0", "--receiver", f"catalog=github,file:{secret}", "--log-format", "json")
    with running("reconcile", *house.flags, "--watch", "--interval", "1h", *hooks) as process:
        assert process.process.stderr is not None
        address = json.loads(process.process.stderr.readline())["address"]
        process.until("Published ")
        commit(house.catalog, a_module("1.0.0", "1.1.0"))
        body = json.dumps({"ref": "refs/heads/main"}).encode()
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers = {"X-Hub-Signature-256": f"sha256={signature}", "X-GitHub-Event": "push"}
        request = urllib.request.Request(f"{address}/hooks/catalog", body, headers, method="POST")
        with urllib.request.urlopen(request) as answer:
            assert answer.status == 202
        assert "1 version added" in process.until("Published ")
        code, _ = process.stop()
        assert code == 0


def test_watching_looks_at_every_interval_and_ends_on_a_signal(house: House) -> None:
    with running("reconcile", *house.flags, "--watch", "--interval", "1s", "--output", "json") as process:
        first = json.loads(process.until("reconciled"))
        assert (first["event"], first["published"]) == ("reconciled", True)
        commit(house.catalog, a_module("1.0.0", "1.1.0"))
        assert json.loads(process.until("reconciled"))["versionsAdded"] == 1
        assert process.stop() == (0, "")


def test_watching_ends_on_ctrl_c(house: House) -> None:
    with running("reconcile", *house.flags, "--watch") as process:
        process.until("Published ")
        assert process.stop(signal.SIGINT) == (130, "")


def test_watching_tells_an_outage_once_and_goes_on(house: House) -> None:
    with running("reconcile", *house.flags, "--watch", "--interval", "1s", "--log-format", "json") as process:
        process.until("Published ")
        house.catalog.rename(house.root / "away")
        assert process.process.stderr is not None
        problem = json.loads(process.process.stderr.readline())
        assert problem["level"] in {"error", "warning"}
        (house.root / "away").rename(house.catalog)
        commit(house.catalog, a_module("1.0.0", "1.1.0"))
        process.until("Published ")
        assert process.stop()[0] == 0
