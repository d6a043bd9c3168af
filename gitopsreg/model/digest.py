"""Digests and the two hash forms of Terraform's lock file (`h1:` content, `zh:` file)."""

import re
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from gitopsreg.errors import InvalidName, quoted
from gitopsreg.model.quick import quick

_is_hex64 = re.compile(r"[0-9a-f]{64}").fullmatch


@quick
@dataclass(frozen=True, slots=True, order=True)
class Sha256:
    """A sha256 as 64 lower-case hex digits: safe inside a storage key and a URL."""

    hex: str

    def __post_init__(self) -> None:
        if not _is_hex64(self.hex):
            raise InvalidName(f"{quoted(self.hex)} is not a sha256: write 64 lower-case hex digits")

    @classmethod
    def of(cls, data: bytes) -> Self:
        return cls(sha256(data).hexdigest())

    @classmethod
    def parse(cls, text: str) -> Self:
        """64 hex digits in any case, with or without `sha256:` in front; raises InvalidName."""
        return cls(text.removeprefix("sha256:").lower())

    @property
    def zh(self) -> str:
        """The lock file's form of a zip *file's* digest."""
        return f"zh:{self.hex}"

    def __str__(self) -> str:
        return f"sha256:{self.hex}"


def h1(entries: Iterable[tuple[str, str]]) -> str:
    r"""The lock file's `h1:` of (name, hex sha256 of content) pairs: Go's dirhash Hash1.

    Names use `/` and are sorted by their UTF-8 bytes; for each a line `<hex>  <name>\n`; base64 of the sha256 of all.
    From a zip every entry counts, directory entries too. Raises InvalidName for a name with a newline or not in UTF-8.
    """
    total = sha256()
    for name, content in sorted((_hashable(name), content) for name, content in entries):
        total.update(content.encode() + b"  " + name + b"\n")
    return "h1:" + b64encode(total.digest()).decode()


def _hashable(name: str) -> bytes:
    if "\n" in name:
        raise InvalidName(f"{quoted(name)} can't be hashed: a name may hold no newline")
    try:
        return name.encode()
    except UnicodeEncodeError as error:
        raise InvalidName(f"{quoted(name)} can't be hashed: a name must be UTF-8") from error
