"""`gitopsreg import opentofu-registry`, on the small registry that lies beside the tests of whole systems."""

import shutil
from pathlib import Path

import pytest

from gitopsreg.cli.main import run
from tests.cli.shell import Ran, gitopsreg, on_terminal
from tests.repositories import commit, git

SAMPLE = Path(__file__).parents[1] / "e2e" / "opentofu-registry"
PUBLIC = "https://github.com/opentofu/registry.git"


def imported(source: Path, catalog: Path, *arguments: str | Path) -> Ran:
    return gitopsreg("import", "opentofu-registry", source, "--out", catalog, "--output", "json", *arguments)


def declared(catalog: Path) -> dict[str, str]:
    return {path.relative_to(catalog).as_posix(): path.read_text() for path in catalog.rglob("*.yaml")}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ran, Path]:
    catalog = tmp_path_factory.mktemp("whole") / "catalog"
    return imported(SAMPLE, catalog), catalog


def test_what_is_made_is_valid_and_formatted(whole: tuple[Ran, Path]) -> None:
    done, catalog = whole
    assert (done.code, done.stderr) == (0, "")
    assert done.json["written"] == len(declared(catalog))
    for check in (("validate", "--strict"), ("fmt", "--check")):
        checked = gitopsreg(*check, catalog)
        assert checked.code == 0, checked


def test_what_the_files_say(whole: tuple[Ran, Path]) -> None:
    files = declared(whole[1])
    source = f"  source: {{type: opentofu-git, url: {PUBLIC}"
    quay = files["namespaces/harbor/modules/quay/aws.yaml"]
    assert quay.endswith(f"spec:\n  system: aws\n{source}}}\n")
    assert f"{source}, address: Azure/aks/azurerm}}" in files["namespaces/azure/modules/aks/azurerm.yaml"]
    assert "verify: {keys: [provider, pilot-provider-1]}" in files["namespaces/harbor/providers/pilot.yaml"]
    assert "verify: {keys: [provider]}" in files["namespaces/harbor/providers/crane.yaml"]
    assert "verify" not in files["namespaces/tides/providers/table.yaml"]
    assert "scope: {providers: [pilot]}" in files["namespaces/harbor/keys/pilot-provider-1.yaml"]
    assert "scope" not in files["namespaces/harbor/keys/provider.yaml"]
    assert "\r" not in files["namespaces/harbor/keys/provider.yaml"]
    assert "delivery: reference" in files["registry.yaml"]


def test_a_clone_says_where_it_came_from_and_a_bare_one_is_read_from_its_commit(tmp_path: Path) -> None:
    shutil.copytree(SAMPLE, tmp_path / "upstream")
    git(tmp_path / "upstream", "init", "--quiet", "--initial-branch", "main")
    commit(tmp_path / "upstream")
    git(tmp_path, "clone", "--quiet", "--bare", "upstream", "bare.git")
    git(tmp_path / "bare.git", "remote", "set-url", "origin", "git@git.example.com:mirrors/registry.git")
    assert imported(tmp_path / "bare.git", tmp_path / "one").code == 0
    assert imported(tmp_path / "upstream", tmp_path / "two", "--url", "https://git.example.com/registry.git").code == 0
    one, two = declared(tmp_path / "one"), declared(tmp_path / "two")
    assert "url: git@git.example.com:mirrors/registry.git" in one["namespaces/harbor/providers/crane.yaml"]
    assert "url: https://git.example.com/registry.git" in two["namespaces/harbor/providers/crane.yaml"]
    there = {
        path: text.replace("git@git.example.com:mirrors/", "https://git.example.com/") for path, text in one.items()
    }
    assert there == two


def test_a_part_of_it(tmp_path: Path) -> None:
    arguments = ("--namespace", "Harbor", "--only", "providers", "--constraint", ">= 1.0.0", "--delivery", "store")
    done = imported(SAMPLE, tmp_path / "catalog", *arguments, "--no-pin-keys")
    assert done.json["declared"] == {"modules": 0, "providers": 2, "namespaces": 1, "keys": 0}
    files = declared(tmp_path / "catalog")
    assert "delivery: store" in files["registry.yaml"]
    crane = files["namespaces/harbor/providers/crane.yaml"]
    assert crane.endswith('  versions: {constraint: ">= 1.0.0"}\n')
    assert "verify" not in crane
    assert gitopsreg("validate", "--strict", tmp_path / "catalog").code == 0


