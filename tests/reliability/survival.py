"""How a fault is survived: a few words for each cell of the table, from harmless to worst."""

from collections.abc import Iterable
from enum import IntEnum


class Survival(IntEnum):
    """The worse, the higher. Whatever it is: what is served is whole, and when the store is well again all is as if
    nothing had happened."""

    NO_HARM = 0
    CLIENT_REFUSES = 1
    PUBLISHED = 2
    NOT_LISTED_YET = 3
    LAST_GOOD = 4
    CUT_OFF = 5
    REFUSED = 6
    NOT_YET = 7
    BY_HAND = 8

    def __str__(self) -> str:
        return _WORDS[self]


_WORDS = {
    Survival.NO_HARM: "no harm",
    Survival.CLIENT_REFUSES: "client refuses",
    Survival.PUBLISHED: "published",
    Survival.NOT_LISTED_YET: "not listed yet",
    Survival.LAST_GOOD: "last good",
    Survival.CUT_OFF: "cut off",
    Survival.REFUSED: "502 or 503",
    Survival.NOT_YET: "503 until then",
    Survival.BY_HAND: "by hand",
}


def worst(survivals: Iterable[Survival]) -> Survival:
    return max(survivals, default=Survival.NO_HARM)
