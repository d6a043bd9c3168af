"""Changes of the catalog in words: short phrases that say the effect, not the YAML. Plain text, marked up by others."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gitopsreg.catalog.difference import Change, Effect
from gitopsreg.catalog.subject import kind_of

_SHORT = 80
_FEW = 3

_REMOVED = {
    "module": "removed: its versions are archived",
    "provider": "removed: its versions are archived",
    "key": "removed: it vouches for nothing any more",
    "namespace": "removed",
}


def words(change: Change, *, resolved: bool = False) -> tuple[str, ...]:
    """What becomes of one declaration; `resolved` when its versions are told elsewhere, as upstreams have them."""
    kind = kind_of(change.subject)
    match change.action:
        case "add":
            return (f"new {kind}", *_presented(kind, change.spec, resolved=resolved))
        case "remove":
            return (_REMOVED.get(kind, "removed"),)
        case "invalid":
            return (f"invalid, keeps its last good state: {change.message}",)
        case "repaired":
            return ("valid again",)
        case "change":
            return tuple(phrase(effect) for effect in change.effects)


def phrase(effect: Effect) -> str:
    """One effect: `yank 1.4.1: wrong route table`, `interval: 15m → 5m`."""
    tell = _TELLERS.get(effect.field, _plainly) if effect.item else _plainly
    return tell(effect)


def versions(texts: tuple[str, ...]) -> str:
    """All of a few, the ends of many (oldest first)."""
    noun = "version" if len(texts) == 1 else "versions"
    if len(texts) <= _FEW:
        return f"{len(texts)} {noun} ({', '.join(texts)})"
    return f"{len(texts)} {noun} ({texts[0]} … {texts[-1]})"


def _presented(kind: str, spec: Mapping[str, Any], *, resolved: bool) -> Iterator[str]:
    """What somebody should know of a declaration that is new."""
    if kind in {"module", "provider"}:
        yield _from(spec.get("source", {}))
        yield from () if resolved else _wanted(spec.get("versions", {}))
    if keys := spec.get("verify", {}).get("keys"):
        yield f"keys: {', '.join(keys)}"
    if owners := spec.get("owners"):
        yield f"owners: {', '.join(_owner(owner) for owner in owners)}"
    if fingerprint := spec.get("fingerprint"):
        yield f"fingerprint {fingerprint}"
    if scope := spec.get("scope"):
        yield f"scope: {_value(scope)}"
    if "status" in spec and spec["status"] != "active":
        yield f"status {spec['status']}"


def _wanted(rules: Mapping[str, Any]) -> Iterator[str]:
    if pins := rules.get("pins"):
        yield versions(tuple(pin["version"] for pin in pins))
    if constraint := rules.get("constraint"):
        yield f"constraint {constraint}"


def _from(source: Mapping[str, Any]) -> str:
    where = source.get("url") or source.get("address") or source.get("repository") or ""
    path = f"//{source['path']}" if source.get("path") else ""
    return f"from {source.get('type')} {where}{path}".rstrip()


def _owner(owner: Mapping[str, Any]) -> str:
    return f"{owner.get('type')} {owner.get('name')}"


def _plainly(effect: Effect) -> str:
    field = f"{effect.field}[{effect.item}]" if effect.item and effect.how == "changed" else effect.field
    if effect.item and effect.how != "changed":
        sign = "+" if effect.how == "added" else "-"
        return f"{effect.field}: {sign}{_value(effect.after if effect.how == 'added' else effect.before)}"
    if effect.field == "publicKey":
        return "publicKey: replaced"
    if effect.before is None:
        return f"{field}: {_value(effect.after)}"
    if effect.after is None:
        return f"{field}: {_value(effect.before)} taken out"
    if isinstance(effect.before, list) and isinstance(effect.after, list) and not effect.item:
        return f"{field}: in another order"
    return f"{field}: {_value(effect.before)} → {_value(effect.after)}"


def _yank(effect: Effect) -> str:
    if effect.how == "removed":
        return f"un-yank {effect.item}"
    after = effect.after
    hidden = ", hidden" if after.get("visibility") == "hidden" else ""
    again = "yank differently " if effect.how == "changed" else "yank "
    return f"{again}{effect.item}{hidden}: {_cut(after.get('reason', ''))}"


def _block(effect: Effect) -> str:
    if effect.how == "removed":
        return f"un-block {effect.item}"
    again = "block differently " if effect.how == "changed" else "block "
    return f"{again}{effect.item}: {_cut(effect.after.get('reason', ''))}"


def _pin(effect: Effect) -> str:
    if effect.how == "removed":
        return f"unpin {effect.item}"
    if effect.how == "changed":
        return f"pin {effect.item} to other content: {_content(effect.before)} → {_content(effect.after)}"
    return f"pin {effect.item}"


def _content(pin: Mapping[str, Any]) -> str:
    """What a pin ties its version to."""
    return str(pin.get("commit") or pin.get("sha256") or pin.get("path") or "anything")


def _owners(effect: Effect) -> str:
    sign = "-" if effect.how == "removed" else "+"
    return f"{effect.field}: {sign}{effect.item}"


_TELLERS: Mapping[str, Callable[[Effect], str]] = {
    "versions.yanked": _yank,
    "versions.blocked": _block,
    "versions.pins": _pin,
    "owners": _owners,
    "admins": _owners,
}


def _value(value: Any) -> str:
    if isinstance(value, str):
        return _cut(value) or '""'
    if isinstance(value, Mapping):
        return _cut(", ".join(f"{key} {_value(item)}" for key, item in value.items()))
    return _cut(json.dumps(value, ensure_ascii=False))


def _cut(text: str) -> str:
    return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"
