"""The real nginx, unprivileged: with the configuration that docs/offline.md tells people to write, or another."""

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.process import PATIENCE

DOCS = Path(__file__).parents[2] / "docs/offline.md"
# What makes nginx a program that needs nothing of the machine.
_AROUND = "daemon off;\nworker_processes 1;\npid nginx.pid;\nerror_log stderr error;\nevents { }\n"
_WITHIN = "http {\n    access_log off;\n" + "".join(
    f"    {kind}_temp_path temporary/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
)


def find_nginx() -> str:
    """The binary; without one the test is skipped, or fails where CI=true promised it."""
    found = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None and os.environ.get("CI") == "true":
        pytest.fail("nginx is not on PATH, and CI must run the tests that need it")
    if found is None:
        pytest.skip("nginx is not on PATH")
    return found


def a_listener() -> socket.socket:
    """Any free port of this machine, listening: who connects before nginx has started waits."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(64)
    return listener


def address_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()
    return f"{host}:{port}"


def documented(export: Path, listener: socket.socket, chain: Path, key: Path) -> str:
    """The configuration of the page, with the places of this machine."""
    found = re.search(r"```nginx\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    text = found[1]
    changes = {
        "/srv/registry": str(export),
        "listen 443 ssl": f"listen {address_of(listener)} ssl",
        "/etc/ssl/registry.pem": str(chain),
        "/etc/ssl/registry.key": str(key),
    }
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return text


@contextmanager
def nginx(folder: Path, listener: socket.socket, configuration: str) -> Iterator[None]:
    """Until the block ends; then it must have been content all the time. `configuration` is one `http` block."""
    folder.joinpath("temporary").mkdir(parents=True)
    user = "user root;\n" if os.geteuid() == 0 else ""
    assert configuration.startswith("http {\n")
    text = _AROUND + user + configuration.replace("http {\n", _WITHIN, 1)
    folder.joinpath("nginx.conf").write_text(text, encoding="utf-8")
    log = folder / "error.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [find_nginx(), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"],
            # Its own way to take over a listening socket from the process before it.
            env={**os.environ, "NGINX": f"{listener.fileno()};"},
            pass_fds=[listener.fileno()],
            stderr=stderr,
        )
    listener.close()
    try:
        yield
    finally:
        process.terminate()
        code = process.wait(PATIENCE)
        assert code == 0, log.read_text()
