"""What forges read, against the forges' own schemas (as check-jsonschema brings them)."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.cli.shell import gitopsreg
from tests.forges.checkout import ACTION, TOP

ACTIONS = (TOP / "action.yml", ACTION / "comment" / "action.yml")
COMPONENT = TOP / "deploy/gitlab/validate.yml"


@pytest.fixture(scope="module")
def github(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("github") / "catalog"
    assert gitopsreg("new-catalog", folder).code == 0
    return folder


def check(schema: str, *files: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
    command += ["--data-transform", "gitlab-ci"] if schema == "gitlab-ci" else []
    done = subprocess.run([*command, *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_schemas_refuse_what_is_wrong(tmp_path: Path) -> None:
    for schema, text in (("github-actions", "name: x\n"), ("github-workflows", "on: push\n"), ("gitlab-ci", "a: 1\n")):
        (tmp_path / "wrong.yml").write_text(text)
        with pytest.raises(AssertionError):
            check(schema, tmp_path / "wrong.yml")


def test_actions_are_actions() -> None:
    check("github-actions", *ACTIONS)


def test_workflows_are_workflows(github: Path) -> None:
    check("github-workflows", *sorted((github / ".github/workflows").iterdir()))


def test_the_component_is_a_job(tmp_path: Path) -> None:
    spec, job = COMPONENT.read_text().split("\n---\n")
    assert set(yaml.safe_load(spec)) == {"spec"}
    assert list(yaml.safe_load(job)) == ["gitopsreg / validate"]
    (tmp_path / "job.yml").write_text(job)
    check("gitlab-ci", tmp_path / "job.yml")


def test_gitlab_takes_the_include(tmp_path: Path) -> None:
    assert gitopsreg("new-catalog", tmp_path / "catalog", "--style", "gitlab").code == 0
    file = tmp_path / "catalog/.gitlab-ci.yml"
    check("gitlab-ci", file)
    (included,) = yaml.safe_load(file.read_text())["include"]
    spec = yaml.safe_load(COMPONENT.read_text().split("\n---\n")[0])["spec"]
    assert set(included["inputs"]) <= set(spec["inputs"])


def test_the_commented_include_is_the_same(github: Path, tmp_path: Path) -> None:
    assert gitopsreg("new-catalog", tmp_path / "catalog", "--style", "gitlab").code == 0
    lines = (github / ".gitlab-ci.yml").read_text().splitlines()[1:]
    plain = (tmp_path / "catalog/.gitlab-ci.yml").read_text().splitlines()[1:]
    assert [line.removeprefix("# ") for line in lines] == plain


@pytest.mark.parametrize("file", ACTIONS, ids=["check", "comment"])
def test_no_input_is_part_of_a_command(file: Path) -> None:
    for step in yaml.safe_load(file.read_text())["runs"]["steps"]:
        assert "${{" not in step["run"]


def test_no_event_is_part_of_a_command_and_every_action_is_pinned(github: Path) -> None:
    for file in (github / ".github/workflows").iterdir():
        text = file.read_text()
        workflow = yaml.safe_load(text)
        for job in workflow["jobs"].values():
            assert all("run" not in step for step in job["steps"])
        for used in re.findall(r"uses: (\S+)", text):
            assert used.startswith("gitopsreg/gitopsreg") or re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", used)


def test_what_runs_for_a_pull_request_can_only_read(github: Path) -> None:
    check_it = yaml.safe_load((github / ".github/workflows/validate.yml").read_text())
    # YAML 1.1 reads the key "on" as true.
    assert set(check_it[True]) == {"pull_request", "push"}
    assert check_it["permissions"] == {"contents": "read"}
    assert "secrets" not in (github / ".github/workflows/validate.yml").read_text().replace("no secrets", "")
    comment = yaml.safe_load((github / ".github/workflows/plan-comment.yml").read_text())
    assert set(comment[True]) == {"workflow_run"}
    assert comment[True]["workflow_run"]["workflows"] == [check_it["name"]]
    assert comment["permissions"] == {}
    assert comment["jobs"]["comment"]["permissions"] == {"actions": "read", "pull-requests": "write"}
    assert "checkout" not in str(comment["jobs"])


def test_the_workflows_give_the_actions_what_they_take(github: Path) -> None:
    for name, action in zip(("validate.yml", "plan-comment.yml"), ACTIONS, strict=True):
        workflow = yaml.safe_load((github / ".github/workflows" / name).read_text())
        steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
        (ours,) = [step for step in steps if step["uses"].startswith("gitopsreg/")]
        inputs = yaml.safe_load(action.read_text())["inputs"]
        assert set(ours["with"]) <= set(inputs)
        required = {name for name, about in inputs.items() if about.get("required")}
        assert required <= set(ours["with"])


def test_scripts_are_sound() -> None:
    for script in ACTION.glob("*.sh"):
        assert script.stat().st_mode & 0o111
        done = subprocess.run(["bash", "-n", script], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
