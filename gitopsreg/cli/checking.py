"""A catalog's folder checked: offline, from memory where nothing changed; with a base or upstreams always anew."""

import gc
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gitopsreg.catalog.directory import read_directory
from gitopsreg.catalog.files import CatalogFiles
from gitopsreg.catalog.held import held
from gitopsreg.catalog.remembered import Result, decode, encode, named, with_root
from gitopsreg.catalog.report import Finding, Report
from gitopsreg.cli.cache import Cache
from gitopsreg.errors import CheckoutFailed, ConfigError
from gitopsreg.settings import Settings

if TYPE_CHECKING:  # slow to import, and not needed where nothing changed
    from gitopsreg.catalog.load import Loaded, Memo

Told = tuple[tuple[Finding, ...], tuple[Finding, ...]]


def check_offline(folder: Path, cache: Cache | None, kept: Path | None = None) -> tuple[Report, str]:
    """The report, and how its paths begin. Remembers it, and what was remembered is as good as new; so is what is
    `kept` of each file.
    """
    started = time.monotonic()
    files = read_directory(folder)
    found = named(files) if cache is not None else None
    if cache is None or found is None:
        result = _checked(files, folder, None)
    else:
        name, files = found
        known = decode(cache.get(name) or b"")
        result = known if known is not None and known.holds(files.has_folder) else _checked(files, folder, kept)
        if result is not known:
            cache.put(name, encode(result))
    report = Report(
        findings=with_root(result.findings, "", files.root),
        suppressed=with_root(result.suppressed, "", files.root),
        paths=tuple(files.root + path for path in result.paths),
        files=len(result.paths),
        seconds=time.monotonic() - started,
    )
    return report, files.root


def _checked(files: CatalogFiles, folder: Path, kept: Path | None) -> Result:
    from gitopsreg.catalog.load import load
    from gitopsreg.wiring.remembered import memo_of_folder

    asked: dict[str, bool] = {}

    def has_folder(path: str) -> bool:
        if path not in asked:
            asked[path] = files.has_folder(path)
        return asked[path]

    # Hundreds of thousands of small values are made and none is dropped: looking for garbage would take a tenth longer.
    gc.disable()
    try:
        loaded = load(replace(files, has_folder=has_folder), memo=memo_of_folder(kept, folder), declare=False)
    finally:
        gc.enable()
    return Result(
        findings=with_root(loaded.findings, files.root, ""),
        suppressed=with_root(loaded.suppressed, files.root, ""),
        paths=tuple(one.path for one in loaded.checked),
        folders=tuple(asked.items()),
    )


def check_more(
    folder: Path, *, base: str | None, online: Settings | None, kept: Path | None = None
) -> tuple[Report, str]:
    """With what only a base or the upstreams can say. Raises ConfigError for a base that is not there."""
    from gitopsreg.catalog.load import load
    from gitopsreg.wiring.remembered import memo_of_folder

    started = time.monotonic()
    files, memo = read_directory(folder), memo_of_folder(kept, folder)
    loaded = load(held(files) or files, memo=memo)
    told: Told = loaded.findings, loaded.suppressed
    unchecked: tuple[str, ...] = ()
    if online is not None:
        from gitopsreg.wiring import reconciling

        answers = reconciling.ask_upstreams(online, loaded, folder)
        told, unchecked = _sorted((*told[0], *answers.findings), told[1]), answers.unchecked
    if base is not None:
        told = _compared(folder, base, loaded, told, memo)
    report = Report(
        findings=told[0],
        suppressed=told[1],
        paths=tuple(loaded.root + one.path for one in loaded.checked),
        files=loaded.files,
        seconds=time.monotonic() - started,
        unchecked=unchecked,
    )
    return report, loaded.root


def _compared(folder: Path, base: str, loaded: "Loaded", told: Told, memo: "Memo") -> Told:
    """With the rules of changes, and each finding marked: does the change bring it, or was it there before?"""
    from gitopsreg.catalog.changes import check_changes
    from gitopsreg.catalog.load import load
    from gitopsreg.catalog.reports.fingerprint import mark_new
    from gitopsreg.catalog.revision import enclosing, files_at, fork_point

    try:
        top, path = enclosing(folder)
        before = load(files_at(top, fork_point(top, base), path), memo=memo)
    except CheckoutFailed as error:
        raise ConfigError(f'--base "{base}": {error}') from error
    marks = mark_new(told[0], before.findings, loaded.root, before.root)
    marked = tuple(replace(finding, new=new) for finding, new in zip(told[0], marks, strict=True))
    changes = tuple(replace(finding, new=True) for finding in check_changes(before, loaded))
    return _sorted((*marked, *changes), told[1])


def _sorted(findings: Iterable[Finding], suppressed: Iterable[Finding]) -> Told:
    """In order; what a comment silences goes over to its like."""
    ordered = sorted((*findings, *suppressed), key=lambda finding: finding.order)
    told = tuple(finding for finding in ordered if not finding.suppressed)
    return told, tuple(finding for finding in ordered if finding.suppressed)
