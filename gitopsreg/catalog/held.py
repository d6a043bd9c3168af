"""A catalog's files as they are now, in memory and named by their content, as Git names it: what a directory can't say
of them. So the same file is the same one in a folder, in a commit, and in tomorrow's process.
"""

from dataclasses import replace
from hashlib import sha1

from gitopsreg.catalog.files import LARGEST_FILE, CatalogFile, CatalogFiles
from gitopsreg.catalog.layout import is_declaration

# A catalog with more text is not held.
MOST_BYTES = 128 * 1024 * 1024
_EACH = 200


def held(files: CatalogFiles, *, room: int = MOST_BYTES) -> CatalogFiles | None:
    """What is checked of these is what was read for it here. None when it is too much, or some file can't be read."""
    found = []
    for file in files.files:
        room -= _EACH
        one = file
        if is_read(file):
            try:
                data = file.read()
            except OSError:
                return None
            room -= len(data)
            one = _with(file, data)
        if room < 0:
            return None
        found.append(one)
    return replace(files, files=tuple(found))


def is_read(file: CatalogFile) -> bool:
    """Whether a check reads it; what is too large for that is refused unread."""
    return file.mode == "file" and file.size <= LARGEST_FILE and is_declaration(file.path)


def _with(file: CatalogFile, data: bytes) -> CatalogFile:
    named = sha1(b"blob %d\0" % len(data), usedforsecurity=False)
    named.update(data)
    return CatalogFile(path=file.path, mode=file.mode, size=file.size, oid=named.hexdigest(), read=lambda: data)
