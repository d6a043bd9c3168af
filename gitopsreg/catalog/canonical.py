"""An outline written out again, in the one canonical way. Decides on layout only: every word is the author's."""

import re
from collections.abc import Iterable, Sequence

from gitopsreg.catalog.order import Order
from gitopsreg.catalog.outline import Entry, Node
from gitopsreg.catalog.scalar import classify

# A collection in brackets that is longer becomes a block.
WIDTH = 120
_STEP = 2
_VERSION_KEYS = {"version", "range", "constraint"}
_VERSION = re.compile(r"[0-9]+(?:\.[0-9A-Za-z*]+)+(?:[-+][0-9A-Za-z.+-]*)?")


def canonical(root: Node, order: Order) -> list[str]:
    """The lines of the whole document."""
    return [*_trimmed(root.head, end=False), *_block(root, 0, order)]


def _block(node: Node, indent: int, order: Order) -> list[str]:
    """The lines of a map or a list, each entry in lines of its own."""
    lines: list[str] = []
    for entry in _sorted(node.entries, order):
        above = entry.above if lines else _trimmed(entry.above, end=False)
        lines += _indented(_squeezed(above), indent)
        lines += _entry(entry, indent, _below(entry, order))
    return lines + _indented(_trimmed(node.tail, start=False), indent)


def _sorted(entries: Iterable[Entry], order: Order) -> list[Entry]:
    return sorted(entries, key=lambda entry: order.place(_name(entry)) if entry.key else 0)


def _below(entry: Entry, order: Order) -> Order:
    return order.below(_name(entry)) if entry.key else order.of_items()


def _name(entry: Entry) -> str:
    return entry.key.raw[0].strip("\"'") if entry.key else ""


def _entry(entry: Entry, indent: int, order: Order) -> list[str]:
    prefix = " " * indent + (f"{entry.key.raw[0]}:" if entry.key else "-")
    value = entry.value
    if value.kind == "scalar":
        written = _scalar(value, indent, _name(entry))
    else:
        flow = _flow(value, order) if value.style else None
        if flow is None or len(prefix) + 1 + len(flow) > WIDTH:
            return _nested(entry, prefix, indent, order)
        written = [flow]
    first, rest = written[0], written[1:]
    behind = entry.behind or (entry.beside if not entry.under else "")
    if entry.under or (entry.beside and entry.behind):
        under = _indented([*_trimmed(entry.under), first + entry.behind], indent + _STEP)
        return [prefix + entry.beside, *under, *rest]
    if rest and not value.is_text_block:
        return [f"{prefix} {first}", *rest[:-1], rest[-1] + behind]
    return [f"{prefix} {first}{behind}" if first else prefix + behind, *rest]


def _nested(entry: Entry, prefix: str, indent: int, order: Order) -> list[str]:
    """A block under its key; in a list, beside its dash when no comment is in the way."""
    inner = _indented(_trimmed(entry.under), indent + _STEP) + _block(entry.value, indent + _STEP, order)
    beside = entry.beside + entry.behind
    if entry.key is None and not beside and inner and not inner[0].lstrip().startswith("#"):
        return [f"{prefix} {inner[0].lstrip()}", *inner[1:]]
    return [prefix + beside, *inner]


def _scalar(node: Node, indent: int, name: str) -> list[str]:
    """First line bare, the others where they belong."""
    if node.is_text_block:
        return [re.sub(r"[1-9]", str(_STEP), node.raw[0]), *_indented(node.raw[1:], indent + _STEP)]
    if len(node.raw) == 1:
        return [_quoted_version(node, name)]
    # A space before a backslash's line end is the author's: only double quotes know it.
    raw = node.raw if node.style == '"' else [*(line.rstrip(" \t") for line in node.raw[:-1]), node.raw[-1]]
    return [raw[0], *_indented(raw[1:], indent + _STEP)]


def _quoted_version(node: Node, name: str) -> str:
    raw = node.raw[0]
    plain = not node.style and '"' not in raw and "\\" not in raw and not raw.startswith("!")
    if plain and raw and isinstance(classify(raw), str) and (name in _VERSION_KEYS or _VERSION.fullmatch(raw)):
        return f'"{raw}"'
    return raw


def _flow(node: Node, order: Order) -> str | None:
    """The collection in brackets, or None when it holds comments or texts of several lines."""
    if node.has_comments:
        return None
    items = []
    for entry in _sorted(node.entries, order):
        value = entry.value
        if value.kind != "scalar":
            text = _flow(value, _below(entry, order))
        else:
            text = _quoted_version(value, _name(entry)) or "null" if len(value.raw) == 1 else None
        if text is None:
            return None
        items.append(f"{entry.key.raw[0]}: {text}" if entry.key else text)
    return ("{%s}" if node.kind == "map" else "[%s]") % ", ".join(items)


def _indented(lines: Iterable[str], indent: int) -> list[str]:
    pad = " " * indent
    return [pad + line if line else line for line in lines]


def _squeezed(lines: Sequence[str]) -> list[str]:
    """Of several blank lines one stays."""
    return [line for number, line in enumerate(lines) if line or number == 0 or lines[number - 1]]


def _trimmed(lines: Sequence[str], *, start: bool = True, end: bool = True) -> list[str]:
    """Without blank lines at the start and the end."""
    kept = _squeezed(lines)
    while start and kept and not kept[0]:
        kept = kept[1:]
    while end and kept and not kept[-1]:
        kept = kept[:-1]
    return kept
