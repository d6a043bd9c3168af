"""What is installed finds its schemas: the wheel holds those for programs and those for editors."""

import subprocess
import sys
import zipfile
from pathlib import Path

from gitopsreg.catalog import schema

TOP = Path(__file__).parents[1]


def test_the_wheel_holds_every_schema(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=TOP,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    files = {*schema.FILES.values(), schema.UNION}
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if name.startswith("gitopsreg/schemas/")}
    assert held == {f"gitopsreg/schemas/{folder}{file}" for folder in ("", "editor/") for file in files}
