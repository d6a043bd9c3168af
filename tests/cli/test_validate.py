import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from gitopsreg.catalog import modeline
from gitopsreg.catalog.report import Finding, Report
from gitopsreg.cli.validate import exit_code
from tests.cli.catalogs import AT_MODULE, NAMESPACE, a_catalog, a_module
from tests.cli.shell import gitopsreg, on_terminal
from tests.repositories import commit, write

WRONG = a_module("1.0.0")[AT_MODULE].replace('"1.0.0"', "1.10")


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    write(tmp_path, {"namespaces/platform/namespace.yaml": NAMESPACE} | a_module("1.0.0"))
    return tmp_path


def test_clean(catalog: Path) -> None:
    done = gitopsreg("validate", catalog)
    assert (done.code, done.stderr) == (0, "")
    assert done.stdout.startswith("Found 0 errors, 0 warnings in 2 files")
    assert done.stdout.endswith("\n")


def test_this_folder_is_the_default_and_settings_may_name_another(catalog: Path) -> None:
    assert gitopsreg("validate", cwd=catalog).code == 0
    assert gitopsreg("validate", cwd=catalog.parent, GITOPSREG_PATH=catalog.name).stdout.startswith("Found 0 errors")


def test_findings(catalog: Path) -> None:
    write(catalog, {AT_MODULE: WRONG})
    done = gitopsreg("validate", cwd=catalog)
    assert done.code == 1
    assert f"{AT_MODULE}:9:" in done.stdout
    assert "error[GR" in done.stdout
    assert "\x1b" not in done.stdout


def test_json(catalog: Path) -> None:
    write(catalog, {AT_MODULE: WRONG})
    done = gitopsreg("validate", catalog, "--output", "json")
    assert done.code == 1
    assert done.json["schemaVersion"] == 1
    assert done.json["summary"]["errors"] >= 1
    assert {"rule", "severity", "message", "path", "line", "column"} <= set(done.json["findings"][0])


def test_a_folder_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    done = gitopsreg("validate", tmp_path / "gone")
    assert done.code == 2
    assert "name the catalog's folder" in done.stderr


def test_colours_on_a_terminal_unless_unwanted(catalog: Path) -> None:
    write(catalog, {AT_MODULE: WRONG})
    code, coloured = on_terminal("validate", catalog)
    assert code == 1
    assert "\x1b[1;31merror[GR" in coloured
    _, plain = on_terminal("validate", catalog, NO_COLOR="1")
    assert "\x1b[" not in plain
    assert "error[GR" in plain


ERROR = Finding(rule="GR201", severity="error", path="a", line=1, column=1, end_line=1, end_column=2, message="wrong")


def test_several_reports_at_once_each_in_its_place(catalog: Path) -> None:
    write(catalog, {AT_MODULE: WRONG})
    done = gitopsreg(
        "validate", "--output", "json", "--output", "sarif=out.sarif", "--output", "junit=out.xml", cwd=catalog
    )
    assert done.code == 1
    assert done.json["findings"][0]["path"] == AT_MODULE
    sarif = json.loads((catalog / "out.sarif").read_text())
    assert sarif["runs"][0]["results"][0]["ruleId"] == "GR201"
    assert ET.parse(catalog / "out.xml").getroot().tag == "testsuites"
    assert {path.name for path in catalog.iterdir()} == {"namespaces", "content", "out.sarif", "out.xml"}


def test_services_get_paths_from_the_top_of_the_repository_and_people_from_where_they_stand(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    catalog = tmp_path / "registry" / "catalog"
    write(catalog, {"namespaces/platform/namespace.yaml": NAMESPACE} | {AT_MODULE: WRONG})
    done = gitopsreg("validate", "catalog", "--output", "github", "--output", "human=h.txt", cwd=tmp_path / "registry")
    assert done.stdout.startswith(f"::error file=registry/catalog/{AT_MODULE},line=9,")
    assert (tmp_path / "registry/h.txt").read_text().startswith(f"catalog/{AT_MODULE}:9:")
    inside = gitopsreg("validate", "--output", "gitlab-codequality", cwd=catalog / "namespaces" / "..")
    assert inside.json[0]["location"]["path"] == f"registry/catalog/{AT_MODULE}"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--output", "pdf"], 'error: --output "pdf": write one of human, json, jsonl,'),
        (["--output", "sarif="], 'error: --output "sarif=": write the file\'s name behind the ='),
        (["--output", "json", "--output", "text"], "error: only one report can go to stdout"),
        (["--output", "json=x", "--output", "sarif=x"], "error: two reports can't go to one file"),
        (["--output", "json=gone/x"], 'error: the report "gone/x" can\'t be written: No such file or directory'),
        (["--base", "main"], 'error: --base "main": '),
    ],
)
def test_wrong_use(catalog: Path, arguments: list[str], message: str) -> None:
    done = gitopsreg("validate", *arguments, cwd=catalog)
    assert done.code == 2
    assert done.stderr.startswith(message)


def test_a_report_takes_the_place_of_an_old_one(catalog: Path) -> None:
    (catalog / "r.json").write_text("old")
    (catalog / "r.json").chmod(0o640)
    assert gitopsreg("validate", "--output", "json=r.json", cwd=catalog).stdout == ""
    assert json.loads((catalog / "r.json").read_text())["summary"]["files"] == 2
    assert (catalog / "r.json").stat().st_mode & 0o777 == 0o640
    assert gitopsreg("validate", "--output", "jsonl=/dev/stdout", cwd=catalog).code == 0


