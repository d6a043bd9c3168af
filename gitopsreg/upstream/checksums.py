"""SHA256SUMS, read as strictly as the pickiest client needs. Never edits it: its exact bytes are what was signed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gitopsreg.errors import IntegrityError, quoted
from gitopsreg.model.digest import Sha256

MAX_SIZE = 1024 * 1024
_LINE = re.compile(r"([0-9A-Fa-f]{64})[ \t]+(\S+)")
_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+~-]{0,254}")
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Checksums:
    """The file's exact bytes and what they say, in the file's order."""

    data: bytes
    digests: dict[str, Sha256]


def parse(data: bytes) -> Checksums:
    """Every line must be `<64 hex><white space><file name>`; a missing last newline and CRLF are fine.

    Raises IntegrityError (ChecksumsInvalid, TooLarge), naming the wrong lines and what would be right.
    """
    if len(data) > MAX_SIZE:
        raise IntegrityError(f"SHA256SUMS is larger than {MAX_SIZE} bytes: list only this version", reason="TooLarge")
    digests: dict[str, Sha256] = {}
    problems = []
    for number, line in enumerate(_lines(data), start=1):
        problem = _problem(line, digests)
        if problem:
            problems.append(f"line {number}: {problem}")
        else:
            digest, name = line.split()
            digests[name] = Sha256.parse(digest)
    if problems:
        raise _invalid(problems)
    return Checksums(data, digests)


def _lines(data: bytes) -> Iterator[str]:
    """What clients take for lines: split at newlines, with one newline allowed at the very end."""
    lines = data.decode("utf-8", errors="backslashreplace").split("\n")
    yield from (line.removesuffix("\r") for line in (lines[:-1] if lines[-1] == "" and len(lines) > 1 else lines))


def _problem(line: str, known: dict[str, Sha256]) -> str:
    """What is wrong with one line, in words; "" when nothing is."""
    match = _LINE.fullmatch(line)
    if not match:
        return _malformed(line)
    name = match[2]
    if name.startswith("*"):
        return f"{quoted(name)} has the mark of binary mode, so clients don't find the file: run sha256sum without -b"
    if not _NAME.fullmatch(name):
        return f'{quoted(name)} is not a plain file name: run sha256sum inside the folder, names without "/"'
    return f"{quoted(name)} is listed twice: keep one line a file" if name in known else ""


def _malformed(line: str) -> str:
    if not line.strip():
        return "is blank, which makes clients crash: remove it (also a second newline at the end)"
    if line.lstrip().startswith(("#", ";", "//")):
        return f"{quoted(line)} is a comment, which makes clients lock one platform only: remove it"
    return f'{quoted(line)} is not "<64 hex digits>  <file name>": write it as sha256sum does'


def _invalid(problems: list[str]) -> IntegrityError:
    shown = "; ".join(problems[:_SHOWN])
    more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
    return IntegrityError(f"SHA256SUMS can't be served: {shown}{more}; then sign it again", reason="ChecksumsInvalid")
