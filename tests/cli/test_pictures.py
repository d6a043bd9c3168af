"""The pictures of docs/ show what the commands print today: after a change of it, run `make docs`."""

import subprocess
import sys
from pathlib import Path

import pytest

PICTURES = Path(__file__).parents[2] / "docs" / "images"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    subprocess.run([sys.executable, str(PICTURES / "draw.py"), str(folder)], check=True)
    return folder


@pytest.mark.parametrize("name", ["plan.svg", "validate.svg"])
def test_a_picture_is_what_is_printed(drawn: Path, name: str) -> None:
    assert (drawn / name).read_text() == (PICTURES / name).read_text()


@pytest.mark.parametrize("name", ["plan.svg", "validate.svg"])
def test_a_picture_fetches_nothing(name: str) -> None:
    assert "url(http" not in (PICTURES / name).read_text().replace('"', "")
