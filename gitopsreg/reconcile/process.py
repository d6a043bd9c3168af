"""Who this process is to others of the same machine, and whether another one still lives."""

import os
import secrets
import socket
from contextlib import suppress
from pathlib import Path

from gitopsreg.index.lease import Holder

_DEAD = {"Z", "X"}  # proc(5): its parent only has not asked yet


def this_process() -> Holder:
    """With a random id: of two of them in one process each is another holder."""
    pid = os.getpid()
    _, started = _state(pid)
    return Holder(host=socket.gethostname(), pid=pid, id=secrets.token_hex(8), boot=_boot(), started=started)


def is_gone(holder: Holder) -> bool:
    """Whether it ran on this start of this machine and has ended. False wherever nobody can tell."""
    here = (socket.gethostname(), _boot())
    if not holder.boot or (holder.host, holder.boot) != here or not 0 < holder.pid < 2**31:
        return False
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return True
    except OSError:  # it lives, and is somebody else's
        return False
    state, started = _state(holder.pid)
    return state in _DEAD or bool(started and holder.started and started != holder.started)


def _boot() -> str:
    """Which start of the machine it is, and which processes are seen from here: containers of one host see others."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    return ""


def _state(pid: int) -> tuple[str, str]:
    """(one letter, start in clock ticks since boot) as in proc(5), or empty texts."""
    with suppress(OSError, IndexError):
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        return fields[0], fields[19]
    return "", ""
