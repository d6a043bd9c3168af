"""Regular expressions from the catalog, legal and never slow: all ways to match are followed side by side.

Decision: not `re`, which tries one way after the other, so that forty harmless characters can stop the process for
years. Here a character costs at most one visit to each step of the program, whatever the pattern.
"""

from dataclasses import dataclass, field
from functools import lru_cache

from gitopsreg.model.pattern_program import Fork, Look, Program, Take, compiled, is_word

_State = frozenset[int]
# (where in the program, what the character before was, the character) -> where next
_Steps = dict[tuple[_State, str, str], _State]

_START: _State = frozenset({0})
# No other state is empty, since a match may begin anywhere.
_MATCHED: _State = frozenset()
_REMEMBERED = 1000


@dataclass(frozen=True, slots=True)
class Pattern:
    r"""A legal regular expression over ASCII text, as Python's `re` would search it with re.ASCII; `$` is the very end.

    There are characters, `.`, sets, `\d \w \s \b` and their opposites, `^ $`, groups, `|`, and `* + ? {m,n}`.
    """

    text: str
    program: Program = field(repr=False, compare=False)
    # Versions look alike: most of their characters were seen in the same place before.
    _steps: _Steps = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    @lru_cache(maxsize=1000)  # many declarations inherit one pattern
    def parse(cls, text: str) -> "Pattern":
        """Raises InvalidName with what is wrong, or what can't be asked here."""
        return cls(text, compiled(text))

    def __str__(self) -> str:
        return self.text

    def search(self, text: str) -> bool:
        """Whether any part of the text matches. Safe for threads."""
        state, before = _START, ""
        for after in (*text, ""):
            key = (state, before, after)
            known = self._steps.get(key)
            state = self._remember(key) if known is None else known
            if state is _MATCHED:
                return True
            before = _kind(after)
        return False

    def _remember(self, key: tuple[_State, str, str]) -> _State:
        if len(self._steps) >= _REMEMBERED:
            self._steps.clear()
        return self._steps.setdefault(key, _step(self.program, *key))


def _step(program: Program, state: _State, before: str, after: str) -> _State:
    """From between two characters to behind the second."""
    reached = _reached(program, state, before, after)
    if len(program) in reached:
        return _MATCHED
    taken = (at + 1 for at in reached if isinstance(step := program[at], Take) and after in step.chars)
    return _START.union(taken)


def _reached(program: Program, state: _State, before: str, after: str) -> set[int]:
    """Where one can be without taking a character: each place is visited once. The end counts as a place."""
    reached: set[int] = set()
    waiting = list(state)
    while waiting:
        at = waiting.pop()
        if at in reached:
            continue
        reached.add(at)
        match program[at] if at < len(program) else None:
            case Fork(offsets):
                waiting += [at + offset for offset in offsets]
            case Look(place) if _is_at(place, before, after):
                waiting.append(at + 1)
    return reached


def _is_at(place: str, before: str, after: str) -> bool:
    match place:
        case "^":
            return before == ""
        case "$":
            return after == ""
        case _:
            return ((before == "word") != is_word(after)) == (place == "b")


def _kind(char: str) -> str:
    """What a place must know of the character before it; "" is the start."""
    return "word" if is_word(char) else "other"
