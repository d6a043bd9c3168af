"""What looks like something else: letters of other scripts, invisible characters, names one mistakes for another
(GR508 to GR510). Plain ASCII, which nearly every file is, costs nothing.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

from gitopsreg.catalog.cursor import Cursor
from gitopsreg.catalog.loader import lines_of
from gitopsreg.catalog.ownership import RESERVED
from gitopsreg.catalog.problem import Problem, Span
from gitopsreg.errors import quoted

# Direction marks and overrides, zero-width marks but the joiners that scripts and emoji need, and tag characters.
_INVISIBLE = re.compile("[\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\U000e0000-\U000e007f]")
_ALIKE = dict(
    zip(
        "авекмнорстухіјѕԁһӏԛԝαβεικνορτυχϲ",
        "abekmhopctyxijsdhlqwabeikvoptuxc",
        strict=True,
    )
)
# Where a name, a place or a person stands; everything else is text for people, in any script.
_NAMED = {
    "address", "aliases", "connection", "hostname", "keys", "name", "namespace", "path", "replacement", "repositories",
    "repository", "system", "tagPrefix", "url",
}  # fmt: skip
_MOST = 20
_SAME = str.maketrans({"0": "o", "1": "l", "i": "l", "5": "s", "-": None, "_": None})


def invisible(text: str) -> Iterator[Problem]:
    """A problem for each character that nobody sees, or that changes what others look like."""
    if text.isascii():
        return
    for count, found in enumerate(_INVISIBLE.finditer(text)):
        if count == _MOST:
            return
        name = unicodedata.name(found[0], f"U+{ord(found[0]):04X}")
        message = f"the file holds the invisible character {name}"
        yield Problem(rule="GR510", message=message, hint="remove it", span=_place(text, found.start()))


def _place(text: str, start: int) -> Span:
    before = lines_of(text[:start])
    line, column = len(before), len(before[-1]) + 1
    return Span(line, column, line, column + 1)


def foreign_letters(root: Cursor) -> Iterator[Problem]:
    """A problem for each name of a document with a letter that looks like another one."""
    for count, at in enumerate(at for at in _names(root, "") if _disguised(at.text)):
        if count == _MOST:
            return
        yield _problem(at.text, at.pointer)


def foreign_path(path: str) -> Iterator[Problem]:
    """The same of a file's path."""
    if _disguised(path):
        yield _problem(path, "")


def _problem(text: str, pointer: str) -> Problem:
    letter = _disguised(text)
    name = unicodedata.name(letter, f"U+{ord(letter):04X}")
    message = f"{quoted(text)} holds the letter {name}, which looks like {quoted(_plain(letter))}"
    return Problem(rule="GR508", message=message, hint=f"write {quoted(_plain(text))}", pointer=pointer)


def _names(at: Cursor, key: str) -> Iterator[Cursor]:
    if isinstance(at.value, dict):
        for inner in at.value:
            yield from _names(at / inner, inner)
    elif isinstance(at.value, list):
        for item in at:
            yield from _names(item, key)
    elif key in _NAMED and at.text and not at.text.isascii():
        yield at


def _disguised(text: str) -> str:
    """The first letter that looks like one of ASCII and is another, or ""."""
    return "" if text.isascii() else next((c for c in text if not c.isascii() and _plain(c).isascii()), "")


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text)
    return "".join(_ALIKE.get(c, _ALIKE.get(c.lower(), c).upper() if c.isupper() else c) for c in folded)


def twins_of(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(name, the other name that it looks like), also for names that look like a public one."""
    looks: dict[str, list[str]] = {}
    for name in sorted(names):
        looks.setdefault(_look(name), []).append(name)
    public = {_look(name): name for name in RESERVED}
    for look, alike in looks.items():
        for name in alike:
            other = public.get(look) or next((one for one in alike if one != name), name)
            if other != name and name not in RESERVED:
                yield name, other


def _look(name: str) -> str:
    return name.lower().replace("rn", "m").replace("vv", "w").translate(_SAME)
