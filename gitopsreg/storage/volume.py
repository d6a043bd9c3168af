"""The file system that a folder lies on: whether one call can make all that was written to it durable.

To sync thousands of small files one by one costs far more than to write them: each waits for the journal.
"""

import ctypes
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

# Whose syncfs(2) waits for data and journal, and tells of data that could not be written. Others may pass it over in
# silence (FUSE), keep to themselves what went wrong below them (overlay), or are not ours to judge.
_KNOWN = frozenset({"ext2", "ext3", "ext4", "f2fs", "tmpfs", "xfs"})
# Before it, syncfs(2) did not tell of data that could not be written.
_TELLS = (5, 8)


@contextmanager
def whole_sync(folder: Path) -> Iterator[Callable[[], None] | None]:
    """What makes all durable that is written below the folder from now on; None where files must be synced one by one.

    The call raises OSError, also for what could not be written since the block was entered.
    """
    call = _syncfs()
    if call is None or _type_of(folder) not in _KNOWN:
        yield None
        return
    # Errors are told to descriptors that were open when they happened.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield lambda: call(descriptor)
    finally:
        os.close(descriptor)


@cache
def _syncfs() -> Callable[[int], None] | None:
    release = re.match(r"(\d+)\.(\d+)", os.uname().release)
    found = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if found is None or os.uname().sysname != "Linux" or not release or tuple(map(int, release.groups())) < _TELLS:
        return None

    def call(descriptor: int) -> None:
        if found(descriptor):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))

    return call


def _type_of(folder: Path) -> str:
    """Its name as the kernel has it, "" when nobody knows.

    https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html
    """
    device = os.stat(folder).st_dev  # noqa: PTH116 - of what a link leads to, as it is opened
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        lines = Path("/proc/self/mountinfo").read_text(errors="replace").splitlines()
    except OSError:
        return ""
    rows = (line.partition(" - ") for line in lines)
    return next((after.split()[0] for before, _, after in rows if before.split()[2] == wanted), "")
