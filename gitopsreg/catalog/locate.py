"""A problem becomes a finding: with its path, line, column and the line's text. What is shown holds no secrets."""

from collections.abc import Iterable, Iterator

from gitopsreg.catalog.fix import Edit, Fix
from gitopsreg.catalog.loader import Document, Places
from gitopsreg.catalog.problem import Problem, Span
from gitopsreg.catalog.report import Finding, harmless, printable
from gitopsreg.catalog.rules import RULES
from gitopsreg.catalog.secret import mask

# A longer line is shown up to here, and not at all when the problem stands behind it.
_SHOWN = 160
_LONGEST = 500
_START = Span(1, 1, 1, 2)


def locate(problems: Iterable[Problem], document: Document | None, path: str, address: str) -> Iterator[Finding]:
    """The findings of one file. `document` may lack a value (unreadable YAML) and still lend its text."""
    places: Places | None = None
    lines: list[str] | None = None
    for problem in problems:
        span = problem.span
        if span is None and problem.pointer and document is not None and document.value is not None:
            places = places if places is not None else document.places()
            span = _place(problem, places)
        if lines is None:
            lines = document.lines() if document else []
        yield _finding(problem, span, lines, path, address)


def _place(problem: Problem, places: Places) -> Span | None:
    key, value = places.get(problem.pointer, (None, None))
    return (key or value) if problem.on_key else value


def _finding(problem: Problem, found: Span | None, lines: list[str], path: str, address: str) -> Finding:
    span = found or _START
    return Finding(
        rule=problem.rule,
        severity=RULES[problem.rule].severity,
        path=path,
        line=span.line,
        column=span.column,
        end_line=span.end_line,
        end_column=span.end_column,
        message=_shown(problem.message),
        hint=_shown(problem.hint),
        pointer=problem.pointer,
        address=address,
        snippet=_snippet(lines, span) if found else "",
        fix=_fix(problem, found),
    )


def _fix(problem: Problem, span: Span | None) -> Fix | None:
    if problem.move_to:
        return Fix(description=f"move the file to {_shown(problem.move_to)}", move_to=problem.move_to)
    if problem.replacement is None or span is None or mask(problem.replacement) != problem.replacement:
        return None
    return Fix(description=f"write {_shown(problem.replacement)}", edits=(Edit(span, problem.replacement),))


def _shown(text: str) -> str:
    text = printable(mask(text))
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def _snippet(lines: list[str], span: Span) -> str:
    if span.line > len(lines) or span.column > _SHOWN:
        return ""
    line = mask(lines[span.line - 1]).rstrip()
    line = harmless("".join(c if c.isprintable() else " " for c in line))
    return line if len(line) <= _SHOWN else line[:_SHOWN] + "…"
