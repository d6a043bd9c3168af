"""Any bytes, under any names, give findings or success: never a traceback, never more than a bound of memory."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, example, given, settings

from gitopsreg.catalog.directory import read_directory
from gitopsreg.catalog.format import CannotFormat, formatted
from gitopsreg.catalog.load import Loaded, load
from gitopsreg.catalog.mend import mend
from gitopsreg.catalog.report import Report
from gitopsreg.catalog.reports.formats import FORMATS, renderer
from tests.catalog.catalogs import AT_MODULE, AT_NAMESPACE, MODULE, NAMESPACE, a_catalog, a_file
from tests.catalog.hostile import CORPUS, FILES, USUAL, catalogs, sample
from tests.cli.shell import environment

# Of a run with every hostile file at once; an empty Python with our libraries has a quarter of it.
_MEMORY = 256 * 1024 * 1024


def tried(files: dict[str, bytes]) -> Loaded:
    """Everything that is done to a catalog, done."""
    catalog = a_catalog(files)
    loaded = load(catalog)
    paths = tuple(one.path for one in loaded.checked)
    report = Report(findings=loaded.findings, suppressed=loaded.suppressed, paths=paths, files=loaded.files)
    told = {name: renderer(name)(report) for name in FORMATS}
    for text in told.values():
        # (Markdown defuses "#1" and "@name" with a word joiner, on purpose.)
        assert all(line.replace("\u2060", "").isprintable() for line in text.split("\n"))
        text.encode()
    json.loads(told["json"])
    json.loads(told["sarif"])
    ET.fromstring(told["junit"].encode())
    for file in catalog.files:
        mended = mend(file, files)
        if mended is not None:
            assert mend(a_file(mended.path, mended.data), files) is None
        is_stable(file.read())
    return loaded


def is_stable(data: bytes) -> None:
    try:
        after = formatted(data)
    except CannotFormat:
        return
    assert formatted(after) == after


@pytest.mark.parametrize("name", FILES)
def test_a_hostile_file_is_answered_wherever_it_stands(name: str) -> None:
    for path in USUAL:
        loaded = tried({path: sample(name)})
        assert loaded.findings


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=50)
@given(catalogs)
@example({AT_NAMESPACE: b"(:\nkind: >\n #"})
def test_any_catalog_is_answered(files: dict[str, bytes]) -> None:
    tried(files)


def test_names_that_look_alike_are_told_apart_and_clashes_are_found(tmp_path: Path) -> None:
    for namespace in ("platform", "pl\u0430tform", "\uff50latform", "platf\u200borm", "Platform"):
        (tmp_path / "namespaces" / namespace).mkdir(parents=True, exist_ok=True)
        (tmp_path / "namespaces" / namespace / "namespace.yaml").write_text(NAMESPACE)
    found = load(replace(read_directory(tmp_path), root="")).findings
    illegal = {finding.path for finding in found if finding.rule == "GR109"}
    assert len(illegal) == 4
    assert AT_NAMESPACE not in illegal
    clashing = {finding.path for finding in found if finding.rule == "GR101"}
    assert clashing == {AT_NAMESPACE, "namespaces/Platform/namespace.yaml"}


PROGRAM = """\
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
from gitopsreg.cli.main import run
code = run(sys.argv[1:])
# Not what getrusage says: that counts what the process was before it became this program.
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
sys.stderr.write(f"\\n{code} {int(peak) * 1024}")
"""


def limited(*arguments: str, cwd: Path) -> tuple[int, int, str]:
    """(exit code, most bytes of memory, what was told) of a run that may not have more than 2 GiB."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=cwd,
        env=environment(XDG_CACHE_HOME=str(cwd / "cache")),
        capture_output=True,
        check=True,
    )
    told, _, last = done.stderr.decode().rpartition("\n")
    code, memory = last.split()
    return int(code), int(memory), told + done.stdout.decode()


@pytest.fixture
def zoo(tmp_path: Path) -> Path:
    """Every hostile file as a module, a provider and a key, among symlinks, pipes and a file of 100 MB."""
    for number, name in enumerate(FILES):
        data = (CORPUS / name).read_bytes()
        for folder, place in ((f"modules/m{number}", "aws.yaml"), ("providers", f"p{number}.yaml")):
            path = tmp_path / "namespaces" / "platform" / folder / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    (tmp_path / AT_NAMESPACE).write_text(NAMESPACE)
    (tmp_path / AT_MODULE).parent.mkdir()
    (tmp_path / AT_MODULE).write_text(MODULE)
    with (tmp_path / "namespaces/platform/modules/vpc/gcp.yaml").open("wb") as file:
        file.truncate(100 * 1024**2)
    (tmp_path / "namespaces/platform/keys").symlink_to("/etc")
    (tmp_path / "policies").symlink_to(".")
    (tmp_path / "registry.yaml").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "namespaces/platform/modules/vpc/pipe.yaml")
    return tmp_path


@pytest.mark.parametrize(
    "arguments", [("validate",), ("validate", "--output", "sarif"), ("fmt",), ("validate", "--fix")]
)
def test_all_of_them_at_once_take_little_memory(zoo: Path, arguments: tuple[str, ...]) -> None:
    code, memory, told = limited(*arguments, cwd=zoo)
    assert code == 1
    assert memory < _MEMORY
    assert "Traceback" not in told
    assert "error: unexpected" not in told
    assert (zoo / "registry.yaml").is_symlink()
