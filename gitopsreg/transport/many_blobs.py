"""Many blobs of one repository, read by Git's own program, which is several times as fast as libgit2 is one by one.

Only a help: where there is no `git`, or it stumbles, the blobs are not here and whoever wants them reads them from the
repository. Git sees the objects and no configuration of anybody's, asks no remote and obeys no ref; what it answers is
believed only when it is the blob that was asked for.
"""

import os
import selectors
import shutil
import subprocess
import tempfile
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from hashlib import sha1
from pathlib import Path

# Seconds of silence. It only reads from a disk.
_PATIENCE = 60.0
_CHUNK = 1024 * 1024
# Address space; windows onto packs take a quarter of a gigabyte of it.
_MOST_MEMORY = 1024 * 1024 * 1024
_SETTINGS = ("core.packedGitWindowSize=32m", "core.packedGitLimit=256m")
_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "LC_ALL": "C",
}


class _StumbledError(Exception):
    """It ended, was silent for too long, or gave something else than it was asked for."""


class ManyBlobs:
    """Blobs by id, read ahead no further than a pipe holds while whoever asked works on the last one. For one thread at
    a time. The process ends with its last blob, with `close`, or with us.
    """

    def __init__(
        self, repository: Path, sizes: Mapping[str, int], *, program: str = "git", patience: float = _PATIENCE
    ) -> None:
        """`sizes` are the wanted blobs, in the order in which they will be asked for, with their bytes."""
        self._patience = patience
        self._sizes = sizes
        self._wanted = deque(sizes.items())
        self._read: dict[str, bytes] = {}
        self._buffer = bytearray()
        self._process: subprocess.Popen[bytes] | None = None
        self._home: tempfile.TemporaryDirectory[str] | None = None
        if found := shutil.which(program):
            with suppress(OSError):  # also where nothing temporary can be written
                self._home = tempfile.TemporaryDirectory(prefix="gitopsreg-", ignore_cleanup_errors=True)
                self._process = _started(found, Path(self._home.name), repository / "objects", sizes)

    @property
    def wanted(self) -> tuple[str, ...]:
        """What was not read yet."""
        return tuple(oid for oid, _ in self._wanted)

    def get(self, oid: str) -> bytes | None:
        """None for a blob that was not wanted or can't be had here. What was read stays."""
        while oid in self._sizes and oid not in self._read and self._process is not None and self._wanted:
            try:
                wanted, size = self._wanted.popleft()
                self._read[wanted] = self._next(wanted, size)
            except (_StumbledError, OSError):
                self.close()
        if not self._wanted:
            self.close()
        return self._read.get(oid)

    def close(self) -> None:
        """What was read is still there."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        if self._home is not None:
            self._home.cleanup()

    def __del__(self) -> None:
        self.close()

    def _next(self, oid: str, size: int) -> bytes:
        """https://git-scm.com/docs/git-cat-file#_batch_output"""
        head = b"%b blob %d\n" % (oid.encode(), size)
        whole = self._bytes(len(head) + size + 1)
        blob = whole[len(head) : -1]
        if whole[: len(head)] != head or _id_of(blob) != oid:
            raise _StumbledError
        return blob

    def _bytes(self, length: int) -> bytes:
        while len(self._buffer) < length:
            self._buffer += self._piece()
        piece = bytes(memoryview(self._buffer)[:length])
        del self._buffer[:length]
        return piece

    def _piece(self) -> bytes:
        if self._process is None or self._process.stdout is None:
            raise _StumbledError
        descriptor = self._process.stdout.fileno()
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            piece = os.read(descriptor, _CHUNK) if selector.select(self._patience) else b""
        if not piece:
            raise _StumbledError
        return piece


def _id_of(blob: bytes) -> str:
    digest = sha1(b"blob %d\0" % len(blob), usedforsecurity=False)
    digest.update(blob)
    return digest.hexdigest()


def _started(program: str, home: Path, objects: Path, oids: Iterable[str]) -> "subprocess.Popen[bytes]":
    """`home` becomes an empty repository that borrows the objects. Raises OSError."""
    for folder in ("objects", "refs"):
        (home / folder).mkdir()
    (home / "HEAD").write_text("ref: refs/heads/main\n")
    settings = [word for setting in _SETTINGS for word in ("-c", setting)]
    with tempfile.TemporaryFile() as asked:
        asked.write("".join(f"{oid}\n" for oid in oids).encode())
        asked.seek(0)
        process = subprocess.Popen(
            [program, *settings, "cat-file", "--batch", "--buffer"],
            stdin=asked,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=home,
            env=_ENVIRONMENT | {"GIT_DIR": str(home), "GIT_OBJECT_DIRECTORY": str(objects.absolute())},
            # Ctrl-C at the terminal is ours to handle.
            start_new_session=True,
        )
    _limit(process.pid)
    _widen(process)
    return process


def _widen(process: "subprocess.Popen[bytes]") -> None:
    """Let it work ahead while we are busy with what it gave, where the platform lets us."""
    with suppress(ImportError, AttributeError, OSError):
        import fcntl

        if process.stdout is not None:
            fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, _CHUNK)


def _limit(process: int) -> None:
    """Where the platform knows such a limit."""
    with suppress(ImportError, AttributeError, OSError, ValueError):
        import resource

        resource.prlimit(process, resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
