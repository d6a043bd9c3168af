"""Comments that silence findings: `# gitopsreg: ignore[GR404] reason`, in the line of the finding or above it.

What is silenced is told apart, with the reason. Security is never silenced, nor what keeps a file from being read.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from gitopsreg.catalog.comments import Comment, comments
from gitopsreg.catalog.nearest import did_you_mean
from gitopsreg.catalog.problem import Problem, Span
from gitopsreg.catalog.report import Finding, printable
from gitopsreg.catalog.rules import RULES
from gitopsreg.catalog.secret import mask
from gitopsreg.errors import quoted

MARK = "gitopsreg:"
_COMMENT = re.compile(r"#+\s*gitopsreg:\s*(?P<words>.*)")
_IGNORE = re.compile(r"ignore\s*\[(?P<rules>[^\]]*)\]\s*:?\s*(?P<reason>.*)")
_RIGHT = "write # gitopsreg: ignore[GR404] and the reason"
_MOST = 200
_LONGEST = 500
# What these find out is known only when somebody asks upstreams or names a base.
_ELSEWHERE = ("GR6", "GR7")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignore:
    """One comment: `rules` (with their places) are silenced in the lines from `first` to `last`."""

    rules: tuple[tuple[str, Span], ...]
    reason: str
    first: int
    last: int

    def covers(self, finding: Finding) -> bool:
        return self.first <= finding.line <= self.last and any(rule == finding.rule for rule, _ in self.rules)


@dataclass(frozen=True, slots=True)
class Ignores:
    """All such comments of one file, and what is wrong with them."""

    ignores: tuple[Ignore, ...] = ()
    problems: tuple[Problem, ...] = ()


NONE = Ignores()


def read_ignores(text: str) -> Ignores:
    """What the comments of a YAML text silence."""
    if MARK not in text:
        return NONE
    every = tuple(comments(text))
    alone = {comment.line for comment in every if comment.alone}
    ignores: list[Ignore] = []
    problems: list[Problem] = []
    for comment in every:
        if (found := _COMMENT.search(comment.text)) and len(ignores) + len(problems) < _MOST:
            _read(comment, found, alone, ignores, problems)
    return Ignores(tuple(ignores), tuple(problems))


def _read(
    comment: Comment, found: re.Match[str], alone: set[int], ignores: list[Ignore], problems: list[Problem]
) -> None:
    start = comment.column + found.start()
    span = Span(comment.line, start, comment.line, comment.column + len(comment.text))
    ignore = _IGNORE.fullmatch(found["words"].rstrip())
    if not ignore:
        problems.append(Problem(rule="GR111", message="the comment can't be read", hint=_RIGHT, span=span))
        return
    offset = start + found.start("words") - found.start()
    named = list(_codes(ignore, offset, comment.line))
    wrong = [problem for rule, at in named if (problem := _wrong(rule, at))]
    if not named or not any(c.isalnum() for c in ignore["reason"]):
        what = "a reason" if named else "a rule"
        wrong.append(Problem(rule="GR111", message=f"the comment lacks {what}", hint=_RIGHT, span=span))
    problems += wrong
    good = tuple((rule, at) for rule, at in named if _wrong(rule, at) is None)
    if good and len(wrong) == len(named) - len(good):
        last = _last(comment, alone)
        ignores.append(Ignore(rules=good, reason=ignore["reason"].strip(), first=comment.line, last=last))


def _codes(ignore: re.Match[str], offset: int, line: int) -> Iterator[tuple[str, Span]]:
    for word in re.finditer(r"[^,\s]+", ignore["rules"]):
        column = offset + ignore.start("rules") + word.start()
        yield word[0], Span(line, column, line, column + len(word[0]))


def _wrong(rule: str, span: Span) -> Problem | None:
    if rule not in RULES:
        hint = did_you_mean(rule, RULES) or "gitopsreg rule lists them"
        return Problem(rule="GR111", message=f"there is no rule {quoted(rule)}", hint=hint, span=span)
    if not RULES[rule].can_be_ignored:
        return Problem(rule="GR112", message=f"{rule} can't be ignored", hint="mend what it says", span=span)
    return None


def _last(comment: Comment, alone: set[int]) -> int:
    """The last line that the comment speaks of: of several comments in a row each speaks of the line below all."""
    line = comment.line
    if comment.alone:
        line += 1
        while line in alone:
            line += 1
    return line


def silence(findings: Iterable[Finding], ignores: Sequence[Ignore]) -> list[Finding]:
    """The same findings; what a comment speaks of has its reason in `suppressed`."""
    return [_silenced(finding, ignores) for finding in findings] if ignores else list(findings)


def _silenced(finding: Finding, ignores: Sequence[Ignore]) -> Finding:
    reason = next((ignore.reason for ignore in ignores if ignore.covers(finding)), "")
    return replace(finding, suppressed=printable(mask(reason))[:_LONGEST]) if reason else finding


def idle(ignores: Iterable[Ignore], findings: Sequence[Finding]) -> Iterator[Problem]:
    """A problem for each rule that a comment names and that was not broken there."""
    for ignore in ignores:
        broken = {finding.rule for finding in findings if ignore.first <= finding.line <= ignore.last}
        for rule, span in ignore.rules:
            if rule not in broken and not rule.startswith(_ELSEWHERE):
                message = f"nothing here breaks {rule}"
                yield Problem(rule="GR113", message=message, hint="remove it from the comment", span=span)
