"""Did you mean …? The nearest of the known words."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean "…"?`, or "" when nothing comes near."""
    flat = {_flat(name): name for name in known}
    near = get_close_matches(_flat(word[:64]), flat, n=1, cutoff=0.7)
    return f'did you mean "{flat[near[0]]}"?' if near else ""


def _flat(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "")
