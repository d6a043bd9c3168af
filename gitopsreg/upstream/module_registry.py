"""A registry of modules that speaks the registry protocol: what it has, and where its versions lie. Downloads nothing.

https://developer.hashicorp.com/terraform/internals/module-registry-protocol
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, Self
from urllib.parse import quote, urlencode, urljoin, urlsplit

from gitopsreg.errors import InvalidName, UpstreamUnavailable, quoted
from gitopsreg.model.address import ModuleAddress
from gitopsreg.transport.http_json import Answer

_DISCOVERY = "/.well-known/terraform.json"
_PAGE = 100
_MOST_PAGES = 10_000
_MOST_VERSIONS = 20_000
_OK, _NO_CONTENT, _UNAUTHORIZED, _FORBIDDEN = 200, 204, 401, 403
_NOT_THERE = frozenset({404, 410})
_PARTS = len(("namespace", "name", "system"))

Get = Callable[[str], Answer]


class ModuleRegistry:
    """`base` is where its modules are, with a final slash. All methods raise UpstreamUnavailable."""

    def __init__(self, get: Get, base: str) -> None:
        self.base = base
        self._get = get

    @classmethod
    def at(cls, get: Get, url: str) -> Self:
        """The registry of a host (`https://registry.example.com`), by service discovery."""
        answer = get(urljoin(url, _DISCOVERY))
        if answer.status in _NOT_THERE:
            raise UpstreamUnavailable(
                f"{quoted(url)} is no registry: its {_DISCOVERY} answers {answer.status}", reason="NotFound"
            )
        services = _object(answer)
        base = services.get("modules.v1")
        if not isinstance(base, str) or not base:
            raise UpstreamUnavailable(f"{quoted(url)} offers no modules: its {_DISCOVERY} names no modules.v1")
        return cls(get, urljoin(answer.url, base).rstrip("/") + "/")

    def modules(self, namespace: str = "") -> Iterator[str]:
        """`namespace/name/system` of each, as the registry writes it. Raises NoListing where it lists none."""
        url = f"{self.base}{quote(namespace)}?{urlencode({'limit': _PAGE, 'offset': 0})}"
        seen: set[str] = set()
        for _ in range(_MOST_PAGES):
            page = self._page(url)
            new = [path for path in map(_path, page["modules"]) if path and path not in seen]
            seen.update(new)
            yield from new
            following = _next(page, url)
            if not new or following is None:
                return
            url = following

    def versions(self, module: str) -> tuple[str, ...]:
        """As the registry writes them, in its order."""
        answer = self._get(f"{self.base}{quote(module)}/versions")
        if answer.status in _NOT_THERE:
            there = f"the registry has no module {quoted(module)}, or shows it to others only"
            raise UpstreamUnavailable(f"{there} ({quoted(answer.url)} answers {answer.status})", reason="NotFound")
        document = _object(answer)
        listed = document.get("modules")
        first = listed[0] if isinstance(listed, list) and listed else None
        found = first.get("versions") if isinstance(first, dict) else None
        entries = found if isinstance(found, list) else []
        texts = (entry.get("version") for entry in entries[:_MOST_VERSIONS] if isinstance(entry, dict))
        return tuple(text for text in texts if isinstance(text, str) and text)

    def location(self, module: str, version: str) -> str:
        """What clients are sent to: in the header, or in the body as tofu reads it."""
        answer = self._get(f"{self.base}{quote(module)}/{quote(version, safe='+')}/download")
        if answer.status not in {_OK, _NO_CONTENT}:
            raise _refused(answer)
        found = answer.headers.get("x-terraform-get")
        if not found and answer.body:
            found = _object(answer).get("location")
        if not isinstance(found, str) or not found:
            raise UpstreamUnavailable(f"{quoted(answer.url)} does not say where the module is")
        return found

    def _page(self, url: str) -> dict[str, Any]:
        answer = self._get(url)
        if answer.status in {_UNAUTHORIZED, _FORBIDDEN}:
            raise _refused(answer)
        try:
            page = _object(answer)
        except UpstreamUnavailable as error:
            raise NoListing(str(error), reason=error.reason) from error
        if not isinstance(page.get("modules"), list):
            raise NoListing(f"{quoted(url)} is no list of modules")
        return page


class NoListing(UpstreamUnavailable):
    """The registry has modules and does not say which."""


def _next(page: dict[str, Any], url: str) -> str | None:
    """The next page: by its offset, which goes up, or by its URL on the same host."""
    meta = page.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    offset, current = meta.get("next_offset"), meta.get("current_offset")
    if isinstance(offset, int) and offset > (current if isinstance(current, int) else 0):
        return f"{url.partition('?')[0]}?{urlencode({'limit': _PAGE, 'offset': offset})}"
    link = meta.get("next_url")
    if not isinstance(link, str) or not link:
        return None
    following = urljoin(url, link)
    return following if urlsplit(following)[:2] == urlsplit(url)[:2] and following != url else None


def _path(entry: Any) -> str:
    """`namespace/name/system`, "" for what is no module."""
    parts = [entry.get(key) for key in ("namespace", "name", "provider")] if isinstance(entry, dict) else []
    return "/".join(part for part in parts if isinstance(part, str)) if all(parts) else ""


def address_of(module: str, into: str = "") -> ModuleAddress:
    """In lower case, in the namespace `into` if one is given. Raises InvalidName."""
    parts = module.lower().split("/")
    if len(parts) != _PARTS:
        right = _without_more(parts) or 'write "namespace/name/system"'
        raise InvalidName(f"{quoted(module)} is not a module address: {right}")
    return ModuleAddress(into or parts[0], parts[1], parts[2])


def _without_more(parts: list[str]) -> str:
    """What to write in the place of an address with its host in front, or its version behind; "" for all else."""
    if len(parts) == _PARTS + 1 and set(".:") & set(parts[0]):
        return f"leave the host out, which --from names: {quoted('/'.join(parts[1:]))}"
    if len(parts) == _PARTS + 1 and parts[-1][:1].isdigit():
        address, version = "/".join(parts[:-1]), f"= {parts[-1]}"
        return f"leave the version out, and choose it with --constraint: {quoted(address)} and {quoted(version)}"
    return ""


def _object(answer: Answer) -> dict[str, Any]:
    if answer.status != _OK:
        raise _refused(answer)
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise UpstreamUnavailable(f"{quoted(answer.url)} answers with something that is no JSON") from error
    if not isinstance(document, dict):
        raise UpstreamUnavailable(f"{quoted(answer.url)} answers with no JSON object")
    return document


def _refused(answer: Answer) -> UpstreamUnavailable:
    if answer.status in {_UNAUTHORIZED, _FORBIDDEN}:
        host = urlsplit(answer.url).netloc
        variable = "TF_TOKEN_" + host.replace("-", "__").replace(".", "_")
        # No shell sets a variable with a colon in its name.
        how = f"run it as env '{variable}=…' gitopsreg …" if ":" in host else f"set {variable}"
        return UpstreamUnavailable(
            f"{quoted(answer.url)} answers {answer.status}: it wants a token, or another one ({how}, or run "
            f"terraform login {host})",
            reason="AuthenticationFailed",
        )
    reason = "NotFound" if answer.status in _NOT_THERE else "UpstreamError"
    return UpstreamUnavailable(f"{quoted(answer.url)} answers {answer.status}", reason=reason)
