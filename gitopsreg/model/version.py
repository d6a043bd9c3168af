"""Versions, read as Terraform reads them. A `Version` in hand is strict SemVer 2 that both clients can read.

The only third-party code of the model is here: semantic-version, for the grammar of SemVer. Its order is not used: it
counts build metadata, which SemVer leaves out of precedence, and costs several times as much.
"""

import re
from functools import lru_cache
from typing import NamedTuple, final

import semantic_version

from gitopsreg.errors import InvalidName, quoted

# Clients read the parts into 64-bit integers and refuse larger ones.
_LARGEST_PART = 2**63 - 1
# The library's own pattern lets a final newline and digits of other scripts through. 128 characters fit every file name
# and URL that a version becomes part of.
_CHARACTERS = re.compile(r"[0-9A-Za-z.+-]{1,128}")
_SHORT = re.compile(r"[0-9]+(?:\.[0-9]+)?(?=[-+]|$)")

# (major, minor, patch, is a release, pre-release identifiers): tuples compare just as SemVer ranks.
Precedence = tuple[int, int, int, bool, tuple[tuple[bool, int, str], ...]]


@final
class Version(NamedTuple):
    """Strict SemVer 2 (`MAJOR.MINOR.PATCH[-pre][+build]`, no `v`). Equal only when the text is equal.

    The order is SemVer precedence; versions that tie (they differ in build metadata only) are ordered by their text, so
    that sorting is the same everywhere. That is the order of tuples, and so is looking one up: registries have hundreds
    of thousands.
    """

    precedence: Precedence
    text: str

    @classmethod
    def parse(cls, text: str) -> "Version":
        """Raises InvalidName with what would be right."""
        return _parse(text)

    @property
    def release(self) -> tuple[int, int, int]:
        """(major, minor, patch)."""
        return self.precedence[:3]

    @property
    def is_prerelease(self) -> bool:
        return not self.precedence[3]

    @property
    def without_build(self) -> str:
        """The text less its build metadata: two versions that share it can't both be published."""
        return self.text.partition("+")[0]

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Version(text={self.text!r})"


# Thousands of packages share the same few version numbers, so most versions of a large registry cost a look-up.
@lru_cache(maxsize=2**16)
def _parse(text: str) -> Version:
    if not _CHARACTERS.fullmatch(text):
        raise InvalidName(f"{quoted(text)} is not a version: {_advice(text)}")
    try:
        parsed = semantic_version.Version(text)
    except ValueError as error:
        raise InvalidName(f"{quoted(text)} is not a version: {_advice(text)}") from error
    release = (parsed.major, parsed.minor, parsed.patch)
    if max(release) > _LARGEST_PART:
        raise InvalidName(f"{quoted(text)} is not a version clients can read: no part may exceed {_LARGEST_PART}")
    return Version((*release, not parsed.prerelease, tuple(map(_identifier, parsed.prerelease))), text)


def _identifier(text: str) -> tuple[bool, int, str]:
    """Numbers rank below words and by their value, words by their ASCII."""
    return (False, int(text), "") if text.isdigit() else (True, 0, text)


def _advice(text: str) -> str:
    if len(text) > 128:
        return "write at most 128 characters"
    number = text.strip().removeprefix("v").removeprefix("V")
    if number != text and _is_version(number):
        return f'write it bare, "{number}"'
    short = _SHORT.match(number)
    if short:
        padded = short[0] + ".0" * (2 - short[0].count(".")) + number[short.end() :]
        if _is_version(padded):
            return f'write all three parts, "{padded}"'
    return 'write MAJOR.MINOR.PATCH, like "1.2.0" or "1.2.0-rc.1", without leading zeros'


def _is_version(text: str) -> bool:
    return bool(_CHARACTERS.fullmatch(text)) and semantic_version.validate(text)
