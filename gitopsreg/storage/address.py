"""Where a store lies, as an operator writes it. A URL holds no secret: credentials come from the environment.

file:///directory · s3://bucket/prefix?region=… · azure://account/container/prefix?endpoint=… · gs://bucket/prefix?…
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from gitopsreg.errors import InvalidName, quoted

Scheme = Literal["file", "s3", "azure", "gs"]

# What may follow the "?", and how a value must look; the meaning is told by the store of that scheme.
_URL = r"https?://[0-9A-Za-z.\[\]:-]{1,255}(?:/[0-9A-Za-z._~/-]*)?"
_SWITCH = r"true|false"
_OPTIONS: Mapping[Scheme, Mapping[str, str]] = {
    "file": {},
    "s3": {
        "region": r"[0-9a-z-]{1,64}",
        "endpoint": _URL,
        "path_style": _SWITCH,
        "sse_kms_key": r"[0-9A-Za-z:/_-]{1,2048}",
        "role_arn": r"arn:[0-9A-Za-z:/+=,.@_-]{1,2048}",
        "external_id": r"[0-9A-Za-z+=,.@:/_-]{2,1224}",
        "public_endpoint": _URL,
    },
    "azure": {"endpoint": _URL, "cdn": _URL, "tier": r"hot|cool|cold"},
    "gs": {"endpoint": _URL, "project": r"[0-9a-z:.-]{1,64}"},
}
_BUCKET = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z._-]{1,221}[0-9A-Za-z])?")
_PREFIX = re.compile(r"(?:[0-9A-Za-z._+-]+(?:/[0-9A-Za-z._+-]+)*)?")
_FORMS = '"file:///directory", "s3://bucket/prefix", "azure://account/container/prefix" or "gs://bucket/prefix"'


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreAddress:
    """A parsed address. `place` is the directory, bucket, or account/container; `prefix` has no slash at its ends."""

    scheme: Scheme
    place: str
    prefix: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> "StoreAddress":
        """Raises InvalidName that says what would be right. A plain path is a directory."""
        scheme, found, _ = text.partition("://")
        if not found or scheme == "file":
            return cls(scheme="file", place=_directory(text))
        if scheme not in _OPTIONS:
            raise InvalidName(f"{quoted(text)} is no store's address: write one like {_FORMS}")
        return _remote(cast("Scheme", scheme), text)

    @property
    def directory(self) -> Path:
        """The directory of a `file` address."""
        return Path(self.place)

    def __str__(self) -> str:
        if self.scheme == "file":
            return self.directory.as_uri()
        query = "?" + urlencode(self.options) if self.options else ""
        return f"{self.scheme}://{self.place}" + (f"/{self.prefix}" if self.prefix else "") + query


def _directory(text: str) -> str:
    right = 'write "file:///absolute/directory" or a plain path'
    if not text.startswith("file:"):
        return str(Path(text).expanduser().absolute())
    path = text.removeprefix("file://") if text.startswith("file://") else text.removeprefix("file:")
    path = path.removeprefix("localhost") if path.startswith("localhost/") else path
    if text.startswith("file://") and not path.startswith(("/", "./", "../")):
        raise InvalidName(right)
    if "?" in path or "#" in path:
        raise InvalidName(right + ", without a query")
    return str(Path(unquote(path)).expanduser().absolute())


def _remote(scheme: Scheme, text: str) -> StoreAddress:
    parts = urlsplit(text)
    if "@" in parts.netloc:
        raise InvalidName("an address may hold no credentials: they come from the environment, see docs/storage.md")
    segments = [parts.netloc, *(unquote(part) for part in parts.path.strip("/").split("/") if part)]
    named = 2 if scheme == "azure" else 1
    if len(segments) < named or not all(_BUCKET.fullmatch(part) for part in segments[:named]) or parts.fragment:
        raise InvalidName(f"{quoted(text)} is no store's address: write one like {_FORMS}")
    prefix = "/".join(segments[named:])
    if not _PREFIX.fullmatch(prefix) or len(prefix) > 300 or any(part in {".", ".."} for part in segments):
        raise InvalidName(f'{quoted(prefix)} is no prefix: write segments of letters, digits and ._+- joined by "/"')
    options = _options(scheme, parts.query)
    return StoreAddress(scheme=scheme, place="/".join(segments[:named]), prefix=prefix, options=options)


def _options(scheme: Scheme, query: str) -> dict[str, str]:
    options: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        known = _OPTIONS[scheme]
        if name not in known:
            raise InvalidName(f"{quoted(name)} is no option of {scheme}: write {', '.join(sorted(known))}")
        if name in options or not re.fullmatch(known[name], value):
            # A URL may hold a password or a signature.
            shown = "…" if known[name] == _URL else quoted(value)
            raise InvalidName(f"{name}={shown} can't be used: write it once, like {_sample(known[name])}")
        options[name] = value
    return options


def _sample(pattern: str) -> str:
    if pattern == _URL:
        return '"https://storage.example.com"'
    return " or ".join(f'"{word}"' for word in pattern.split("|")) if "|" in pattern else f"the pattern {pattern}"
