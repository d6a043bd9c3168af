"""Did you mean …? The nearest of the known words."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches

# Of a whole catalog's misspelt names only the first are looked up: more than a second of it helps nobody.
_COMPARISONS = 100_000
_NEAR = 0.7
# How like each other two short words are that differ by one letter, or by the order of two.
LIKELY = 0.6


def did_you_mean(word: str, known: Iterable[str], *, cutoff: float = _NEAR) -> str:
    """`did you mean "…"?`, or "" when nothing comes near."""
    flat = {_flat(name): name for name in known}
    near = get_close_matches(_flat(word[:64]), flat, n=1, cutoff=cutoff)
    return f'did you mean "{flat[near[0]]}"?' if near else ""


class Speller:
    """The same for many words: when it has compared enough it has no more advice."""

    def __init__(self, comparisons: int = _COMPARISONS) -> None:
        self._left = comparisons

    def nearest(self, word: str, known: Collection[str], besides: str = "") -> str:
        """`besides` is known and not meant."""
        if len(known) > self._left:
            return ""
        self._left -= len(known)
        return did_you_mean(word, sorted(name for name in known if name != besides))


def _flat(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "")
