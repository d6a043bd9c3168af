from pathlib import Path

import pytest

from tests.cli.catalogs import AT_MODULE, NAMESPACE, a_module
from tests.cli.shell import gitopsreg
from tests.repositories import write

AT_NAMESPACE = "namespaces/platform/namespace.yaml"
RIGHT = a_module("1.0.0")[AT_MODULE]
UNTIDY = RIGHT.replace("kind: Module\n", "").replace("spec:", "kind:   Module  # what\n\n\nspec:")
TIDY = RIGHT.replace("kind: Module\n", "kind: Module  # what\n").replace("spec:", "\nspec:")


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    write(tmp_path, {AT_NAMESPACE: NAMESPACE, AT_MODULE: UNTIDY, "content/x.yaml": "a:   1\n"})
    return tmp_path


def test_a_folder_is_formatted(catalog: Path) -> None:
    done = gitopsreg("fmt", cwd=catalog)
    assert (done.code, done.stdout) == (0, f"formatted {AT_MODULE}\n")
    assert done.stderr == "1 file formatted, 1 file left as it is\n"
    assert (catalog / AT_MODULE).read_text() == TIDY
    assert (catalog / "content/x.yaml").read_text() == "a:   1\n"
    again = gitopsreg("fmt", catalog)
    assert (again.code, again.stdout) == (0, "")


def test_named_files_are_formatted_as_hooks_name_them(catalog: Path) -> None:
    done = gitopsreg("fmt", AT_NAMESPACE, AT_MODULE, "content/x.yaml", cwd=catalog)
    assert (done.code, done.stdout) == (0, f"formatted {AT_MODULE}\n")
    assert (catalog / "content/x.yaml").read_text() == "a:   1\n"


def test_check_changes_nothing_and_fails(catalog: Path) -> None:
    done = gitopsreg("fmt", "--check", cwd=catalog)
    assert (done.code, done.stdout) == (1, f"would format {AT_MODULE}\n")
    assert (catalog / AT_MODULE).read_text() == UNTIDY
    gitopsreg("fmt", cwd=catalog)
    assert gitopsreg("fmt", "--check", cwd=catalog).code == 0


def test_diff_shows_what_would_change_and_no_secret(catalog: Path) -> None:
    write(catalog, {AT_MODULE: UNTIDY + "  description:   ghp_0000000000000000000000000000000000EX\n"})
    done = gitopsreg("fmt", "--diff", cwd=catalog)
    assert done.code == 1
    assert done.stdout.startswith(f"--- {AT_MODULE}\n+++ {AT_MODULE}\n@@")
    assert "+kind: Module  # what" in done.stdout
    assert "ghp_*" in done.stdout
    assert "ghp_0" not in done.stdout
    assert (catalog / AT_MODULE).read_text().startswith(UNTIDY)


def test_what_can_t_be_read_is_told_and_the_others_are_formatted(catalog: Path) -> None:
    write(catalog, {AT_NAMESPACE: NAMESPACE + "spec: 1\n"})
    done = gitopsreg("fmt", cwd=catalog)
    assert (done.code, done.stdout) == (1, f"formatted {AT_MODULE}\n")
    assert f"error: {AT_NAMESPACE}: line 5: [GR004]" in done.stderr
    assert (catalog / AT_NAMESPACE).read_text().endswith("spec: 1\n")


def test_permissions_stay_and_symlinks_are_left_alone(catalog: Path) -> None:
    (catalog / AT_MODULE).chmod(0o640)
    (catalog / "link.yaml").symlink_to(catalog / AT_MODULE)
    told = gitopsreg("fmt", "link.yaml", cwd=catalog)
    assert (told.code, told.stdout) == (0, "")
    assert "symlink" in told.stderr
    gitopsreg("fmt", cwd=catalog)
    assert (catalog / AT_MODULE).stat().st_mode & 0o777 == 0o640
    assert (catalog / "link.yaml").is_symlink()


def test_a_file_that_is_not_there_is_wrong_use(catalog: Path) -> None:
    done = gitopsreg("fmt", "gone.yaml", cwd=catalog)
    assert done.code == 2
    assert "is no file and no folder" in done.stderr


def test_a_file_of_any_size_is_only_looked_into(catalog: Path) -> None:
    with (catalog / AT_MODULE).open("ab") as file:
        file.truncate(100 * 1024**2)
    done = gitopsreg("fmt", cwd=catalog)
    assert done.code == 1
    assert "[GR007]" in done.stderr
