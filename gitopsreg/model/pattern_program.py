"""From the text of a pattern to a program for `model.pattern`. Only what one pass over a version can decide is read.

A fragment's jumps are relative, so fragments can be joined and repeated as tuples.
"""

import re
from dataclasses import dataclass
from typing import NoReturn

from gitopsreg.errors import InvalidName, quoted

Chars = frozenset[str]


@dataclass(frozen=True, slots=True)
class Take:
    """Goes on after one character, if it is one of these."""

    chars: Chars


@dataclass(frozen=True, slots=True)
class Fork:
    """Goes on at each of these offsets."""

    offsets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Look:
    r"""Goes on if this place is what `at` names: `^` the start, `$` the end, `b` a word's edge, `B` none."""

    at: str


Program = tuple[Take | Fork | Look, ...]

LONGEST = 200
MOST_STEPS = 500
_DEEPEST = 20
# Versions are ASCII, so nothing else can ever match.
_ALL = frozenset(map(chr, range(128)))
_DIGITS = frozenset("0123456789")
_WORD = frozenset(c for c in _ALL if c.isalnum() or c == "_")
_SPACE = frozenset(" \t\n\r\f\v")
_CLASSES = {
    "d": _DIGITS, "D": _ALL - _DIGITS, "w": _WORD, "W": _ALL - _WORD, "s": _SPACE, "S": _ALL - _SPACE,
}  # fmt: skip
_PLACES = {"^": "^", "$": "$", r"\A": "^", r"\Z": "$", r"\b": "b", r"\B": "B"}
_TOKEN = re.compile(
    r"(?P<place>[$^]|\\[AZbB])"
    r"|(?P<escape>\\[\x00-\x7f])"
    r"|(?P<set>\[\^?\]?(?:\\.|[^\]\\\[])*\])"
    r"|(?P<open>\((?:\?:|(?!\?)))"
    r"|(?P<close>\))"
    r"|(?P<repeat>(?:[*+?]|\{(?!\})[0-9]*(?:,[0-9]*)?\})\??)"
    r"|(?P<or>\|)"
    r"|(?P<any>\.)"
    r"|(?P<plain>[^\\\[\]()*+?|])",
    re.DOTALL,
)
_COUNTED = re.compile(r"\{([0-9]*)(,?)([0-9]*)\}")
_MEMBER = re.compile(r"\\.|.", re.DOTALL)
_DOUBLED = re.compile(r"--|&&|~~|\|\|")


def compiled(text: str) -> Program:
    """The pattern as a program. Raises InvalidName with what is wrong."""
    if len(text) > LONGEST:
        raise InvalidName(f"the regular expression has {len(text)} characters: write at most {LONGEST}")
    return _Reader(text).whole()


def is_word(char: str) -> bool:
    return char in _WORD


