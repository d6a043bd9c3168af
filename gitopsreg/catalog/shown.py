"""Values of a catalog as they may be shown: no secrets, nothing that a terminal acts on, never long."""

from typing import Any

from gitopsreg.catalog.report import printable
from gitopsreg.catalog.secret import mask
from gitopsreg.model.digest import Sha256

_LONGEST = 2000


def shown(value: Any, field: str = "") -> Any:
    """The same shape of value, safe; the text of a key by its digest, since nobody reads it."""
    if isinstance(value, dict):
        return {shown_text(key): shown(item, str(key)) for key, item in sorted(value.items())}
    if isinstance(value, list):
        return [shown(item) for item in value]
    if isinstance(value, str):
        return str(Sha256.of(value.encode())) if field == "publicKey" else shown_text(value)
    return value


def shown_text(text: str) -> str:
    text = printable(mask(text))
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
