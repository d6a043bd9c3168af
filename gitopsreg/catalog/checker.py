"""A process of its own that checks files for another: bytes in, values out. Reads nothing else and tells nothing.

Asked in one line of JSON, [path, mode, size, length or null] a file, and behind it the files' bytes; answers in one
line: the value of each file that there is nothing to tell of, in a list of one, null for all others. Ends when its
standard input does.
"""

import gc
import sys
from collections.abc import Iterable
from typing import Any, BinaryIO

from gitopsreg.catalog import pack
from gitopsreg.catalog.check import check_file
from gitopsreg.catalog.files import CatalogFile


def main(asked: BinaryIO, answers: BinaryIO) -> None:
    gc.disable()  # every answer is dropped whole
    while line := asked.readline():
        answers.write(pack.listed(_answer(one, asked) for one in pack.read(line)) + b"\n")
        answers.flush()


def question(files: Iterable[tuple[CatalogFile, bytes | None]]) -> bytes:
    """What is asked of files with their bytes, None for one that can't be read."""
    heads, parts = [], []
    for file, data in files:
        heads.append(pack.written([file.path, file.mode, file.size, None if data is None else len(data)]))
        parts.append(data or b"")
    return pack.listed(heads) + b"\n" + b"".join(parts)


def _answer(one: list[Any], asked: BinaryIO) -> bytes | None:
    path, mode, size, length = one
    if length is None:
        return None
    data = asked.read(length)
    checked = check_file(CatalogFile(path=path, mode=mode, size=size, oid="", read=lambda: data))
    entry = pack.entry_of(checked, "")
    return pack.written([entry.value]) if entry else None


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)
