"""The action's scripts with the variables that GitHub's runner sets, in a real clone."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.shell import environment, gitopsreg
from tests.forges.checkout import ACTION, a_clone
from tests.forges.test_pre_commit import index_answers
from tests.repositories import commit, git, write

GREETING = "namespaces/platform/modules/greeting/generic.yaml"
VPC = "namespaces/platform/modules/vpc/aws.yaml"


@dataclass(frozen=True)
class Ran:
    code: int
    log: str
    outputs: dict[str, str]
    summary: str


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    folder = tmp_path / "catalog"
    assert gitopsreg("new-catalog", folder, "--git").code == 0
    commit(folder)
    return folder


def run(catalog: Path, **inputs: str) -> Ran:
    """The step `run` of action.yml; inputs as `GR_…`, empty ones as GitHub hands them over."""
    runner = catalog.parent / "runner"
    runner.mkdir(exist_ok=True)
    for name in ("output", "summary"):
        (runner / name).write_text("")
    empty = ("GR_BASE", "GR_CODEOWNERS", "GR_SARIF_FILE", "GR_PLAN_FILE")
    variables = environment(
        PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        GITHUB_ACTIONS="true",
        GITHUB_OUTPUT=str(runner / "output"),
        GITHUB_STEP_SUMMARY=str(runner / "summary"),
        GITHUB_WORKSPACE=str(catalog),
        RUNNER_TEMP=str(runner),
        **dict.fromkeys(empty, "") | {"GR_PATH": ".", "GR_STRICT": "false"} | inputs,
    )
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", f'"{ACTION}/run.sh"']
    done = subprocess.run(command, cwd=catalog, env=variables, capture_output=True, text=True, timeout=120, check=False)
    assert not list(runner.glob("gitopsreg.*"))
    lines = (runner / "output").read_text().splitlines()
    outputs = dict(line.split("=", 1) for line in lines)
    assert len(outputs) == len(lines)
    return Ran(done.returncode, done.stdout + done.stderr, outputs, (runner / "summary").read_text())


def add_module(catalog: Path) -> None:
    url = "https://git.example.com/acme/terraform-aws-vpc.git"
    assert gitopsreg("add", "module", url, "--namespace", "platform", "--offline", cwd=catalog).code == 0


def test_a_clean_catalog(catalog: Path) -> None:
    done = run(catalog, GR_CODEOWNERS="github")
    assert done.code == 0, done.log
    assert done.outputs == {"errors": "0", "warnings": "0"}


def test_findings_are_annotations_outputs_and_sarif(catalog: Path) -> None:
    write(catalog, {GREETING: (catalog / GREETING).read_text().replace('"1.0.0"', "1.0")})
    done = run(catalog, GR_SARIF_FILE="out.sarif")
    assert done.code == 1
    assert f"::error file={GREETING},line=" in done.log
    assert int(done.outputs["errors"]) >= 1
    assert "GR201" in done.summary
    assert json.loads((catalog / "out.sarif").read_text())["version"] == "2.1.0"


def test_warnings_fail_only_when_asked_to(catalog: Path) -> None:
    write(
        catalog, {GREETING: (catalog / GREETING).read_text() + "  deprecation: {message: gone, replacement: a/b/c}\n"}
    )
    done = run(catalog)
    assert (done.code, done.outputs["warnings"]) == (0, "1")
    assert run(catalog, GR_STRICT="true").code == 1


def test_the_plan_of_a_pull_request(catalog: Path) -> None:
    base = git(catalog, "rev-parse", "HEAD")
    unchanged = run(catalog, GR_BASE=base)
    assert (unchanged.code, unchanged.outputs["changed"]) == (0, "false")
    git(catalog, "switch", "--quiet", "--create", "feature")
    add_module(catalog)
    commit(catalog)
    done = run(catalog, GR_BASE=base, GR_PLAN_FILE="plan.md", GR_CODEOWNERS="github")
    assert done.code == 0, done.log
    assert done.outputs == {"errors": "0", "warnings": "0", "changed": "true", "plan-file": "plan.md"}
    plan = (catalog / "plan.md").read_text()
    assert plan.startswith("<!-- gitopsreg:plan:")
    assert "module:platform/vpc/aws" in plan
    assert plan in done.summary


def test_code_owners_that_nobody_wrote_fail(catalog: Path) -> None:
    owners = catalog / "namespaces/platform/namespace.yaml"
    owners.write_text(owners.read_text().replace("acme/platform", "acme/others"))
    assert run(catalog).code == 0
    done = run(catalog, GR_CODEOWNERS="github")
    assert done.code == 1
    assert "::error::CODEOWNERS is not what the catalog says" in done.log


def test_a_base_that_the_clone_lacks_is_told_with_advice(catalog: Path) -> None:
    done = run(catalog, GR_BASE="0" * 39 + "1")
    assert done.code == 3, done.log
    assert "fetch-depth: 0" in done.log


HOSTILE = ["$(touch pwned)`touch pwned`; touch pwned && touch pwned", "'\"; touch pwned; \"'", "--help", "a b *"]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("name", ["GR_PATH", "GR_BASE", "GR_STRICT", "GR_CODEOWNERS"])
def test_an_input_runs_nothing(catalog: Path, name: str, text: str) -> None:
    before = sorted(path.name for path in catalog.iterdir())
    done = run(catalog, **{name: text})
    assert done.code == 0 if name == "GR_STRICT" else done.code in {2, 3}, done.log
    assert sorted(path.name for path in catalog.iterdir()) == before
    assert set(done.outputs) <= {"errors", "warnings", "changed"}


@pytest.mark.parametrize("text", HOSTILE)
def test_the_name_of_a_file_is_a_name(catalog: Path, text: str) -> None:
    base = git(catalog, "rev-parse", "HEAD")
    done = run(catalog, GR_SARIF_FILE=text, GR_PLAN_FILE=f"{text}.md", GR_BASE=base)
    assert done.code == 0, done.log
    assert (catalog / text).is_file()
    assert done.outputs["plan-file"] == f"{text}.md"
    assert not (catalog / "pwned").exists()


@pytest.mark.parametrize("name", ["GR_PATH", "GR_BASE", "GR_CODEOWNERS", "GR_SARIF_FILE", "GR_PLAN_FILE", "GR_STRICT"])
@pytest.mark.parametrize("text", [".\nerrors=0", ".\rx", "a\n::set-output name=x::y"])
def test_a_line_break_writes_no_output(catalog: Path, name: str, text: str) -> None:
    done = run(catalog, **{name: text})
    assert (done.code, done.outputs) == (2, {})
    assert done.log.endswith("holds a line break\n")
    assert "set-output" not in done.log


@pytest.mark.timeout(600)
def test_the_action_brings_its_own_gitopsreg(catalog: Path, tmp_path: Path) -> None:
    if os.environ.get("CI") != "true" and not index_answers(tmp_path / "download"):
        pytest.skip("pip can't reach a package index, which the action installs from")
    clone, _ = a_clone(tmp_path / "action")
    (tmp_path / "temp").mkdir()
    variables = environment(
        GITHUB_ACTION_PATH=str(clone),
        GITHUB_PATH=str(tmp_path / "path"),
        RUNNER_TEMP=str(tmp_path / "temp"),
        GR_PYTHON=sys.executable,
    )
    install = ["bash", str(clone / ".github/action/install.sh")]
    done = subprocess.run(install, env=variables, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (folder,) = (tmp_path / "path").read_text().splitlines()
    assert [path.name for path in Path(folder).iterdir()] == ["gitopsreg"]
    checked = subprocess.run(
        [f"{folder}/gitopsreg", "validate", "--strict"], cwd=catalog, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_an_old_python_is_told(tmp_path: Path) -> None:
    old = tmp_path / "python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    variables = environment(GITHUB_ACTION_PATH=str(tmp_path), RUNNER_TEMP=str(tmp_path), GR_PYTHON=str(old))
    install = ["bash", str(ACTION / "install.sh")]
    done = subprocess.run(install, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout.startswith("::error::gitopsreg needs Python 3.11 or newer")
