"""Regular expressions from the catalog: legal, and never slow. Python's matcher tries every way to match, so what has
many ways is refused: repeats inside repeats, repeated alternatives, back references, more than a few open repeats.
"""

import re

from gitopsreg.errors import InvalidName, quoted

_LONGEST = 200
_OPEN_REPEATS = 6
_WIDE_REPEATS = 2
_TOKEN = re.compile(
    r"(?P<escape>\\.)"
    r"|(?P<set>\[\^?\]?(?:\\.|[^\]\\\[])*\])"
    r"|(?P<group>\((?:\?(?::|=|!|P<\w+>)|(?!\?)))"
    r"|(?P<close>\))"
    r"|(?P<repeat>(?:[*+?]|\{[0-9]*(?:,[0-9]*)?\})[?+]?)"
    r"|(?P<or>\|)"
    r"|(?P<plain>[^\\\[\]()*+?|])",
    re.DOTALL,
)
_CLOSED = re.compile(r"\?[?+]?")
_WIDE = {".", r"\S", r"\w", r"\D", r"\W"}
_DOUBLED = re.compile(r"--|&&|~~|\|\|")


def check_pattern(text: str) -> None:
    """Raises InvalidName with what is wrong."""
    if len(text) > _LONGEST:
        raise InvalidName(f"the regular expression has {len(text)} characters: write at most {_LONGEST}")
    _check_speed(text)
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise InvalidName(f"{quoted(text)} is not a regular expression: {error}") from error


def _check_speed(text: str) -> None:
    scan = _Scan(text)
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise scan.refusal(f"{quoted(text[position])} can't be read at position {position + 1}")
        scan.take(str(token.lastgroup), token[0])
        position = token.end()


class _Scan:
    """What has been seen so far; `groups` says of each open group whether anything inside it can match in many ways."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.groups = [False]
        self.last_group = False
        self.last = ""
        self.open = 0
        self.wide = 0

    def refusal(self, why: str) -> InvalidName:
        return InvalidName(f"{quoted(self.text)} is not a regular expression for the catalog: {why}")

    def take(self, kind: str, token: str) -> None:
        match kind:
            case "escape" if token[1] in "123456789":
                raise self.refusal("no back references")
            case "set" if _DOUBLED.search(token):
                raise self.refusal("put a backslash before -, &, ~ or | inside [ ]")
            case "group":
                self.groups.append(False)
            case "close":
                self._close()
                return
            case "or":
                self.groups[-1] = True
            case "repeat":
                self._repeat(token)
        self.last_group = False
        self.last = token if kind in {"escape", "set", "plain"} else ""

    def _close(self) -> None:
        if len(self.groups) == 1:
            raise self.refusal('a ")" too many')
        self.last_group = self.groups.pop()
        self.groups[-1] = self.groups[-1] or self.last_group
        self.last = "("

    def _repeat(self, token: str) -> None:
        if _CLOSED.fullmatch(token):
            self.groups[-1] = True
            return
        if self.last_group:
            raise self.refusal("no repeats or alternatives inside a repeat")
        self.groups[-1] = True
        self.open += 1
        self.wide += self.last in _WIDE or self.last.startswith(("[^", "("))
        if self.open > _OPEN_REPEATS or self.wide > _WIDE_REPEATS:
            limits = f"at most {_OPEN_REPEATS} open repeats, {_WIDE_REPEATS} of them over anything"
            raise self.refusal(limits)