class _Reader:
    """Reads one pattern from left to right; `kind` and `token` are what comes next, "" at the end."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.end = 0
        self.kind, self.token = "", ""
        self._next()

    def refuse(self, why: str) -> NoReturn:
        raise InvalidName(f"{quoted(self.text)} is not a regular expression for the catalog: {why}")

    def _next(self) -> None:
        start = self.end
        if start == len(self.text):
            self.kind, self.token = "", ""
            return
        found = _TOKEN.match(self.text, start)
        if found is None:
            self._unreadable(start)
        self.kind, self.token, self.end = str(found.lastgroup), found[0], found.end()

    def _unreadable(self, start: int) -> NoReturn:
        if self.text.startswith("(?", start):
            self.refuse('after "(?" only ":" can stand: no look-arounds, flags, comments or names')
        self.refuse(f"{quoted(self.text[start])} can't be read at position {start + 1}")

    def whole(self) -> Program:
        program = self._alternatives(depth=0)
        if self.kind == "close":
            self.refuse('a ")" too many')
        return program

    def _alternatives(self, depth: int) -> Program:
        branches = [self._sequence(depth)]
        while self.kind == "or":
            self._next()
            branches.append(self._sequence(depth))
        program = branches.pop()
        for branch in reversed(branches):
            past = len(branch) + 2
            program = (Fork((1, past)), *branch, Fork((len(program) + 1,)), *program)
        return self._bounded(program)

    def _sequence(self, depth: int) -> Program:
        program: Program = ()
        while self.kind not in {"", "or", "close"}:
            if self.kind == "repeat":
                self.refuse(f"nothing to repeat before {quoted(self.token)}")
            program += self._repeated(self._group(depth + 1) if self.kind == "open" else self._one())
        return self._bounded(program)

    def _group(self, depth: int) -> Program:
        if depth > _DEEPEST:
            self.refuse(f"groups inside groups: at most {_DEEPEST}")
        self._next()
        program = self._alternatives(depth)
        if self.kind != "close":
            self.refuse('a ")" is missing')
        self._next()
        return program

    def _one(self) -> Program:
        kind, token = self.kind, self.token
        self._next()
        if kind == "place":
            if self.kind == "repeat":
                self.refuse(f"nothing to repeat before {quoted(self.token)}")
            return (Look(_PLACES[token]),)
        return (Take(self._chars(kind, token)),)

    def _chars(self, kind: str, token: str) -> Chars:
        if kind == "set":
            return self._set(token)
        if kind == "any":
            return _ALL - {"\n"}
        return self._member(token)

    def _member(self, token: str) -> Chars:
        """A character, or a backslash with what follows it: the same inside of sets and outside."""
        name = token[1:]
        if not name:
            if token not in _ALL:
                self.refuse(f"{quoted(token)} is in no version: write ASCII")
            return frozenset(token)
        if name in _CLASSES:
            return _CLASSES[name]
        if name.isalnum():
            self.refuse("no back references" if name.isdigit() else f"{quoted(token)} means nothing here")
        return self._member(name)

    def _set(self, token: str) -> Chars:
        if _DOUBLED.search(token):
            self.refuse("put a backslash before -, &, ~ or | inside [ ]")
        negated = token.startswith("[^")
        members = _MEMBER.findall(token[1 + negated : -1])
        if not members:
            self.refuse(f"{quoted(token)} is an empty set")
        chars = self._members(members)
        return _ALL - chars if negated else chars

    def _members(self, members: list[str]) -> Chars:
        chars: Chars = frozenset()
        position = 0
        while position < len(members):
            if members[position + 1 : position + 2] == ["-"] and position + 2 < len(members):
                chars |= self._range(members[position], members[position + 2])
                position += 3
            else:
                chars |= self._member(members[position])
                position += 1
        return chars

    def _range(self, first: str, last: str) -> Chars:
        start, end = self._member(first), self._member(last)
        if len(start) > 1 or len(end) > 1 or min(start) > min(end):
            self.refuse(f"bad character range {quoted(f'{first}-{last}')}")
        return frozenset(map(chr, range(ord(min(start)), ord(min(end)) + 1)))

    def _repeated(self, program: Program) -> Program:
        if self.kind != "repeat":
            return program
        # "As few as can be" finds a match exactly where "as many" does.
        least, most = self._counts(self.token[:-1] if len(self.token) > 1 and self.token[-1] == "?" else self.token)
        self._next()
        if self.kind == "repeat":
            self.refuse(f"multiple repeat: put a group around what {quoted(self.token)} repeats")
        # Before it is written out: counts may be astronomical.
        if (len(program) + 1) * max(least, most or 0) > MOST_STEPS:
            self._too_much()
        past = len(program) + 1
        if most is None:
            return program * least + (Fork((1, past + 1)), *program, Fork((-past,)))
        return program * least + (Fork((1, past)), *program) * (most - least)

    def _counts(self, token: str) -> tuple[int, int | None]:
        """The least and the most, None for any number."""
        counted = _COUNTED.fullmatch(token)
        if counted is None:
            return {"*": (0, None), "+": (1, None), "?": (0, 1)}[token]
        least = int(counted[1] or 0)
        most = int(counted[3]) if counted[3] else None if counted[2] else least
        if most is not None and most < least:
            self.refuse(f"{quoted(token)}: the first number is the greater one")
        return least, most

    def _bounded(self, program: Program) -> Program:
        if len(program) > MOST_STEPS:
            self._too_much()
        return program

    def _too_much(self) -> NoReturn:
        self.refuse(f"written out it has more than {MOST_STEPS} steps: repeat less")
