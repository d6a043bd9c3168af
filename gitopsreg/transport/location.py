"""Git URLs, read strictly: what two parsers could read differently is refused. Resolves and opens nothing."""

import re
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Literal, Self

from gitopsreg.errors import InvalidName

Scheme = Literal["https", "http", "ssh", "file"]

_HOST = r"(?P<host>[0-9A-Za-z](?:[0-9A-Za-z._-]*[0-9A-Za-z])?\.?|\[[0-9A-Fa-f:.]+\])"
_PORT = r"(?::(?P<port>[0-9]{1,5}))?"
_HTTP = re.compile(rf"(?P<scheme>https?)://{_HOST}{_PORT}(?P<path>/[^?#]*)?")
_SSH = re.compile(rf"ssh://(?:[0-9A-Za-z._-]+@)?{_HOST}{_PORT}(?P<path>/.+)")
_SCP = re.compile(rf"(?:[0-9A-Za-z._-]+@)?{_HOST}:(?P<path>[^:-].*)")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f]")
_UNSAFE_REMOTE = re.compile(r"[^\x21-\x7e]|\\")
_DEFAULT_PORTS = {"https": 443, "http": 80, "ssh": 22}
_RIGHT = 'write "https://host/path", "ssh://git@host/path" or "git@host:path"'


@dataclass(frozen=True, slots=True)
class Location:
    """Where a repository is. `host` and `port` are "" and 0 for a local one, whose `path` is the folder."""

    url: str
    scheme: Scheme
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """An http(s), ssh or file URL, `user@host:path` or a local path; raises InvalidName for all else."""
        if not text or _UNSAFE.search(text) or len(text) > 2048:
            raise InvalidName(f"{text[:100]!r} is no Git URL: {_RIGHT}")
        if text.startswith("file://"):
            return cls(text, "file", "", 0, cls._file_path(text))
        if "://" not in text and (text.startswith(("/", ".")) or ":" not in text.partition("/")[0]):
            return cls(text, "file", "", 0, text)
        return cls._remote(text)

    @classmethod
    def _remote(cls, text: str) -> Self:
        if _UNSAFE_REMOTE.search(text):
            raise InvalidName(f"{text!r} is no Git URL: no spaces, backslashes or characters beyond ASCII")
        if re.match(r"https?://[^/]*@", text):
            raise InvalidName(
                f'a URL of "{text.rpartition("@")[2].partition("/")[0]}" holds credentials: '
                "take them out and put them into the credentials file"
            )
        scheme: Scheme = "ssh"
        if found := _HTTP.fullmatch(text):
            scheme = "https" if found["scheme"] == "https" else "http"
        elif "://" in text or "::" in text.partition("/")[0].replace("[", ""):
            found = _SSH.fullmatch(text)
        else:
            found = _SCP.fullmatch(text)
        port = int(found.groupdict().get("port") or _DEFAULT_PORTS[scheme]) if found else 0
        if not found or not 0 < port < 65536 or not _is_host(found["host"]):
            raise InvalidName(f'"{text}" is no Git URL that can be used here: {_RIGHT}')
        return cls(text, scheme, found["host"].strip("[]").lower(), port, found["path"] or "/")

    @staticmethod
    def _file_path(text: str) -> str:
        path = text.removeprefix("file://").removeprefix("localhost")
        if not path.startswith("/") or "%" in path:
            raise InvalidName(f'"{text}" is no file URL: write "file:///an/absolute/path", nothing percent-encoded')
        return path

    @property
    def is_local(self) -> bool:
        return self.scheme == "file"

    @property
    def origin(self) -> tuple[str, str, int]:
        """(scheme, host, port): what a credential belongs to."""
        return self.scheme, self.host, self.port


def _is_host(host: str) -> bool:
    """Brackets are for IPv6 addresses: others would read `[host:port]:path` as a host and its port."""
    if not host.startswith("["):
        return True
    try:
        IPv6Address(host[1:-1])
    except ValueError:
        return False
    return True
