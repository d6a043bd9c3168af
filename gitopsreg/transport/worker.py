"""The process that talks to Git servers for transport.remotes, which kills it when a conversation takes too long.

Requests come as JSON, one a line, on standard input; answers go to standard output. When standard input closes, because
the owner is gone, the process ends at once, whatever it is doing.
"""

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any

from gitopsreg.errors import GitopsregError, InvalidName, UpstreamUnavailable
from gitopsreg.transport import git
from gitopsreg.transport.address_guard import check_address
from gitopsreg.transport.credentials import CredentialsFile
from gitopsreg.transport.failures import moved
from gitopsreg.transport.location import Location

_REFS_QUERY = "/info/refs?service=git-upload-pack"
# Address space. A server can name refs without end, and a pack of a megabyte can unfold to gigabytes: then this process
# fails, and not the machine. At rest it takes a fifth of a gigabyte; a fetch maps the largest file whole, so that one
# of more than about 1.2 GiB does not come through.
_MOST_MEMORY = 1536 * 1024 * 1024
_SSH_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What the owner decided: `home` holds `.ssh`, `scratch` is an empty repository."""

    home: Path
    scratch: Path
    credentials: CredentialsFile
    allow_local: bool

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one request; a failure is an answer too, also one that nobody thought of."""
        try:
            return self._perform(request)
        except GitopsregError as error:
            reason = getattr(error, "reason", UpstreamUnavailable.default_reason)
            return {"error": self.credentials.scrub(str(error)), "reason": reason}
        except Exception as error:  # noqa: BLE001  (whatever a stranger's server brings about is that server's failure)
            said = f'"{request["url"]}" can\'t be read: {type(error).__name__}: {error}'
            return {"error": self.credentials.scrub(said[:500]), "reason": UpstreamUnavailable.default_reason}

    def _perform(self, request: Mapping[str, Any]) -> dict[str, Any]:
        location = Location.parse(request["url"])
        patience = timedelta(seconds=request["seconds"])
        git.limit(patience)
        if location.is_local and not Path(location.path).is_dir():
            raise UpstreamUnavailable(f'"{location.url}" is no folder on this machine', reason="NotFound")
        if not location.is_local and not request["trusted"]:
            check_address(location, allow_loopback=self.allow_local)
        try:
            return self._talk(location, request)
        except UpstreamUnavailable as error:
            if error.reason == "Moved" and location.scheme in {"http", "https"}:
                raise moved(location.url, _new_home(location.url, patience)) from error
            raise

    def _talk(self, location: Location, request: Mapping[str, Any]) -> dict[str, Any]:
        keys = [key for name in _SSH_KEYS if (key := self.home / ".ssh" / name).is_file()]
        callbacks = git.Callbacks(self.credentials.login, keys)
        if request["operation"] == "refs":
            found = git.list_refs(self.scratch, location.url, callbacks)
            return {"refs": found.refs, "head": found.head}
        into, refspecs = Path(request["into"]), request["refspecs"]
        git.fetch(into, location.url, refspecs, depth=request["depth"], callbacks=callbacks)
        return {}


def _new_home(url: str, patience: timedelta) -> str | None:
    """The repository's URL at the place that the server names."""
    from gitopsreg.transport.http import redirect_target

    target = redirect_target(url.rstrip("/") + _REFS_QUERY, seconds=min(patience.total_seconds(), 10))
    try:
        return Location.parse((target or "").removesuffix(_REFS_QUERY)).url
    except InvalidName:
        return None


def _listen(requests: SimpleQueue[bytes], home: Path) -> None:
    for line in sys.stdin.buffer:
        requests.put(line)
    # An owner that closes us in order kills us first: this one is gone, and somebody must clear up after it.
    shutil.rmtree(home, ignore_errors=True)
    # libgit2 may be waiting for a server: nothing but this ends it.
    os._exit(0)


def _limit_memory() -> None:
    """Where the platform knows such a limit."""
    with suppress(ImportError, AttributeError, OSError, ValueError):
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_AS)
        wanted = _MOST_MEMORY if most == resource.RLIM_INFINITY else min(most, _MOST_MEMORY)
        resource.setrlimit(resource.RLIMIT_AS, (wanted, most))


def main(arguments: Sequence[str]) -> None:
    _limit_memory()
    given = json.loads(arguments[0])
    credentials = CredentialsFile(Path(given["credentials"]) if given["credentials"] else None)
    setup = Setup(
        home=Path(given["home"]),
        scratch=Path(given["scratch"]),
        credentials=credentials,
        allow_local=given["allow_local"],
    )
    git.prepare(setup.home)
    requests: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_listen, args=(requests, setup.home), daemon=True).start()
    while True:
        answer = setup.answer(json.loads(requests.get()))
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
