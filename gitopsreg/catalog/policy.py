"""Resources of access policies: patterns of addresses, like `module:platform/*/*` (GR420). Admits nobody by itself."""

import re
from collections.abc import Iterator

from gitopsreg.catalog.cursor import Cursor
from gitopsreg.catalog.nearest import did_you_mean
from gitopsreg.catalog.problem import Problem
from gitopsreg.errors import quoted

_PART = "[0-9a-z_*-]+"
_RESOURCE = re.compile(
    rf"\*|(?:module:(?P<module>{_PART})(?:/{_PART}){{2}}|provider:(?P<provider>{_PART})/{_PART})|(?:module|provider):\*"
)
_RIGHT = 'write "module:namespace/name/system", "provider:namespace/type" or "*"; * stands for any characters but /'


def check_resource(at: Cursor) -> Iterator[Problem]:
    """Whether the pattern could be that of an address."""
    if at.text and not _RESOURCE.fullmatch(at.text):
        kind, colon, _ = at.text.partition(":")
        hint = did_you_mean(kind, ["module", "provider"]) if colon and kind not in {"module", "provider"} else ""
        message = f"the resource {quoted(at.text)} is no pattern of addresses"
        yield Problem(rule="GR420", message=message, hint=hint or _RIGHT, pointer=at.pointer)


def namespace_of(resource: str) -> str:
    """The one namespace that a resource is about; "" for several or none."""
    found = _RESOURCE.fullmatch(resource)
    name = (found["module"] or found["provider"] or "") if found else ""
    return "" if "*" in name else name
