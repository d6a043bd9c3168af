"""The values that settings are made of, each with its parser. A parser says what would be right; it reads nothing."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from gitopsreg.errors import InvalidName, quoted
from gitopsreg.storage.address import StoreAddress

Parser = Callable[[object], object]
ReceiverType = Literal["github", "gitlab", "generic-hmac", "bearer"]

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhd]))+")
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhd])")
_REF = re.compile(
    r"refs/(?!.*(?:\.\.|//|@\{|/\.|\.lock(?:/|$)))[^\s~^:?*\[\\\x00-\x1f\x7f]+(?<![./])|[0-9a-f]{40}|HEAD"
)
_BACKEND = re.compile(r"[0-9a-z](?:[0-9a-z_-]{0,61}[0-9a-z])?")
_HOST = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z._-]{0,252})")
_TOKEN_SHAPES = re.compile(
    r"\n|-----BEGIN |^(?:gh[opsur]_|github_pat_|glpat-|whsec_|xox[a-z]-|AKIA|eyJ)"
    r"|^[0-9A-Fa-f]{32,}$|^(?=.*\d)(?=.*[A-Za-z])[0-9A-Za-z+_-]{40,}={0,2}$"
)


class LooksSecret(InvalidName):
    """A secret written where its name belongs; the value must not be shown again."""


def refuse_secret(value: str) -> str:
    if _TOKEN_SHAPES.search(value):
        raise LooksSecret("this looks like a secret itself; put it into a file and write the file's name")
    return value


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to listen. Host "" is every address of the machine, port 0 any free one."""

    host: str
    port: int

    @classmethod
    def parse(cls, value: object) -> "Endpoint":
        right = 'write HOST:PORT, like "127.0.0.1:8080", "[::1]:8080" or ":8080" for every address'
        host, found, port = str(value).rpartition(":")
        bracketed = host.startswith("[") and host.endswith("]")
        bare = host[1:-1] if bracketed else host
        legal_host = ":" in bare if bracketed else not bare or _HOST.fullmatch(bare)
        if not found or not legal_host or not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535:
            raise InvalidName(right)
        return cls(bare, int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret lies: an environment variable or a file. Never the secret."""

    kind: Literal["file", "env"]
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """A webhook receiver, `POST /hooks/<name>`. Several secrets allow rotation; `refs` () means every ref."""

    name: str
    type: ReceiverType
    secrets: tuple[Secret, ...]
    refs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Backend:
    """A store beside the registry's own, by the name that storage classes have for it."""

    name: str
    url: str


def text(value: object, right: str) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidName(right)
    return value


def switch(value: object) -> bool:
    known = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if str(value).lower() not in known:
        raise InvalidName("write true or false")
    return known[str(value).lower()]


def whole_number(least: int, most: int) -> Parser:
    def parse(value: object) -> int:
        if (
            isinstance(value, bool)
            or not re.fullmatch(r"[0-9]{1,9}", str(value))
            or not least <= int(str(value)) <= most
        ):
            raise InvalidName(f"write a whole number from {least} to {most}")
        return int(str(value))

    return parse


def choice(*words: str) -> Parser:
    def parse(value: object) -> str:
        if value not in words:
            raise InvalidName("write " + " or ".join(f'"{word}"' for word in words))
        return str(value)

    return parse


def duration(least: timedelta, most: timedelta) -> Parser:
    def parse(value: object) -> timedelta:
        right = f'write seconds or a duration like "90s", "5m" or "1h30m", from {short(least)} to {short(most)}'
        written = f"{value}s" if re.fullmatch(r"\d+(?:\.\d+)?", str(value)) else str(value)
        if isinstance(value, bool) or len(written) > 32 or not _DURATION.fullmatch(written):
            raise InvalidName(right)
        seconds = sum(float(amount) * _UNITS[unit] for amount, unit in _AMOUNT.findall(written))
        if not least.total_seconds() <= seconds <= most.total_seconds():
            raise InvalidName(right)
        return timedelta(seconds=seconds)

    return parse


def short(period: timedelta) -> str:
    """The shortest way to write it: `90s`, `5m`, `1h`."""
    seconds = period.total_seconds()
    for unit in ("d", "h", "m"):
        if seconds and seconds % _UNITS[unit] == 0:
            return f"{seconds / _UNITS[unit]:.12g}{unit}"
    return f"{seconds:.12g}s"


def file_name(value: object) -> Path:
    """A path of this machine; `~` is the home directory."""
    return Path(refuse_secret(text(value, "write the name of a file or folder, or leave it out"))).expanduser()


def log_file(value: object) -> Path:
    """The same; `-` is standard output."""
    right = 'write the name of a file, or "-" for standard output; without it no log is written'
    return Path(refuse_secret(text(value, right))).expanduser()


def git_url(value: object) -> str:
    """A Git URL or a directory, without credentials."""
    written = text(value, 'write a Git URL or a directory, like "https://git.example.com/acme/catalog.git"')
    if "://" in written:
        parts = urlsplit(written)
        if parts.password is not None or (parts.username is not None and parts.scheme in {"http", "https"}):
            raise LooksSecret("an address may hold no credentials; name a file of them with --git-credentials-file")
    return refuse_secret(written)


def git_ref(value: object) -> str:
    if not isinstance(value, str) or not _REF.fullmatch(value):
        raise InvalidName('write "HEAD" or a full ref, like "refs/heads/main" or "refs/tags/v1"')
    return value


def folder(value: object) -> str:
    """A path inside the catalog's repository."""
    right = 'write a folder inside the repository, like "." or "registry/catalog"'
    parts = [part for part in text(value, right).split("/") if part != "."]
    if str(value).startswith("/") or ".." in parts or "\\" in str(value):
        raise InvalidName(right)
    return "/".join(part for part in parts if part) or "."


def store_url(value: object) -> str:
    """A store's address. `file:` addresses and plain paths become absolute."""
    address = text(value, 'write a store\'s address, like "file:///var/lib/gitopsreg" or "s3://bucket/prefix"')
    try:
        return str(StoreAddress.parse(address))
    except InvalidName as error:
        if "@" in address or re.search(r"(?i)(?:sig|key|token|secret|password)=", address):
            raise LooksSecret(str(error)) from None
        raise


def backends(value: object) -> tuple[Backend, ...]:
    """`NAME=URL`, one or more; a mapping in a file."""
    written = value.items() if isinstance(value, dict) else (str(item).partition("=")[::2] for item in listed(value))
    found = tuple(Backend(_backend_name(name, url), store_url(url)) for name, url in written)
    names = [backend.name for backend in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise InvalidName(f'"{twice}" is there twice: give each back end a name of its own')
    return found


def _backend_name(name: object, url: object) -> str:
    if not _BACKEND.fullmatch(str(name)) or name == "primary" or not url:
        right = 'write NAME=URL, like "archive=s3://bucket/modules"; "primary" is the --store itself'
        raise InvalidName(f"{quoted(str(name))} names no back end: {right}")
    return str(name)


def public_url(value: object) -> str:
    parts = urlsplit(str(value))
    plain = not (parts.query or parts.fragment or parts.username or parts.path.strip("/"))
    if parts.scheme not in {"http", "https"} or not parts.hostname or not plain:
        raise InvalidName('write the address that clients use, like "https://registry.example.com"')
    return f"{parts.scheme}://{parts.netloc.lower()}"


def listed(value: object) -> list[object]:
    """A list, or its items in one text with commas."""
    if isinstance(value, str):
        return [item.strip() for item in value.split(",") if item.strip()]
    return list(value) if isinstance(value, (list, tuple)) else [value]


def networks(value: object) -> tuple[str, ...]:
    try:
        return tuple(str(ip_network(str(item), strict=False)) for item in listed(value))
    except ValueError as error:
        raise InvalidName('write addresses or networks, like "10.0.0.0/8" or "::1"') from error
