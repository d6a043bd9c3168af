"""Webhook receivers as operators write them: a mapping in YAML and JSON, `NAME=TYPE,file:/path` as a flag."""

import json
import re
from collections.abc import Mapping
from typing import cast, get_args

from gitopsreg.errors import InvalidName
from gitopsreg.settings.values import LooksSecret, Receiver, ReceiverType, Secret, refuse_secret

TYPES = get_args(ReceiverType)
_KEYS = ("name", "type", "secrets", "refs")
_NAME = re.compile(r"[0-9a-z](?:[0-9a-z-]{0,61}[0-9a-z])?")
_REF = re.compile(r"refs/[^\s\x00-\x1f\x7f]{1,250}")
_VARIABLE = re.compile(r"[A-Za-z_][0-9A-Za-z_]{0,127}")
_FLAG_FORM = '"NAME=TYPE,file:/run/secrets/hook" or "NAME=TYPE,env:HOOK_SECRET"'
_NAMED = 'name where the secret lies: "file: /run/secrets/hook" or "env: HOOK_SECRET"'


def receivers(value: object) -> tuple[Receiver, ...]:
    """From a list of mappings (YAML), its JSON (environment) or texts (flags); raises InvalidName."""
    if isinstance(value, str):
        value = _from_json(value)
    if not isinstance(value, (list, tuple)):
        raise InvalidName("write a list of receivers, each with name, type and secrets")
    found = tuple(_from_flag(item) if isinstance(item, str) else _from_mapping(item) for item in value)
    names = [receiver.name for receiver in found]
    for name in names:
        if names.count(name) > 1:
            raise InvalidName(f'two receivers are named "{name}"; a name is a path, /hooks/{name}, and must be unique')
    return found


def _from_json(value: str) -> object:
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        example = '[{"name": "catalog", "type": "github", "secrets": [{"env": "HOOK_SECRET"}]}]'
        raise InvalidName(f"write a JSON list, like {example}") from error


def _from_flag(value: str) -> Receiver:
    name, found, rest = value.partition("=")
    receiver_type, *parts = rest.split(",")
    if not found:
        raise InvalidName(f"write {_FLAG_FORM}")
    refs = [part.removeprefix("ref:") for part in parts if part.startswith("ref:")]
    secrets = [_prefixed(part) for part in parts if not part.startswith("ref:")]
    return _checked(name, receiver_type, secrets, refs)


def _prefixed(part: str) -> Mapping[object, object]:
    kind, found, name = part.partition(":")
    if not found or kind not in {"file", "env"}:
        raise LooksSecret(
            f"a part that starts with none of file:, env: and ref: may be a secret itself; write {_FLAG_FORM}"
        )
    return {kind: name}


def _from_mapping(value: object) -> Receiver:
    if not isinstance(value, Mapping):
        raise InvalidName("a receiver is a mapping with name, type and secrets")
    for key in value:
        if key not in _KEYS:
            raise InvalidName(f'a receiver has no key "{key}"; it has name, type, secrets and refs')
    return _checked(value.get("name"), value.get("type"), value.get("secrets"), value.get("refs") or [])


def _checked(name: object, receiver_type: object, secrets: object, refs: object) -> Receiver:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidName('a receiver\'s name is 1 to 63 of a-z and 0-9, with - inside, like "catalog"')
    if receiver_type not in TYPES:
        raise InvalidName(f'receiver "{name}" has no known type; write one of {", ".join(TYPES)}')
    if not isinstance(secrets, list) or not secrets:
        raise InvalidName(f'receiver "{name}" has no secret; {_NAMED}')
    if not isinstance(refs, list):
        raise InvalidName(f'receiver "{name}": refs is a list of full refs, like "refs/heads/main"')
    return Receiver(
        name=name,
        type=cast("ReceiverType", receiver_type),
        secrets=tuple(_secret(name, secret) for secret in secrets),
        refs=tuple(_ref(name, ref) for ref in refs),
    )


def _secret(receiver: str, value: object) -> Secret:
    if not isinstance(value, Mapping) or len(value) != 1 or not {"file", "env"}.issuperset(value):
        raise LooksSecret(f"receiver \"{receiver}\": a secret's value can't stand here; {_NAMED}")
    ((kind, name),) = value.items()
    legal = isinstance(name, str) and (kind == "file" or _VARIABLE.fullmatch(name)) and name
    if not legal:
        raise LooksSecret(f'receiver "{receiver}": this names no {"file" if kind == "file" else "variable"}; {_NAMED}')
    return Secret("file" if kind == "file" else "env", refuse_secret(str(name)))


def _ref(receiver: str, value: object) -> str:
    """A full ref; `*` stands for anything."""
    if not isinstance(value, str) or not _REF.fullmatch(value):
        raise InvalidName(f'receiver "{receiver}": write refs in full, like "refs/heads/main" or "refs/tags/v*"')
    return value
