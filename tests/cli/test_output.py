import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from gitopsreg.cli import output
from gitopsreg.index.model import Blob
from gitopsreg.model.address import Platform
from gitopsreg.model.condition import Condition
from gitopsreg.model.digest import Sha256


def drawn(*rows: tuple[str, ...], terminal: bool = False) -> str:
    file = io.StringIO()
    console = Console(
        file=file,
        width=60 if terminal else 10_000,
        force_terminal=terminal,
        color_system="standard" if terminal else None,
    )
    output.table(console, ("NAME", "READY"), rows)
    return file.getvalue()


def test_a_table_is_aligned_and_has_no_blanks_at_line_ends() -> None:
    assert drawn(("a", "yes"), ("longer", "no")) == "NAME    READY\na       yes\nlonger  no\n"


def test_a_long_cell_is_never_cut_where_no_terminal_is() -> None:
    assert "x" * 500 in drawn(("x" * 500, "no"))


def test_a_terminal_gets_colours() -> None:
    assert "\x1b[32myes" in drawn(("a", "yes"), terminal=True)


@given(st.text())
def test_no_cell_can_speak_to_the_terminal(cell: str) -> None:
    shown = drawn((cell, "x"))
    assert all(character.isprintable() or character == "\n" for character in shown)
    assert len(shown.splitlines()) == 2


def test_markup_in_a_cell_is_text() -> None:
    assert "[red]a[/red]" in drawn(("[red]a[/red]", ":smile:"))


def test_json_is_camel_case_and_has_its_version_first(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_json(
        {
            "blob": output.plain(Blob(Sha256("a" * 64), 3)),
            "items": output.plain(
                (Condition(type="Ready", status="True", reason="Ümlaut"), Platform("linux", "amd64"))
            ),
            "lastAttempt": output.plain(None),
        }
    )
    text = capsys.readouterr().out
    assert list(json.loads(text)) == ["schemaVersion", "blob", "items", "lastAttempt"]
    assert json.loads(text)["blob"] == {"sha256": "sha256:" + "a" * 64, "size": 3}
    assert "Ümlaut" in text
    assert json.loads(text)["items"][1] == "linux_amd64"


@pytest.mark.parametrize(
    ("name", "camel"), [("last_attempt", "lastAttempt"), ("path", "path"), ("a_b_c", "aBC"), ("skip_key", "skipKey")]
)
def test_camel(name: str, camel: str) -> None:
    assert output.camel(name) == camel


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (35 << 20, "35.0 MiB"), (1 << 50, "1024.0 TiB")],
)
def test_size(count: int, text: str) -> None:
    assert output.size(count) == text


@pytest.mark.parametrize(
    ("revision", "short"),
    [("main@sha1:" + "a" * 40, "main@" + "a" * 10), ("", ""), ("sha1:" + "b" * 40, "b" * 10)],
)
def test_short_revision(revision: str, short: str) -> None:
    assert output.short_revision(revision) == short
