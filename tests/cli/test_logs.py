import json
import subprocess
import sys

from tests.cli.shell import environment

PROGRAM = """\
import logging, structlog
from gitopsreg.cli import logs
from gitopsreg.settings import Settings
logs.configure(Settings(log_format={format!r}, log_level={level!r}))
structlog.get_logger("gitopsreg").info("told", packages=3)
logging.getLogger("library").warning("careful with %s", "that")
logging.getLogger("uvicorn.error").info("Started server process")
structlog.get_logger("gitopsreg").debug("in detail")
try:
    raise ValueError("no")
except ValueError:
    logging.getLogger("library").exception("failed")
"""


def logged(*, form: str, level: str = "info") -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(format=form, level=level)],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""
    return done.stderr.splitlines()


def test_json_is_one_object_a_line_whoever_logs() -> None:
    ours, theirs, failed = (json.loads(line) for line in logged(form="json"))
    assert (ours["event"], ours["level"], ours["packages"]) == ("told", "info", 3)
    assert (theirs["event"], theirs["logger"]) == ("careful with that", "library")
    assert "ValueError: no" in failed["exception"]


def test_text_has_no_colours_where_no_terminal_is() -> None:
    text = "\n".join(logged(form="text"))
    assert "told" in text
    assert "packages=3" in text
    assert "\x1b" not in text


def test_debugging_shows_what_is_else_left_out() -> None:
    events = [json.loads(line)["event"] for line in logged(form="json", level="debug")]
    assert "in detail" in events
    assert "Started server process" in events
    assert [json.loads(line)["event"] for line in logged(form="json", level="error")] == ["failed"]
