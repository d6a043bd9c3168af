"""Where the server listens: an address, its sockets, and its certificate. Says clearly what is wrong with each."""

import errno
import os
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from gitopsreg.errors import ConfigError

_NO_IPV6 = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}
_RIGHT = 'write "host:port", like "127.0.0.1:8080" or "[::1]:8080"'


@dataclass(frozen=True, slots=True)
class Listen:
    """`host` "" is every address of the machine, `port` 0 any free one. With `cert` and `key` (PEM) it is https."""

    host: str
    port: int
    cert: Path | None = None
    key: Path | None = None

    @classmethod
    def parse(cls, text: str, *, cert: Path | None = None, key: Path | None = None) -> Self:
        """`127.0.0.1:8080`, `[::1]:8080`, `:8080`; raises ConfigError."""
        host, found, port = text.strip().rpartition(":")
        bracketed = host.startswith("[") and host.endswith("]")
        if not found or (":" in host and not bracketed):
            raise ConfigError(f'"{text}" is not an address to listen on: {_RIGHT}')
        if not (port.isascii() and port.isdecimal()) or int(port) > 65535:
            raise ConfigError(f'"{text}" has no port from 0 to 65535: {_RIGHT}')
        if (cert is None) != (key is None):
            raise ConfigError("a certificate and its key belong together: set both of them, or none")
        return cls(host[1:-1] if bracketed else host, int(port), cert, key)

    @property
    def scheme(self) -> str:
        return "https" if self.cert else "http"

    def url(self, sockets: list[socket.socket]) -> str:
        """With the real port, and a host that a client on this machine can use."""
        host = self.host or "127.0.0.1"
        port = sockets[0].getsockname()[1]
        return f"{self.scheme}://[{host}]:{port}" if ":" in host else f"{self.scheme}://{host}:{port}"

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def open_sockets(listen: Listen, *, shared: bool = False, backlog: int | None = 2048) -> list[socket.socket]:
    """One for each address that the host has; the caller closes them. Raises ConfigError.

    `shared`: others that say so may have the same address. Without a `backlog` nobody can connect.
    """
    sockets: list[socket.socket] = []
    try:
        for family, address in _addresses(listen):
            port = sockets[0].getsockname()[1] if sockets else listen.port
            try:
                sockets.append(_open(family, (address[0], port, *address[2:]), shared, backlog))
            except OSError as error:
                # Names like "localhost" have an IPv6 address also where the machine has no IPv6.
                if not sockets or error.errno not in _NO_IPV6:
                    raise ConfigError(f'can\'t listen on "{listen}": {_why(error)}') from error
    except BaseException:
        for each in sockets:
            each.close()
        raise
    return sockets


def _addresses(listen: Listen) -> list[tuple[int, tuple[Any, ...]]]:
    """(family, address) pairs, IPv4 first."""
    try:
        found = socket.getaddrinfo(listen.host or None, listen.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise ConfigError(f'can\'t listen on "{listen}": the host is not known, {_RIGHT}') from error
    unique = dict.fromkeys((int(family), tuple(address)) for family, _, _, _, address in found)
    return sorted(unique, key=lambda pair: pair[0] != socket.AF_INET)


def _open(family: int, address: tuple[Any, ...], shared: bool, backlog: int | None) -> socket.socket:
    opened = socket.socket(socket.AddressFamily(family), socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if shared:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        opened.bind(address)
        if backlog is not None:
            # Bound is not enough to own the port: two may be, until one of them listens.
            opened.listen(backlog)
    except OSError:
        opened.close()
        raise
    return opened


def _why(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "the port is already in use; stop the other program, or choose another port"
    if error.errno == errno.EACCES:
        return "ports below 1024 need a privilege; choose another port"
    if error.errno == errno.EADDRNOTAVAIL:
        return "this machine does not have that address"
    return os.strerror(error.errno) if error.errno else str(error)


def tls_context(listen: Listen) -> ssl.SSLContext | None:
    """None for plain http; raises ConfigError for files that can't be read, are no PEM, or do not belong together."""
    if listen.cert is None or listen.key is None:
        return None
    for path, what in ((listen.cert, "certificate"), (listen.key, "key")):
        try:
            path.read_bytes()
        except OSError as error:
            raise ConfigError(f'can\'t read the TLS {what} "{path}": {os.strerror(error.errno or 0)}') from error
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # Without a password of our own an encrypted key would ask for one on the terminal.
        context.load_cert_chain(listen.cert, listen.key, password=lambda: "")
    except (ssl.SSLError, OSError) as error:
        raise ConfigError(
            f'the TLS certificate "{listen.cert}" and key "{listen.key}" can\'t be used: both must be PEM, the key '
            f"without a password, and belong together"
        ) from error
    return context
