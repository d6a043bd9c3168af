import io
from pathlib import Path

from rich.console import Console

from gitopsreg.cli.progress import Bar, Nothing, reporter_for
from gitopsreg.settings import Settings
from tests.cli.catalogs import a_catalog
from tests.cli.shell import on_terminal


def test_nothing_is_shown_where_nobody_watches() -> None:
    with reporter_for(Settings()) as reporter:
        assert isinstance(reporter, Nothing)


def test_the_bar_says_what_is_going_on_and_leaves_nothing_behind() -> None:
    file = io.StringIO()
    bar = Bar(Console(file=file, force_terminal=True, width=120, color_system=None))
    bar.started("main@sha1:" + "9b" * 20)
    bar.resolving(2)
    bar.resolved("module:a/b/c")
    bar.fetching(3)
    bar.stored("module:a/b/c", "1.0.0", 2048)
    bar.failed("module:a/b/c", "1.1.0", "Check\x1bsum", "message")
    bar._progress.refresh()
    bar.stop()
    bar.resolved("module:late/b/c")
    shown = file.getvalue()
    assert "Storing versions" in shown
    assert "2/3" in shown
    assert "Check\\x1bsum" in shown
    assert "late" not in shown


def test_a_person_sees_progress_and_then_only_the_result(tmp_path: Path) -> None:
    store = ("--store", tmp_path / "store", "--cache", tmp_path / "cache")
    code, seen = on_terminal("reconcile", "--catalog", a_catalog(tmp_path / "catalog"), *store)
    assert code == 0
    assert "Reading the catalog" in seen
    assert "Published" in seen.splitlines()[-1]
