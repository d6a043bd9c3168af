from pathlib import Path

import pytest

from tests.cli.catalogs import NAMESPACE, a_module
from tests.cli.shell import gitopsreg
from tests.repositories import a_repository, write

REGISTRY = """\
apiVersion: gitopsreg.io/v1alpha1
kind: Registry
metadata: {name: default}
spec: {admins: [{type: github-team, name: acme/admins}, {type: gitlab-group, name: acme/admins}]}
"""
OWNED = NAMESPACE.replace("spec: {", "spec: {owners: [{type: github-team, name: acme/platform}], ")
AT_NAMESPACE = "namespaces/platform/namespace.yaml"
FILE = ".github/CODEOWNERS"


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    repository = a_repository(tmp_path / "catalog")
    write(repository, {"registry.yaml": REGISTRY, AT_NAMESPACE: OWNED} | a_module("1.0.0"))
    return repository


def test_without_a_flag_it_is_printed(catalog: Path) -> None:
    done = gitopsreg("codeowners", catalog)
    assert done.code == 0
    assert "/namespaces/platform/ @acme/platform\n" in done.stdout
    assert "/content/naming/ @acme/platform\n" in done.stdout
    assert not (catalog / FILE).exists()


def test_it_is_written_and_then_it_is_what_the_catalog_says(catalog: Path) -> None:
    missing = gitopsreg("codeowners", "--check", cwd=catalog)
    assert missing.code == 1
    assert "+/namespaces/platform/ @acme/platform\n" in missing.stdout
    assert "next: gitopsreg codeowners --write" in missing.stderr
    done = gitopsreg("codeowners", "--write", cwd=catalog)
    assert (done.code, done.stdout) == (0, f"wrote {catalog / FILE}\n")
    assert (catalog / FILE).read_text() == gitopsreg("codeowners", cwd=catalog).stdout
    for again in ("--check", "--write"):
        done = gitopsreg("codeowners", again, cwd=catalog)
        assert (done.code, done.stdout, done.stderr) == (0, "", "")


def test_a_difference_is_shown(catalog: Path) -> None:
    gitopsreg("codeowners", "--write", cwd=catalog)
    write(catalog, {AT_NAMESPACE: OWNED.replace("acme/platform", "acme/contractors")})
    done = gitopsreg("codeowners", "--check", "--output", "json", cwd=catalog)
    assert (done.code, done.json["upToDate"]) == (1, False)
    done = gitopsreg("codeowners", "--check", cwd=catalog)
    assert done.code == 1
    assert "-/namespaces/platform/ @acme/platform\n+/namespaces/platform/ @acme/contractors\n" in done.stdout


def test_a_catalog_in_a_folder_is_owned_from_the_top_of_its_repository(catalog: Path) -> None:
    inner = catalog / "registry"
    write(inner, {"registry.yaml": REGISTRY, AT_NAMESPACE: OWNED})
    assert gitopsreg("codeowners", "--write", "registry", cwd=catalog).code == 0
    text = (catalog / FILE).read_text()
    assert "/registry/namespaces/platform/ @acme/platform\n" in text
    assert "\n/.github/ @acme/admins\n" in text


def test_gitlab(catalog: Path) -> None:
    assert gitopsreg("codeowners", "--write", "--style", "gitlab", cwd=catalog).code == 0
    text = (catalog / ".gitlab/CODEOWNERS").read_text()
    assert "none of its owners is one that GitLab can ask, so the admins review it" in text
    assert "/.gitlab-ci.yml @acme/admins\n" in text


@pytest.mark.parametrize("flag", ["--write", "--check"])
def test_a_wrong_owner_is_a_finding(catalog: Path, flag: str) -> None:
    write(catalog, {AT_NAMESPACE: OWNED.replace("name: acme/platform", 'name: "acme/platform @mallory"')})
    done = gitopsreg("codeowners", flag, cwd=catalog)
    assert done.code == 1
    assert f"{AT_NAMESPACE}:" in done.stderr
    assert "[GR430]" in done.stderr
    assert "write organisation/team" in done.stderr
    assert "mallory" not in done.stdout


def test_a_catalog_that_is_not_understood_changes_no_owner(catalog: Path) -> None:
    gitopsreg("codeowners", "--write", cwd=catalog)
    before = (catalog / FILE).read_text()
    write(catalog, {AT_NAMESPACE: OWNED.replace("owners", "onwers")})
    done = gitopsreg("codeowners", "--write", cwd=catalog)
    assert done.code == 1
    assert "[GR202]" in done.stderr
    assert (catalog / FILE).read_text() == before


def test_a_file_made_by_hand_stays(catalog: Path) -> None:
    write(catalog, {FILE: "* @me\n"})
    done = gitopsreg("codeowners", "--write", cwd=catalog)
    assert done.code == 2
    assert "was written by hand" in done.stderr
    assert (catalog / FILE).read_text() == "* @me\n"


def test_a_link_is_not_followed(catalog: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("")
    (catalog / ".github").mkdir()
    (catalog / FILE).symlink_to(tmp_path / "elsewhere")
    done = gitopsreg("codeowners", "--write", cwd=catalog)
    assert done.code == 2
    assert (tmp_path / "elsewhere").read_text() == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--write", "--check"), "exclude each other"),
        (("--style", "gitea"), 'write "github" or "gitlab"'),
        (("nowhere",), '"nowhere" is not a directory'),
    ],
)
def test_wrong_use(catalog: Path, arguments: tuple[str, ...], message: str) -> None:
    done = gitopsreg("codeowners", *arguments, cwd=catalog)
    assert (done.code, done.stdout) == (2, "")
    assert message in done.stderr
