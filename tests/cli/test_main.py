import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gitopsreg import __version__
from gitopsreg.cli.main import VERBS, run
from gitopsreg.settings import TABLE
from tests.cli.shell import environment, gitopsreg


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for row in TABLE.values():
        monkeypatch.delenv(row.variable, raising=False)


COMMANDS = (
    "up",
    "reconcile",
    "serve",
    "validate",
    "fmt",
    "schema",
    "rule",
    "plan",
    "explain",
    "status",
    "history",
    "rollback",
    "hold",
    "release",
    "collect",
    "scrub",
    "export",
    "client-config",
    "new-catalog",
    "codeowners",
)
# What one run is asked for has no place in a file: it would be asked for in every run.
OF_ONE_RUN = {
    "--config",
    "--help",
    "--watch",
    "--force",
    "--approve",
    "--strict",
    "--detailed-exitcode",
    "--exit-code",
    "--limit",
    "--hold",
    "--until",
    "--reason",
    "--serve-blocked",
    "--host",
    "--url",
    "--mirror",
    "--editor",
    "--write",
    "--check",
    "--style",
    "--namespace",
    "--owner",
    "--admin",
    "--git",
    "--tools",
    "--tools-revision",
    "--base",
    "--head",
    "--index",
    "--online",
    "--static",
    "--offline",
    "--no-online",
    "--fix",
    "--diff",
    "--no-cache",
    "--keep",
    "--grace",
    "--dry-run",
    "--take-over",
    "--for",
    "--rate",
    "--everything",
}
HEAVY = {"pygit2", "fastapi", "uvicorn", "httpx", "pydantic_settings", "apscheduler", "structlog"}


def words(text: str) -> str:
    return " ".join(text.split())


def test_the_help_names_every_command_with_a_line() -> None:
    done = gitopsreg("--help")
    assert done.code == 0
    for command in COMMANDS:
        (line,) = [line for line in done.stdout.splitlines() if line.startswith(f"  {command} ")]
        assert line.endswith(".")
        assert "..." not in line


def test_without_a_command_the_help_is_shown_and_nothing_was_done() -> None:
    done = gitopsreg()
    assert done.code == 2
    assert "client-config" in done.stdout


def test_version() -> None:
    assert gitopsreg("--version").stdout == f"gitopsreg {__version__}\n"


def test_the_console_script_is_the_same_program() -> None:
    script = Path(sys.executable).with_name("gitopsreg")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"gitopsreg {__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_all_three_names_of_every_setting(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([command, "--help"]) == 0
    shown = words(capsys.readouterr().out)
    options = shown.split("Options:")[1].split("Examples:")[0].split()
    flags = {word.rstrip(".,:") for word in options if word.startswith("--")}
    settings = {flag: row for row in TABLE.values() for flag in (row.flag, f"--no-{row.flag[2:]}")}
    assert flags - OF_ONE_RUN <= set(settings)
    for flag in flags - OF_ONE_RUN:
        row = settings[flag]
        assert f"[env: {row.variable}, file: {row.name}" in shown
        if row.default:
            assert f"default: {row.default}]" in shown


def test_every_setting_is_a_flag_of_some_command(capsys: pytest.CaptureFixture[str]) -> None:
    for command in COMMANDS:
        run([command, "--help"])
    shown = capsys.readouterr().out.split()
    assert [row.flag for row in TABLE.values() if row.flag not in shown] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_has_examples_that_parse(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    run([command, "--help"])
    shown = capsys.readouterr().out
    assert "Exit codes:" in shown
    examples = shown.split("Examples:\n")[1].replace("\\\n", " ").splitlines()
    assert len(examples) >= 2
    known = set(shown.split("Examples:")[0].split())
    for example in examples:
        assert example.strip().startswith(f"gitopsreg {command}")
        flags = {word for word in example.split("|")[0].split("&&")[0].split() if word.startswith("--")}
        assert flags <= known


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["uup"], "error: no such command 'uup'. Did you mean 'up'?"),
        (["serve", "--listn", "x"], "error: no such option: --listn"),
        (["plan", "--catalog"], "error: option '--catalog' requires an argument."),
        (["history", "--limit", "x"], "error: invalid value for '--limit'"),
        (["status", "a", "b"], "error: got unexpected extra argument"),
        (["status"], 'error: no store is given: write --store URL, GITOPSREG_STORE=… or "store: …" in a file'),
        (["plan", "--store", "/x"], "error: no catalog is given: write --catalog URL|DIR, GITOPSREG_CATALOG=…"),
        (["status", "--config", "gone.yaml"], 'error: --config "gone.yaml" can\'t be read: No such file or directory'),
        (["serve", "--store", "/x", "--drain", "x"], 'error: --drain "x": write seconds or a duration'),
    ],
)
def test_wrong_use_is_told_in_one_line_and_exits_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert message in told.err
    assert "Traceback" not in told.err


def test_a_wrong_variable_is_told() -> None:
    done = gitopsreg("history", GITOPSREG_STROE="x")
    assert (done.code, done.stderr) == (
        2,
        'error: no variable is called "GITOPSREG_STROE"; did you mean "GITOPSREG_STORE"?\n',
    )


def test_wrong_use_never_looks_like_changes() -> None:
    assert run(["plan", "--detailed-exitcode"]) == 1
    assert run(["plan", "--detailed-exitcode", "--nonsense"]) == 1


def test_a_control_character_in_a_value_does_not_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["serve", "--store", "/x", "--drain", "\x1b[31mred"]) == 2
    told = capsys.readouterr().err
    assert "\x1b" not in told
    assert "\\x1b[31mred" in told


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        (["--help"], {*HEAVY, "pydantic", "yaml", "jsonschema", "rich"}),
        (["validate", "nowhere"], HEAVY),
        (["client-config"], {*HEAVY, "yaml", "jsonschema", "rich"}),
    ],
)
def test_a_command_imports_only_what_it_needs(arguments: list[str], heavy: set[str]) -> None:
    asked = f"run({arguments!r}); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; from gitopsreg.cli.main import run; {asked}"],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert heavy & set(done.stderr.split()) == set()


def test_ctrl_c_ends_quietly() -> None:
    program = (
        "import sys, time; from gitopsreg.cli import main, status\n"
        "@main.app.command('wait')\n"
        "def wait():\n"
        "    print('waiting', flush=True); time.sleep(60)\n"
        "sys.exit(main.run(['wait']))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "")


UNEXPECTED = """\
import logging, sys
from gitopsreg.cli import main
@main.app.command('break')
def broken():
    logging.getLogger().setLevel({level})
    raise KeyError('it\\x1b broke')
sys.exit(main.run(['break']))
"""


@pytest.mark.parametrize(("level", "traceback"), [("'INFO'", False), ("'DEBUG'", True)])
def test_our_own_mistake_is_one_line_and_a_request_to_report(level: str, traceback: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", UNEXPECTED.format(level=level)],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: unexpected KeyError: 'it\\x1b broke'\n")
    assert "please report it" in done.stderr
    assert ("Traceback" in done.stderr) == traceback


def test_commands_are_the_verbs_of_the_application() -> None:
    assert VERBS == COMMANDS
