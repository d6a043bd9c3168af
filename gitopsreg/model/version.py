"""Versions and constraints, read as Terraform reads them.

A `Version` in hand is strict SemVer 2 that both clients can read. The only third-party code of the model is here:
semantic-version, for the grammar and the precedence of SemVer.
"""

from dataclasses import dataclass
from functools import total_ordering
from typing import Self

import semantic_version

from gitopsreg.errors import InvalidName

# Both clients read the parts into 64-bit integers and refuse larger ones.
_LARGEST_PART = 2**63 - 1


@total_ordering
@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """Strict SemVer 2 (`MAJOR.MINOR.PATCH[-pre][+build]`, no `v`). Equal only when the text is equal.

    The order is SemVer precedence; versions that tie (they differ in build metadata only) are ordered by their text, so
    that sorting is the same everywhere.
    """

    text: str
    _parsed: semantic_version.Version

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises InvalidName with what would be right."""
        try:
            parsed = semantic_version.Version(text)
        except ValueError as error:
            raise InvalidName(f'"{text}" is not a version: write MAJOR.MINOR.PATCH, like "1.2.0"') from error
        if max(parsed.major, parsed.minor, parsed.patch) > _LARGEST_PART:
            raise InvalidName(f'"{text}" is not a version clients can read: a part is larger than {_LARGEST_PART}')
        return cls(text, parsed)

    @property
    def release(self) -> tuple[int, int, int]:
        """(major, minor, patch)."""
        return self._parsed.major, self._parsed.minor, self._parsed.patch

    @property
    def is_prerelease(self) -> bool:
        return bool(self._parsed.prerelease)

    @property
    def without_build(self) -> str:
        """The text less its build metadata: two versions that share it can't both be published."""
        return self.text.partition("+")[0]

    @property
    def precedence(self) -> tuple[object, ...]:
        """SemVer precedence; build metadata plays no part."""
        key: tuple[object, ...] = self._parsed.precedence_key
        return key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __lt__(self, other: Self) -> bool:
        return (self.precedence, self.text) < (other.precedence, other.text)

    def __str__(self) -> str:
        return self.text
