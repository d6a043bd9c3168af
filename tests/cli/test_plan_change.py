"""`gitopsreg plan --base`: what a change does, in every format, for real repositories and real stores."""

import json
import os
import random
import sys
from pathlib import Path
from subprocess import run

import pytest

from gitopsreg.cli.main import run as gitopsreg_run
from tests.cli import plan_world
from tests.cli.catalogs import AT_MODULE, a_catalog, a_module
from tests.cli.shell import Ran, environment, gitopsreg, on_terminal
from tests.repositories import a_repository, commit, git, tag, write

AT_KEY = "namespaces/platform/keys/release.yaml"
KEPT = Path(__file__).parent / "plans"
# A process that may not open a socket to anywhere, nor ask for a name, nor start a program that could.
NO_NETWORK = """\
import os, socket, subprocess, sys
def refuse(*_, **__): raise SystemExit("the network was used")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.create_connection = refuse
subprocess.Popen.__init__ = os.system = os.posix_spawn = os.fork = os.execve = refuse
from gitopsreg.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    return plan_world.a_clone(tmp_path / "clone")


def plan(clone: Path, *arguments: str | Path, **variables: str) -> Ran:
    return gitopsreg("plan", "--base", "main", *arguments, cwd=clone, **variables)


def expect(name: str, text: str) -> None:
    """The text is what is kept; `UPDATE_PLANS=1` keeps it anew."""
    path = KEPT / name
    if os.environ.get("UPDATE_PLANS"):
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize("form", ["human", "json", "markdown"])
def test_a_change_that_touches_everything(clone: Path, form: str) -> None:
    done = plan(clone, "--head", "HEAD", "--output", form)
    assert (done.code, done.stderr) == (1, "")  # one file of it is broken
    expect({"human": "everything.txt", "json": "everything.json", "markdown": "everything.md"}[form], done.stdout)


def test_several_formats_at_once_and_every_run_is_the_same(clone: Path) -> None:
    one = plan(clone, "--output", "markdown=one.md", "--output", "json=one.json", "--output", "text=one.txt")
    two = plan(clone, "--output", "markdown=two.md", "--output", "json=two.json", "--output", "human", TZ="Asia/Tokyo")
    assert one.stdout == ""
    for form in ("md", "json"):
        assert (clone / f"one.{form}").read_bytes() == (clone / f"two.{form}").read_bytes()
    assert (clone / "one.txt").read_text() == two.stdout


@pytest.mark.parametrize("seed", range(3))
def test_neither_the_machine_nor_the_order_of_writing_has_a_share(tmp_path: Path, seed: int) -> None:
    texts = []
    for number in (seed, seed + 1):
        order = random.Random(number)
        before, after = (
            dict(order.sample(sorted(files.items()), len(files))) for files in (plan_world.BEFORE, plan_world.AFTER)
        )
        repository = plan_world.a_clone(tmp_path / f"clone{number}", before, after)
        texts.append(plan(repository, "--output", "json", PYTHONHASHSEED=str(number)).stdout)
    assert texts[0] == texts[1]


def test_the_working_tree_is_planned_as_it_lies_there(clone: Path) -> None:
    committed = plan(clone, "--head", "change", "--output", "json").json
    assert plan(clone, "--output", "json").json["digest"] == committed["digest"]
    write(clone, {AT_KEY: plan_world.BEFORE[AT_KEY]})
    there = plan(clone, "--output", "json").json
    assert there["head"] == "worktree"
    subjects = {change["subject"] for change in there["changes"]}
    assert "key:platform/release" not in subjects
    assert {change["subject"] for change in committed["changes"]} - subjects == {"key:platform/release"}


def test_a_branch_that_is_behind_takes_nothing_back(clone: Path) -> None:
    subjects = [change["subject"] for change in plan(clone, "--output", "json").json["changes"]]
    git(clone, "switch", "--quiet", "main")
    commit(clone, plan_world.module("meanwhile", ""))
    git(clone, "switch", "--quiet", "change")
    assert [change["subject"] for change in plan(clone, "--output", "json").json["changes"]] == subjects


def test_a_catalog_in_a_folder_is_planned_from_anywhere(tmp_path: Path) -> None:
    inside = {f"sub/catalog/{name}": text for name, text in plan_world.BEFORE.items()}
    after = {f"sub/catalog/{name}": text for name, text in plan_world.AFTER.items()}
    repository = plan_world.a_clone(tmp_path / "clone", inside, after)
    from_top = plan(repository, "--path", "sub/catalog", "--output", "json").stdout
    assert plan(repository / "sub", "--path", "catalog", "--output", "json").stdout == from_top
    assert plan(tmp_path, "--catalog", repository, "--path", "sub/catalog", "--output", "json").stdout == from_top
    assert json.loads(from_top)["changes"][0]["path"].startswith("sub/catalog/namespaces/")


@pytest.mark.parametrize(
    ("after", "plain", "detailed"),
    [
        (plan_world.BEFORE, 0, 0),
        ({**plan_world.BEFORE, **plan_world.module("new", "")}, 0, 2),
        ({**plan_world.BEFORE, **plan_world.module("new", "  nonsense: 1\n")}, 1, 1),
    ],
)
def test_exit_codes(tmp_path: Path, after: dict[str, str], plain: int, detailed: int) -> None:
    repository = plan_world.a_clone(tmp_path / "clone", plan_world.BEFORE, after)
    assert plan(repository).code == plain
    assert plan(repository, "--detailed-exitcode").code == detailed


def test_a_broken_registry_file_says_that_nothing_can_be_published(tmp_path: Path) -> None:
    after = {**plan_world.BEFORE, **plan_world.registry("  nonsense: 1\n")}
    done = plan(plan_world.a_clone(tmp_path / "clone", plan_world.BEFORE, after))
    assert done.code == 1
    assert "nothing can be published: registry.yaml is broken" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--base", "nope"], 3, 'this clone has no revision "nope": fetch it first'),
        (["--base", "main", "--head", "nope"], 3, 'this clone has no revision "nope"'),
        (["--base", "main", "--path", "nope"], 2, '"nope" is no directory'),
        (["--base", "main", "--output", "yaml"], 2, "write one of human, json, markdown"),
        (["--base", "main", "--output", "json", "--output", "markdown"], 2, "only one report can go to stdout"),
        (["--base", "main", "--offline", "--index", "x"], 2, "leave --offline out"),
        (["--base", "main", "--index", "x.json"], 3, 'the index "x.json" can\'t be read'),
        (["--head", "main"], 2, "--head goes with --base REV"),
        (["--index", "x"], 2, "--index goes with --base REV"),
        ([], 2, "or compare with another revision of a clone: --base origin/main"),
    ],
)
def test_wrong_use_says_what_would_be_right(clone: Path, arguments: list[str], code: int, words: str) -> None:
    done = gitopsreg("plan", *arguments, cwd=clone)
    assert done.code == code
    assert words in done.stderr
    assert done.stderr.startswith("error: ")


def test_outside_a_clone(tmp_path: Path) -> None:
    done = gitopsreg("plan", "--base", "main", cwd=tmp_path)
    assert done.code == 3
    assert "is in no Git repository" in done.stderr


def test_a_fork_is_planned_without_network_credentials_or_programs(clone: Path) -> None:
    """What a pull request of a stranger may be given: nothing but its own files."""
    done = run(
        [sys.executable, "-c", NO_NETWORK, "plan", "--base", "main", "--output", "json"],
        cwd=clone,
        env=environment(HOME="/nonexistent"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == plan(clone, "--output", "json").stdout
    assert done.stderr == ""


def test_a_person_sees_colours(clone: Path) -> None:
    code, seen = on_terminal("plan", "--base", "main", "--catalog", clone)
    assert code == 1
    assert "\x1b[1;31mhigh: ownership" in seen
    assert "\x1b[" not in plan(clone).stdout


def test_asking_upstreams_without_an_index_tells_what_the_change_brings(tmp_path: Path) -> None:
    repository = a_catalog(tmp_path / "catalog")
    commit(repository, a_module("1.0.0", "1.1.0"))
    document = gitopsreg("plan", "--base", "HEAD~1", "--online", "--output", "json", cwd=repository).json
    (change,) = document["online"]["changes"]
    assert (change["action"], change["added"]) == ("change", ["1.1.0"])
    assert (document["online"]["asked"], document["online"]["silent"]) == (1, [])
    assert document["online"]["against"] == ""


def upstream(path: Path, *versions: str) -> Path:
    """A module's repository with a tag a version."""
    repository = a_repository(path)
    for version in versions:
        commit(repository, {"main.tf": f'output "v" {{ value = "{version}" }}\n'})
        tag(repository, f"v{version}")
    return repository


