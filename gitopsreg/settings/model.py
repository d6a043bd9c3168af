"""The one table of settings: name, default, help and parser of each. Flags, variables and file keys follow from it."""

import os
from dataclasses import dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from gitopsreg.settings import values
from gitopsreg.settings.receivers import receivers as parse_receivers
from gitopsreg.settings.values import Backend, Endpoint, Parser, Receiver, short

VARIABLE_PREFIX = "GITOPSREG_"
CONFIG_VARIABLE = VARIABLE_PREFIX + "CONFIG"

_SECOND, _MINUTE, _HOUR, _DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def _about(text: str, metavar: str, parse: Parser, *, flag: str = "", default: str = "") -> dict[str, Any]:
    """What the table adds to a field; `default` is how the help shows one that differs from machine to machine."""
    return {"help": text, "metavar": metavar, "parse": parse, "flag": flag, "default": default}


def cache_directory() -> Path:
    """Where this user's programs keep what can be made again (the XDG base directories)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").expanduser() / "gitopsreg"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the operator decided. Secrets are named (files, variables), never held."""

    catalog: str = field(
        default="", metadata=_about("The catalog: a Git URL, or a directory with one.", "URL|DIR", values.git_url)
    )
    ref: str = field(default="HEAD", metadata=_about("The catalog's ref, written in full.", "REF", values.git_ref))
    path: str = field(default=".", metadata=_about("The catalog's folder in its repository.", "DIR", values.folder))
    store: str = field(
        default="",
        metadata=_about(
            "Where everything published is kept: a directory, s3://, azure:// or gs://.", "URL", values.store_url
        ),
    )
    backends: tuple[Backend, ...] = field(
        default=(),
        metadata=_about(
            "Another store, which storage classes may name.", "NAME=URL", values.backends, flag="--backend"
        ),
    )
    delivery: Literal["redirect", "proxy"] = field(
        default="proxy",
        metadata=_about(
            "How clients get bytes: redirect (a link the store signs) or proxy.",
            "HOW",
            values.choice("redirect", "proxy"),
        ),
    )
    cache: Path = field(
        default_factory=cache_directory,
        metadata=_about(
            "Clones and other things that can be made again.", "DIR", values.file_name, default="~/.cache/gitopsreg"
        ),
    )
    listen: Endpoint = field(
        default=Endpoint("127.0.0.1", 8080), metadata=_about("Serve here.", "HOST:PORT", Endpoint.parse)
    )
    interval: timedelta = field(
        default=_MINUTE,
        metadata=_about("How often to look for a new commit.", "TIME", values.duration(_SECOND, 30 * _DAY)),
    )
    care: bool = field(
        default=True,
        metadata=_about("While watching, also read stored bytes again, and collect.", "", values.switch),
    )
    allow_local_sources: bool = field(
        default=False, metadata=_about("Let modules come from repositories on this machine.", "", values.switch)
    )
    git_credentials_file: Path | None = field(
        default=None,
        metadata=_about("User names and passwords for https, in Git's own format.", "FILE", values.file_name),
    )
    ssh_directory: Path | None = field(
        default=None, metadata=_about("Where the ssh keys and known_hosts lie.", "DIR", values.file_name)
    )
    public_url: str = field(
        default="",
        metadata=_about("The address that clients use, if not the one bound.", "URL", values.public_url),
    )
    tls_cert: Path | None = field(
        default=None, metadata=_about("Serve https with this certificate chain (PEM).", "FILE", values.file_name)
    )
    tls_key: Path | None = field(
        default=None, metadata=_about("The certificate's private key (PEM).", "FILE", values.file_name)
    )
    link_key_file: Path | None = field(
        default=None,
        metadata=_about(
            "The key that signs download links.", "FILE", values.file_name, default="made once, in the store"
        ),
    )
    link_ttl: timedelta = field(
        default=_HOUR, metadata=_about("How long a download link works.", "TIME", values.duration(_MINUTE, 7 * _DAY))
    )
    drain: timedelta = field(
        default=2 * _MINUTE,
        metadata=_about("How long downloads may go on after SIGTERM.", "TIME", values.duration(0 * _SECOND, _HOUR)),
    )
    refresh: timedelta = field(
        default=2 * _SECOND,
        metadata=_about("How often to look for a new snapshot.", "TIME", values.duration(_SECOND / 10, _HOUR)),
    )
    workers: int = field(default=1, metadata=_about("How many processes serve.", "NUMBER", values.whole_number(1, 64)))
    access_log: Path | None = field(
        default=None,
        metadata=_about("Write a line of JSON for each request here; - is standard output.", "FILE", values.log_file),
    )
    trusted_proxies: tuple[str, ...] = field(
        default=(),
        metadata=_about("Believe X-Forwarded-… headers from here.", "NETWORK", values.networks, flag="--trusted-proxy"),
    )
    jobs: int = field(
        default=8, metadata=_about("How many upstreams to ask at once.", "NUMBER", values.whole_number(1, 64))
    )
    receivers: tuple[Receiver, ...] = field(
        default=(),
        metadata=_about(
            "A webhook that asks for a reconcile, POST /hooks/NAME.",
            "NAME=TYPE,file:PATH",
            parse_receivers,
            flag="--receiver",
        ),
    )
    hooks_listen: Endpoint | None = field(
        default=None, metadata=_about("Receive webhooks here while watching.", "HOST:PORT", Endpoint.parse)
    )
    output: Literal["text", "json"] = field(
        default="text", metadata=_about("What to print: text or json.", "FORMAT", values.choice("text", "json"))
    )
    log_format: Literal["text", "json"] = field(
        default="text", metadata=_about("How to log: text or json.", "FORMAT", values.choice("text", "json"))
    )
    log_level: Literal["debug", "info", "warning", "error"] = field(
        default="info",
        metadata=_about(
            "What to log: debug, info, warning or error.", "LEVEL", values.choice("debug", "info", "warning", "error")
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One row of the table. `name` is also the file's key; `flag` may be in the singular for what can be repeated."""

    name: str
    flag: str
    help: str
    metavar: str
    default: str
    switch: bool
    repeatable: bool
    parse: Parser

    @property
    def secretive(self) -> bool:
        """Whether a wrong value may hold a secret, so that no message shows it."""
        return self.name == "receivers"

    @property
    def variable(self) -> str:
        return VARIABLE_PREFIX + self.name.upper()


def _shown(value: object) -> str:
    if isinstance(value, timedelta):
        return short(value)
    return "" if value is None or isinstance(value, (bool, tuple)) else str(value)


def _table() -> dict[str, Setting]:
    defaults = Settings()
    return {
        row.name: Setting(
            name=row.name,
            flag=row.metadata["flag"] or "--" + row.name.replace("_", "-"),
            help=row.metadata["help"],
            metavar=row.metadata["metavar"],
            default=row.metadata["default"] or _shown(getattr(defaults, row.name)),
            switch=isinstance(getattr(defaults, row.name), bool),
            repeatable=isinstance(getattr(defaults, row.name), tuple),
            parse=row.metadata["parse"],
        )
        for row in fields(Settings)
    }


TABLE = _table()
