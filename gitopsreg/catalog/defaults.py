"""The precedence of settings: built-in < Registry.spec.defaults < Namespace.spec.defaults < the declaration.

Maps merge by key, lists and scalars replace, null resets to the built-in value.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gitopsreg.model.digest import Sha256

Spec = Mapping[str, Any]

BUILT_IN: Spec = {"interval": "15m", "timeout": "5m", "versions": {"prereleases": False, "keepLatest": 0}}
# What a package can have; other defaults (retention) are the registry's own.
_INHERITED = ("storageClass", "accessPolicy", "interval", "timeout", "delivery", "versions")


def inheritable(defaults: Any) -> Spec:
    """The part of a `defaults` mapping that packages inherit."""
    return {key: defaults[key] for key in _INHERITED if key in defaults} if isinstance(defaults, dict) else {}


def effective(layers: Iterable[Spec]) -> dict[str, Any]:
    """The layers, least first, on top of the built-in values."""
    result = _copy(BUILT_IN)
    for layer in layers:
        _lay(result, layer, BUILT_IN)
    return result


def digest(spec: Any) -> Sha256:
    """The sha256 of the canonical JSON: the same for equal specs, however they were written."""
    text = json.dumps(spec, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return Sha256.of(text.encode())


def _lay(result: dict[str, Any], layer: Spec, built_in: Spec) -> None:
    for key, value in layer.items():
        default = built_in.get(key)
        if value is None:
            result.pop(key, None)
            if key in built_in:
                result[key] = _copy(default) if isinstance(default, dict) else default
        elif isinstance(value, dict):
            inner = result.get(key)
            result[key] = dict(inner) if isinstance(inner, dict) else {}
            _lay(result[key], value, default if isinstance(default, dict) else {})
        else:
            result[key] = value


def _copy(spec: Spec) -> dict[str, Any]:
    return {key: _copy(value) if isinstance(value, dict) else value for key, value in spec.items()}


def decided_by(layers: Sequence[Spec], steps: Sequence[str]) -> tuple[int, int, bool]:
    """Which layer an effective value comes from: (its number or -1 for built-in, how many of the steps lead to what
    decides there, whether that is a null, which went back to the built-in value).
    """
    for number in range(len(layers) - 1, -1, -1):
        value: Any = layers[number]
        for depth, step in enumerate(steps, 1):
            if not isinstance(value, dict) or step not in value:
                break
            value = value[step]
            if value is None or depth == len(steps):
                return number, depth, value is None
    return -1, 0, False