def test_the_plan_of_a_change_is_what_the_reconcile_after_the_merge_does(tmp_path: Path) -> None:
    """Planned in the pull request, approved by that digest after a squash merge, published to the letter."""
    origin = upstream(tmp_path / "vpc", "1.0.0", "1.1.0", "1.3.0", "2.0.0")
    store = tmp_path / "store"
    repository = a_catalog(tmp_path / "catalog")
    others = plan_world.module("one", "", url=origin.as_uri()) | plan_world.module("two", "", url=origin.as_uri())
    commit(repository, others)
    common = ("--store", store, "--allow-local-sources", "--cache", tmp_path / "cache")
    assert gitopsreg("reconcile", "--catalog", repository, *common).code == 0

    git(repository, "switch", "--quiet", "--create", "change")
    for name in others:
        (repository / name).unlink()
    rules = "  versions:\n    constraint: '< 2.0.0'\n    exclude: ['^1\\.3\\.']\n"
    commit(repository, plan_world.module("vpc", rules, url=origin.as_uri()) | a_module("1.0.0", "1.1.0"))
    done = gitopsreg(
        "plan", "--base", "main", *common, "--output", "json", "--output", "markdown=plan.md", cwd=repository
    )
    planned = done.json
    assert (done.code, done.stderr) == (0, "")
    assert planned["online"]["guard"].startswith("2 of 3 packages would be removed")
    assert {remark["text"] for remark in planned["online"]["skipped"]} == {
        'excluded by "^1\\.3\\."',
        'outside the constraint "< 2.0.0"',
    }
    assert (planned["online"]["versions"], planned["online"]["unmeasured"]) == (3, 2)
    comment = (repository / "plan.md").read_text()
    assert f"gitopsreg reconcile --approve {planned['digest']}" in comment
    assert "new module; from git" in comment
    assert "2 versions (1.0.0, 1.1.0)" in comment

    git(repository, "switch", "--quiet", "main")
    git(repository, "merge", "--quiet", "--squash", "change")
    git(repository, "clean", "--force", "--quiet")
    commit(repository, time="2026-10-02T12:00:00Z")
    held = gitopsreg("reconcile", "--catalog", repository, *common, "--output", "json")
    assert held.json["blockedPlan"] == planned["digest"]
    merged = gitopsreg(
        "reconcile", "--catalog", repository, *common, "--approve", planned["digest"], "--output", "json"
    )
    assert merged.code == 0, merged.stderr
    assert merged.json["published"]
    status = gitopsreg("status", "--store", store, "--output", "json").json
    listed = {item["address"]: item["listed"] for item in status["packages"]}
    assert listed == {
        "module:platform/naming/generic": ["1.0.0", "1.1.0"],
        "module:platform/vpc/aws": ["1.0.0", "1.1.0"],
    }
    after = gitopsreg("plan", "--base", "HEAD", *common, "--output", "json", "--detailed-exitcode", cwd=repository)
    assert (after.code, after.json["online"]["changes"]) == (0, [])


