"""Host keys and SSH keys against a real SSH server."""

import asyncio
import gc
import threading
import warnings
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import asyncssh
import pytest

from gitopsreg.errors import UpstreamUnavailable
from gitopsreg.transport.remotes import Remotes
from tests.repositories import a_repository, commit, git

LONG = timedelta(seconds=30)


class SshServer:
    """Runs the commands of whoever has `user_key`; it stands at `port` for as long as its context."""

    def __init__(self) -> None:
        self.host_key, self.user_key = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
        self.port = 0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        # The server, not what is tested, leaves coroutines behind when a client hangs up: they go here and now.
        with warnings.catch_warnings(action="ignore"):
            gc.collect()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        user_key = self.user_key

        class Server(asyncssh.SSHServer):
            def validate_public_key(self, _: str, key: Any) -> bool:
                return bool(key.export_public_key() == user_key.export_public_key())

            def public_key_auth_supported(self) -> bool:
                return True

        server = await asyncssh.create_server(
            Server, "127.0.0.1", 0, server_host_keys=[self.host_key], process_factory=_run, encoding=None
        )
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        await server.wait_closed()


async def _run(process: Any) -> None:
    pipe = asyncio.subprocess.PIPE
    command = await asyncio.create_subprocess_shell(process.command, stdin=pipe, stdout=pipe, stderr=pipe)
    await process.redirect(stdin=command.stdin, stdout=command.stdout, stderr=command.stderr)
    process.exit(await command.wait())


@pytest.fixture
def server() -> Iterator[SshServer]:
    with SshServer() as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = a_repository(tmp_path / "vpc")
    commit(folder, {"main.tf": "# x"})
    return folder


@pytest.fixture
def keys(tmp_path: Path, server: SshServer) -> Path:
    """An SSH directory that knows the server and is known to it."""
    keys = tmp_path / "ssh"
    keys.mkdir()
    (keys / "id_ed25519").write_bytes(server.user_key.export_private_key())
    (keys / "id_ed25519").chmod(0o600)
    (keys / "known_hosts").write_text(_line(server, server.host_key))
    return keys


def _line(server: SshServer, key: Any) -> str:
    return f"[127.0.0.1]:{server.port} {key.export_public_key().decode()}"


@pytest.mark.parametrize("user", ["git@", ""])
def test_a_known_host_and_key(server: SshServer, folder: Path, keys: Path, user: str) -> None:
    with Remotes(ssh_directory=keys, allow_local=True) as remotes:
        refs = remotes.refs(f"ssh://{user}127.0.0.1:{server.port}{folder}", timeout=LONG)
    assert refs["HEAD"] == git(folder, "rev-parse", "HEAD")


@pytest.mark.parametrize("known", ["another key", "nothing", "no file"])
def test_a_host_key_that_is_not_known_is_refused(server: SshServer, folder: Path, keys: Path, known: str) -> None:
    if known == "no file":
        (keys / "known_hosts").unlink()
    else:
        (keys / "known_hosts").write_text(_line(server, server.user_key) if known == "another key" else "")
    with (
        Remotes(ssh_directory=keys, allow_local=True) as remotes,
        pytest.raises(UpstreamUnavailable, match="ssh-keyscan") as caught,
    ):
        remotes.refs(f"ssh://git@127.0.0.1:{server.port}{folder}", timeout=LONG)
    assert caught.value.reason == "HostKeyMismatch"


def test_a_key_that_the_host_does_not_know(server: SshServer, folder: Path, keys: Path) -> None:
    (keys / "id_ed25519").write_bytes(server.host_key.export_private_key())
    with (
        Remotes(ssh_directory=keys, allow_local=True) as remotes,
        pytest.raises(UpstreamUnavailable, match="none of the SSH keys") as caught,
    ):
        remotes.refs(f"ssh://git@127.0.0.1:{server.port}{folder}", timeout=LONG)
    assert caught.value.reason == "AuthenticationFailed"


def test_a_repository_that_is_not_there(server: SshServer, folder: Path, keys: Path) -> None:
    with Remotes(ssh_directory=keys, allow_local=True) as remotes, pytest.raises(UpstreamUnavailable) as caught:
        remotes.refs(f"ssh://git@127.0.0.1:{server.port}{folder}-none", timeout=LONG)
    # Whether git's words or the end of the channel arrive first is the network's affair.
    assert caught.value.reason in {"NotFound", "UpstreamError"}, caught.value
