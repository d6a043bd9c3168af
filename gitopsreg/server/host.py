"""Who we are to one client: our origin and our host names. The Host header is the client's word, so it is checked."""

import re
from urllib.parse import urlsplit

from fastapi import HTTPException, Request

from gitopsreg.errors import ConfigError

_HOST = re.compile(r"(?:[0-9A-Za-z](?:[0-9A-Za-z._-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")


def checked_public_url(text: str) -> str:
    """`https://registry.example.com[:port]` without a slash at the end; raises ConfigError."""
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not _HOST.fullmatch(parts.netloc):
        raise ConfigError(f'"{text}" is not a public URL: write one like "https://registry.example.com"')
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ConfigError(
            f'"{text}" has a path: a registry lives at the root of its host, write "https://{parts.netloc}"'
        )
    return f"{parts.scheme}://{parts.netloc}"


def request_host(request: Request) -> str:
    """The Host header, when there is exactly one and it is a host; raises a 400."""
    hosts = request.headers.getlist("host")
    if len(hosts) != 1 or not _HOST.fullmatch(hosts[0]):
        raise HTTPException(400, "the request must have one Host header that names a host, like registry.example.com")
    return hosts[0].lower()


def origin(request: Request, public_url: str | None) -> str:
    """What absolute URLs start with. The scheme is that of a trusted proxy, if one is in front."""
    return public_url or f"{request.url.scheme}://{request_host(request)}"


def own_hosts(request: Request, public_url: str | None, hostname: str | None) -> tuple[str, ...]:
    """The hosts whose providers are ours: the catalog's name for the registry, the public one, the one just used."""
    public = (urlsplit(public_url).netloc,) if public_url else ()
    named = (hostname,) if hostname else ()
    return (*named, *public, request_host(request))