def test_an_exported_index_plans_as_its_store_does(tmp_path: Path) -> None:
    store, file = tmp_path / "store", tmp_path / "index.json"
    repository = a_catalog(tmp_path / "catalog")
    assert gitopsreg("reconcile", "--catalog", repository, "--store", store, "--cache", tmp_path / "cache").code == 0
    commit(repository, a_module("1.0.0", "1.1.0"))
    assert gitopsreg("index", "export", file, "--store", store).code == 0
    cache = ("--cache", tmp_path / "cache", "--output", "json")
    by_store = gitopsreg("plan", "--base", "HEAD~1", "--store", store, *cache, cwd=repository).json
    by_file = gitopsreg("plan", "--base", "HEAD~1", "--index", file, *cache, cwd=repository).json
    assert by_file.pop("online") == by_store.pop("online") | {"against": "index"}
    assert by_file == by_store
    assert by_file["digest"] == gitopsreg("plan", "--catalog", repository, "--store", store, *cache).json["digest"]


def test_planning_writes_nothing_to_a_store(tmp_path: Path) -> None:
    repository, store = a_catalog(tmp_path / "catalog"), tmp_path / "store"
    assert gitopsreg("plan", "--base", "HEAD", "--store", store, cwd=repository).code == 0
    assert not store.exists()


def test_an_upstream_that_is_away_is_told_and_makes_the_plan_uncertain(tmp_path: Path) -> None:
    repository = a_catalog(tmp_path / "catalog")
    commit(repository, plan_world.module("away", "", url=(tmp_path / "nowhere").as_uri()))
    done = gitopsreg(
        "plan", "--base", "HEAD~1", "--online", "--allow-local-sources", "--detailed-exitcode", cwd=repository
    )
    assert done.code == 3
    assert "online check: 0 of 1 source reached" in done.stdout
    assert "Sources that did not answer (1)" in done.stdout


def test_a_folder_that_is_not_committed_is_told(tmp_path: Path) -> None:
    repository = a_catalog(tmp_path / "catalog")
    write(repository, a_module("1.0.0", "1.1.0"))
    done = gitopsreg("plan", "--base", "HEAD", "--online", cwd=repository)
    assert 'no folder "content/naming/1.1.0" is committed' in done.stdout


def test_in_this_process_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    repository = a_catalog(tmp_path / "catalog")
    (repository / AT_MODULE).unlink()
    monkeypatch.chdir(repository)
    assert gitopsreg_run(["plan", "--base", "HEAD", "--detailed-exitcode"]) == 2
    assert "removed: its versions are archived" in capsys.readouterr().out
