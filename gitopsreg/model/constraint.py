"""Version constraints: `>= 1.0, < 2.0.0`, `~> 1.2`, `!= 1.3.0`, `1.*`; comma lists; as Terraform reads them.

Terraform reads the constraints of modules and those of providers with two libraries, and they differ:

    constraint              for a module                        for a provider
    ~> 1                    1.0.0 and everything above          from 1.0.0, below 2.0.0
    = 2.0.0, != 2.0.0       2.0.0+build is the same version     2.0.0+build is another version
    ~> 1.3.0-rc.1           nothing at all                      releases from 1.3.0, below 1.4.0
    a pre-release, named    1.3.0-rc.1 or =1.3.0-rc.1, alone    = 1.3.0-rc.1 too, and inside a list
    >= 0                    0.0.0 and everything above          everything above 0.0.0
    >=  1.0, >= v1.0        any white space, a "v"              one space at most, no "v"

Where we differ from Terraform: wildcards are ours alone, pre-releases rank as SemVer says in both readings, and what no
published version can equal is refused: four parts, or a number that is not SemVer once its missing parts are zeros.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from operator import ge, gt, le, lt
from typing import Literal

from gitopsreg.errors import InvalidName, quoted
from gitopsreg.model.version import Precedence, Version

Reading = Literal["module", "provider"]

_LONGEST = 1000
# Terraform's library for providers takes this version for "no version", which no constraint admits.
_UNSET = "0.0.0"
_BLANK = " \t\r\n"
_PIECE = re.compile(
    r"(?P<op>>=|<=|~>|!=|=|>|<|)(?P<gap>[ \t\r\n]*)(?P<v>v?)(?P<parts>[0-9]+(?:\.[0-9]+){0,2})(?P<rest>[-+]\S*)?"
)
_WILDCARD = re.compile(r"(?:=[ \t\r\n]*)?(?:(?P<parts>[0-9]+(?:\.[0-9]+)?)\.)?\*")
_ORDER: dict[str, Callable[[Precedence, Precedence], bool]] = {">": gt, ">=": ge, "<": lt, "<=": le}


@dataclass(frozen=True, slots=True)
class _Term:
    """One comparison; `~>` and wildcards are two."""

    op: str
    bound: Version

    def holds(self, version: Version, reading: Reading) -> bool:
        ours, theirs = version.precedence, self.bound.precedence
        if self.op in {"=", "!="}:
            same = version == self.bound if reading == "provider" else ours == theirs
            return same is (self.op == "=")
        return _ORDER[self.op](ours, theirs)

    def precedes(self, version: Version) -> bool:
        """Whether this is the `< 2.0.0` of a pre-release of 2.0.0."""
        return self.op == "<" and not self.bound.is_prerelease and version.release == self.bound.release


@dataclass(frozen=True, slots=True)
class _Piece:
    """What stands between two commas.

    `names` is the version that Terraform takes this piece to name, if it may name a pre-release; `barren` says that it
    takes no release.
    """

    terms: tuple[_Term, ...]
    names: str = ""
    barren: bool = False


@dataclass(frozen=True, slots=True)
class Constraint:
    """A parsed constraint; `text` is what was written."""

    text: str
    reading: Reading
    _pieces: tuple[_Piece, ...] = field(repr=False, compare=False)

    @classmethod
    @lru_cache(maxsize=4096)  # many declarations say the same
    def parse(cls, text: str, reading: Reading = "module") -> "Constraint":
        """Raises InvalidName with what would be right."""
        if len(text) > _LONGEST:
            raise InvalidName(f"{quoted(text)} is not a version constraint: write at most {_LONGEST} characters")
        pieces = text.split(",")
        if len(pieces) > 1 and not all(piece.strip(_BLANK) for piece in pieces):
            raise InvalidName(
                f"{quoted(text)} is not a version constraint: a comma stands between two constraints only"
            )
        return cls(text, reading, tuple(_piece(piece.strip(_BLANK), reading) for piece in pieces))

    def admits(self, version: Version, *, prereleases: bool = False) -> bool:
        """Whether the version satisfies it.

        With `prereleases` False exactly as Terraform: a pre-release only when the constraint names just that version.
        With True pre-releases count by their precedence, but `< 2.0.0` never admits a pre-release of 2.0.0.
        """
        if not prereleases and not self._considers(version):
            return False
        terms = (term for piece in self._pieces for term in piece.terms)
        return all(term.holds(version, self.reading) and not (prereleases and term.precedes(version)) for term in terms)

    def _considers(self, version: Version) -> bool:
        """Whether Terraform looks at the version at all."""
        if self.reading == "provider" and version.text == _UNSET:
            return not any(piece.terms for piece in self._pieces)
        if not version.is_prerelease:
            return not any(piece.barren for piece in self._pieces)
        may_name = self.reading == "provider" or len(self._pieces) == 1
        return may_name and any(piece.names == version.text for piece in self._pieces)


def _piece(text: str, reading: Reading) -> _Piece:
    wildcard = _WILDCARD.fullmatch(text)
    if wildcard:
        parts = wildcard["parts"]
        return _Piece(_range(_bound(text, parts), parts.count(".") + 1) if parts else ())
    match = _PIECE.fullmatch(text)
    if not match:
        raise InvalidName(f"{quoted(text)} is not a version constraint: {_advice(text)}")
    if reading == "provider":
        _check_strictly(match)
    bound = _bound(text, match["parts"], match["rest"] or "")
    match match["op"]:
        case "" | "=":
            loose = reading == "module" and (match["gap"] or match["v"])
            return _Piece((_Term("=", bound),), names="" if loose else bound.text)
        case "~>":
            fixed = match["parts"].count(".") or (1 if reading == "provider" else 0)
            return _Piece(_range(bound, fixed), barren=reading == "module" and bound.is_prerelease)
        case operator:
            return _Piece((_Term(operator, bound),))


def _bound(piece: str, parts: str, rest: str = "") -> Version:
    """The version that `1.2` or `01.2-rc.1` stands for."""
    numbers = [str(int(part)) for part in parts.split(".")]
    try:
        return Version.parse(".".join([*numbers, "0", "0"][:3]) + rest)
    except InvalidName as error:
        raise InvalidName(f"{quoted(piece)} is not a version constraint: {error}") from error


def _range(low: Version, fixed: int) -> tuple[_Term, ...]:
    """From `low` on, with the first `fixed` parts as they are."""
    if not fixed:
        return (_Term(">=", low),)
    last = fixed - 1
    major, minor, patch = (*low.release[:last], low.release[last] + 1, 0, 0)[:3]
    # Not parsed: one above the largest part that can be written is a bound all the same.
    high = Version((major, minor, patch, True, ()), f"{major}.{minor}.{patch}")
    return _Term(">=", low), _Term("<", high)


def _check_strictly(match: re.Match[str]) -> None:
    """What Terraform allows for a module only."""
    advice = 'write it without "v"' if match["v"] else "write one space at most after the operator"
    if match["v"] or match["gap"] not in {"", " "}:
        raise InvalidName(f"{quoted(match[0])} is not a constraint for providers: {advice}")


_ADVICE = (
    (r"", 'write one like ">= 1.2.0, < 2.0.0", or leave it out to admit every version'),
    (r".*\|\|.*", "alternatives can't be written; use one range, less what != takes out"),
    (r"[~^][ \t]*[0-9].*", 'write "~> 1.2" for everything from 1.2.0 and below 2.0.0'),
    (r".*[0-9][ \t\r\n]+-[ \t\r\n]*[0-9].*", 'write a range with a comma, like ">= 1.2.0, < 2.0.0"'),
    (r"[^0-9]*[0-9]\S*[ \t\r\n]+[<>=!~].*", "write a comma between two constraints"),
    (r".*[0-9.]?[xX*](?![0-9A-Za-z]).*", 'write a wildcard alone and as the last part, like "1.*" or "1.2.*"'),
    (r"[^0-9]*[0-9]+(?:\.[0-9]+){3}.*", "a version has three parts at most"),
    (r"(?!(?:>=|<=|~>|!=|=|>|<)[ \t\r\n]*[0-9])[^0-9A-Za-z.*]+[0-9].*", "the operators are = != > >= < <= ~>"),
    (r"[^0-9]*[0-9.]+[A-Za-z~].*", 'write a pre-release after all three parts and a dash, like "1.2.0-rc.1"'),
)


def _advice(piece: str) -> str:
    for pattern, advice in _ADVICE:
        if re.fullmatch(pattern, piece, re.DOTALL):
            return advice
    return 'write one like ">= 1.2.0, < 2.0.0", "~> 1.2" or "1.*"'