def test_inside_github_actions_annotations_are_the_default_and_the_summary_is_filled(catalog: Path) -> None:
    write(catalog, {AT_MODULE: WRONG})
    summary = catalog / "summary.md"
    summary.write_text("before\n")
    done = gitopsreg("validate", cwd=catalog, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary))
    assert done.stdout.startswith("::error file=")
    assert summary.read_text().startswith("before\n### ❌ gitopsreg")
    chosen = gitopsreg("validate", "--output", "text", cwd=catalog, GITHUB_ACTIONS="true")
    assert "::error" not in chosen.stdout
    lost = gitopsreg("validate", cwd=catalog, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY="/gone/x")
    assert (lost.code, "can't be written" in lost.stderr) == (1, True)


def test_a_full_summary_is_left_as_it_is(catalog: Path) -> None:
    (catalog / "summary.md").write_text("x" * 1024 * 1024)
    gitopsreg("validate", cwd=catalog, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY="summary.md")
    assert (catalog / "summary.md").stat().st_size == 1024 * 1024


def test_settings_choose_the_report_unless_the_command_line_does(catalog: Path) -> None:
    assert gitopsreg("validate", cwd=catalog, GITOPSREG_OUTPUT="json").json["summary"]["errors"] == 0
    done = gitopsreg("validate", "--output", "human", cwd=catalog, GITOPSREG_OUTPUT="json")
    assert done.stdout.startswith("Found 0 errors")


def test_fix_mends_tells_and_does_nothing_the_second_time(catalog: Path) -> None:
    name = "namespaces/platform/modules/naming/generic.yml"
    (catalog / AT_MODULE).unlink()
    write(catalog, {name: a_module("1.0.0")[AT_MODULE].replace("spec:", "spec: # here\n  description: 15")})
    before = gitopsreg("validate", "--output", "json", cwd=catalog)
    assert {finding["fix"]["description"] for finding in before.json["findings"]} == {
        'write "15"',
        f"move the file to {AT_MODULE}",
    }
    assert "2 findings can be mended with --fix" in before.stderr
    done = gitopsreg("validate", "--fix", cwd=catalog)
    assert done.code == 0
    assert f'fixed {name}:5: write "15"' in done.stderr
    assert f"move the file to {AT_MODULE}" in done.stderr
    assert "Fixed 2 files." in done.stderr
    text = (catalog / AT_MODULE).read_text()
    assert text.startswith(modeline.line_for("Module") + "\napiVersion")
    assert 'spec: # here\n  description: "15"\n' in text
    assert not (catalog / name).exists()
    again = gitopsreg("validate", "--fix", cwd=catalog)
    assert (again.code, again.stderr) == (0, "")


def test_fix_follows_no_symlink_and_touches_no_secret(catalog: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    write(outside, {"aws.yaml": WRONG, "vpc/aws.yaml": WRONG})
    secret = WRONG + "  description: ghp_0000000000000000000000000000000000EX\n"
    write(catalog, {AT_MODULE: secret})
    (catalog / "namespaces/platform/modules/naming/aws.yaml").symlink_to(outside / "aws.yaml")
    (catalog / "namespaces/platform/modules/vpc").symlink_to(outside / "vpc")
    done = gitopsreg("validate", "--fix", cwd=catalog)
    assert done.code == 1
    assert (outside / "aws.yaml").read_text() == (outside / "vpc/aws.yaml").read_text() == WRONG
    assert (catalog / AT_MODULE).read_text() == secret


def test_base_checks_the_change_and_marks_what_it_brings(tmp_path: Path) -> None:
    repository = a_catalog(tmp_path / "r")
    other = {"namespaces/platform/providers/old.yaml": "a: 1\n"}
    commit(repository, other)
    write(repository, {AT_MODULE: WRONG, "namespaces/platform/providers/old.yaml": "# moved\n\na: 1\n"})
    done = gitopsreg("validate", "--base", "HEAD", "--output", "json", cwd=repository)
    assert done.code == 1
    found = {finding["path"]: finding["new"] for finding in done.json["findings"]}
    assert found[AT_MODULE] is True
    assert found["namespaces/platform/providers/old.yaml"] is False
    assert "came with the change" in done.stderr
    clean = gitopsreg("validate", "--base", "HEAD~1", "--output", "json", cwd=repository)
    assert all(finding["new"] for finding in clean.json["findings"])


def test_base_names_a_revision_that_is_there(tmp_path: Path) -> None:
    done = gitopsreg("validate", "--base", "origin/gone", cwd=a_catalog(tmp_path / "r"))
    assert done.code == 2
    assert "fetch" in done.stderr


def test_online_says_what_could_not_be_checked(catalog: Path) -> None:
    module = WRONG.split("  versions:")[0].replace("{type: catalog}", "{type: git, url: http://127.0.0.1:9/x.git}")
    write(catalog, {AT_MODULE: module})
    offline = gitopsreg("validate", "--offline", cwd=catalog)
    assert offline.code == 0
    done = gitopsreg("validate", "--online", "--output", "json", cwd=catalog, GITOPSREG_CACHE=str(catalog / "cache"))
    assert done.code == 3
    assert "platform/naming/generic" in done.json["unchecked"][0]
    assert "not checked: " in done.stderr


@pytest.mark.parametrize(
    ("report", "strict", "code"),
    [
        (Report(findings=()), False, 0),
        (Report(findings=(ERROR,)), False, 1),
        (Report(findings=(), suppressed=(ERROR,)), True, 0),
        (Report(findings=(), unchecked=("x",)), False, 3),
        (Report(findings=(ERROR,), unchecked=("x",)), False, 1),
    ],
)
def test_exit_codes(report: Report, strict: bool, code: int) -> None:
    assert exit_code(report, strict=strict) == code