def test_a_second_run_adds_what_came_since(tmp_path: Path) -> None:
    upstream, catalog = tmp_path / "upstream", tmp_path / "catalog"
    shutil.copytree(SAMPLE, upstream)
    (upstream / "modules/h/harbor/quay/google.json").unlink()
    (upstream / "keys/h/harbor/pilot/provider-1.asc").rename(tmp_path / "later.asc")
    assert imported(upstream, catalog).code == 0
    before = declared(catalog)
    assert imported(upstream, catalog).code == 2
    shutil.copytree(SAMPLE, upstream, dirs_exist_ok=True)
    told = imported(upstream, catalog, "--merge", "--dry-run").json
    assert (told["written"], told["wouldWrite"]) == (0, 2)
    assert declared(catalog) == before
    done = imported(upstream, catalog, "--merge").json
    added = declared(catalog)
    assert set(added) - set(before) == {
        "namespaces/harbor/modules/quay/google.yaml",
        "namespaces/harbor/keys/pilot-provider-1.yaml",
    }
    assert {path: added[path] for path in before} == before
    # The provider would have to name the new key: that is for a person.
    assert done["differing"] == ["namespaces/harbor/providers/pilot.yaml"]
    assert done["same"] == len(before) - 2


def test_into_a_catalog_of_ones_own(tmp_path: Path) -> None:
    """Its registry.yaml stays, so each file says what differs from the defaults there."""
    assert gitopsreg("new-catalog", "mine", cwd=tmp_path).code == 0
    registry = (tmp_path / "mine/registry.yaml").read_text()
    assert imported(SAMPLE, tmp_path / "mine", "--merge").code == 0
    assert (tmp_path / "mine/registry.yaml").read_text() == registry
    text = (tmp_path / "mine/namespaces/harbor/modules/quay/aws.yaml").read_text()
    assert text.endswith("  versions: {prereleases: true}\n  delivery: reference\n")
    for check in (("validate", "--strict"), ("fmt", "--check")):
        checked = gitopsreg(*check, tmp_path / "mine")
        assert checked.code == 0, checked


def test_links_are_not_followed(tmp_path: Path) -> None:
    """Neither in what is read nor in what is written."""
    upstream, catalog = tmp_path / "upstream", tmp_path / "catalog"
    shutil.copytree(SAMPLE, upstream)
    (upstream / "modules/h/harbor/linked").symlink_to(SAMPLE / "modules/h/harbor/quay")
    assert imported(upstream, catalog, "--namespace", "tides").code == 0
    assert not any("linked" in path for path in declared(catalog))
    (tmp_path / "elsewhere").mkdir()
    (catalog / "namespaces/harbor").symlink_to(tmp_path / "elsewhere")
    done = imported(upstream, catalog, "--merge")
    assert done.code == 2
    assert "is no ordinary folder" in done.stderr
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_on_a_terminal(tmp_path: Path) -> None:
    code, seen = on_terminal("import", "opentofu-registry", SAMPLE, "--out", tmp_path / "catalog")
    assert code == 0
    assert "6 modules, 4 providers of 5 namespaces declared" in seen
    assert "Left out (4)" in seen


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere",), '"nowhere" can\'t be read as a registry'),
        (("empty",), '"empty" can\'t be read as a registry'),
        ((SAMPLE, "--namespace", "harbour"), 'there is no namespace "harbour"'),
        ((SAMPLE, "--only", "keys"), 'write "modules" or "providers"'),
        ((SAMPLE, "--delivery", "proxy"), 'write "reference" or "store"'),
        ((SAMPLE, "--constraint", "about 1"), "--constraint: "),
        ((SAMPLE, "--url", "https://user:secret@git.example.com/r.git"), "--url: the URL holds credentials"),
        ((SAMPLE, "--out", "full"), 'is not empty, it holds "file"'),
        ((SAMPLE, "--out", "full/file"), '"full/file" can\'t be used'),
    ],
)
def test_nothing_is_written_when_anything_is_wrong(
    tmp_path: Path,
    arguments: tuple[str | Path, ...],
    message: str,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("empty", "full"):
        (tmp_path / name).mkdir()
    (tmp_path / "full/file").touch()
    monkeypatch.chdir(tmp_path)
    assert run(["import", "opentofu-registry", "--out", "catalog", *map(str, arguments)]) == 2
    told = capfd.readouterr()
    assert told.out == ""
    assert message in told.err
    assert "secret" not in told.err
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["empty", "file", "full"]
