import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gitopsreg.catalog.directory import read_directory
from gitopsreg.catalog.files import CatalogFile
from gitopsreg.catalog.held import held
from gitopsreg.cli.cache import Cache
from gitopsreg.cli.checking import check_offline
from gitopsreg.settings.sources import load
from gitopsreg.wiring.remembered import memo_of, memo_of_folder
from tests.cli.catalogs import AT_MODULE, NAMESPACE, a_module
from tests.cli.shell import environment, gitopsreg
from tests.repositories import write

WRONG = a_module("1.0.0")[AT_MODULE].replace('"1.0.0"', "1.10")


class Counting(Cache):
    """Counts what was kept."""

    puts = 0

    def put(self, name: str, data: bytes) -> None:
        self.puts += 1
        super().put(name, data)


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    folder = tmp_path / "catalog"
    write(folder, {"namespaces/platform/namespace.yaml": NAMESPACE, AT_MODULE: WRONG} | {"content/naming/1.0.0/x": ""})
    return folder


def test_the_second_time_nothing_is_checked_and_all_is_told_again(catalog: Path, tmp_path: Path) -> None:
    cache = Counting(tmp_path / "cache")
    first, root = check_offline(catalog, cache)
    second, _ = check_offline(catalog, cache)
    fresh, _ = check_offline(catalog, None)
    assert cache.puts == 1
    assert first.findings == second.findings == fresh.findings
    assert first.findings[0].path == root + AT_MODULE
    assert (first.paths, first.files) == (second.paths, second.files) == (fresh.paths, fresh.files)


def test_any_change_is_checked(catalog: Path, tmp_path: Path) -> None:
    cache = Counting(tmp_path / "cache")
    check_offline(catalog, cache)
    write(catalog, a_module("1.0.0"))
    assert check_offline(catalog, cache)[0].findings == ()
    (catalog / "content/naming/1.0.0/main.tf").unlink()
    (catalog / "content/naming/1.0.0/x").unlink()
    (catalog / "content/naming/1.0.0").rmdir()
    assert [finding.rule for finding in check_offline(catalog, cache)[0].findings] == ["GR304"]
    assert cache.puts == 3


def test_a_damaged_memory_is_none(catalog: Path, tmp_path: Path) -> None:
    cache = Counting(tmp_path / "cache")
    wanted = check_offline(catalog, cache)[0].findings
    (kept,) = (tmp_path / "cache").iterdir()
    for damage in (b"", kept.read_bytes()[:-1], b"\0" * 100):
        kept.write_bytes(damage)
        assert check_offline(catalog, cache)[0].findings == wanted
    assert cache.puts == 4


def test_many_at_once_get_the_same(catalog: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gitopsreg", "validate", str(catalog), "--output", "jsonl"]
    shared = environment(XDG_CACHE_HOME=str(tmp_path / "x"))
    pipe = subprocess.PIPE
    processes = [subprocess.Popen(command, env=shared, stdout=pipe, stderr=pipe) for _ in range(6)]
    told = {process.communicate() for process in processes}
    assert len(told) == 1
    assert {process.returncode for process in processes} == {1}
    assert len(list((tmp_path / "x/gitopsreg/validate").iterdir())) == 1


def test_no_cache_neither_reads_nor_writes(catalog: Path, tmp_path: Path) -> None:
    gitopsreg("validate", catalog, "--no-cache", XDG_CACHE_HOME=str(tmp_path / "x"))
    assert not (tmp_path / "x").exists()


SEEN = """\
import sys
from gitopsreg.cli.main import run
run(["validate", sys.argv[1]])
slow = {"yaml", "jsonschema", "semantic_version", "pygit2", "rich"}
print(*sorted(slow & set(sys.modules)), file=sys.stderr)
"""


def test_what_is_remembered_needs_no_parser(catalog: Path, tmp_path: Path) -> None:
    """A hook that runs on every commit should start at once."""
    for wanted in ("jsonschema semantic_version yaml", ""):
        done = subprocess.run(
            [sys.executable, "-c", SEEN, catalog],
            env=environment(XDG_CACHE_HOME=str(tmp_path / "x")),
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stderr.splitlines()[-1] == wanted


def test_files_are_kept_for_all_who_check_the_same_folder(catalog: Path, tmp_path: Path) -> None:
    write(catalog, {AT_MODULE.replace("naming", f"m{number}"): WRONG for number in range(130)})
    write(catalog, {f"namespaces/team{number}/namespace.yaml": _namespace(number) for number in range(130)})
    found, _ = check_offline(catalog, Cache(tmp_path / "cache"), tmp_path)
    fresh, _ = check_offline(catalog, None)
    assert found.findings == fresh.findings != ()
    (pack,) = (tmp_path / "files").iterdir()
    files = [file for file in _held(catalog) if "/team" in file.path]
    settings = load({"catalog": str(tmp_path), "path": catalog.name, "cache": str(tmp_path)})
    for memo in (memo_of(settings), memo_of_folder(tmp_path, catalog / ".." / catalog.name)):
        gone = [replace(file, read=lambda: b"it was read") for file in files]
        assert [one.broken for one in memo.check(gone)] == [False] * 130
    assert list((tmp_path / "files").iterdir()) == [pack]


def _namespace(number: int) -> str:
    return NAMESPACE.replace("platform", f"team{number}")


def _held(folder: Path) -> tuple[CatalogFile, ...]:
    files = held(read_directory(folder))
    assert files is not None
    return files.files
