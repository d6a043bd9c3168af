"""A plan as a Markdown comment for a pull request: one that a bot finds again by its first line and updates in place.

Whatever comes from the catalog is somebody else's text: it can't format, link, mention or close anything here.
"""

import re
from collections.abc import Iterator, Sequence

from gitopsreg.catalog.plan_sheet import Row, Section, Sheet

# What forges take for one comment.
LIMIT = 65_536

_SIGNS = {"add": "➕", "change": "✏️", "remove": "➖", "warn": "⚠️"}
_SPECIAL = re.compile(r"([\\`*_{}\[\]|~$])")
# What forges make links of: users, issues, merge requests, labels, URLs.
_REFERENCE = re.compile(r"([@#!%^$~]|&amp;|GH-|(?<=[A-Za-z]):(?=//)|www\.)(?=[\w\"'/])")
_BLOCK = re.compile(r"(?:[-+#]+|\d+[.)])(?:\s|$)")
# Zero-width: nothing is seen of it, and what follows is plain text.
_GAP = "&#8203;"
_NAME = re.compile(r"[^0-9A-Za-z.:/_-]")


def marker(name: str) -> str:
    """The hidden first line, by which the comment is found again."""
    return f"<!-- gitopsreg:plan:{_NAME.sub('', name)} -->"


def markdown(sheet: Sheet, *, limit: int = LIMIT) -> str:
    """The comment; of what does not fit, details are cut first, the table only when nothing else is left."""
    head = [marker(sheet.name), f"### gitopsreg plan: {sheet.title}", " · ".join(_verdicts(sheet))]
    foot = f"<sub>plan {escaped(sheet.digest)} · expires when the base moves</sub>"
    held = [f"> **Held back:** {escaped(sheet.held)}", f"> {escaped(sheet.next)}"] if sheet.held else []
    blocks = ["\n".join(head), *(["\n".join(line for line in held if line != "> ")] if held else [])]
    spare = limit - sum(len(block) + 2 for block in blocks) - len(foot) - 1
    table = _table(sheet.rows, spare)
    spare -= len(table) + 2
    details = _details(sheet.sections, spare)
    return "\n\n".join([*blocks, table, *details, foot]) + "\n"


def escaped(text: str) -> str:
    """Text of others inside a line: nothing in it means anything."""
    text = " ".join(text.split())
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = _SPECIAL.sub(r"\\\1", _REFERENCE.sub(rf"\1{_GAP}", text))
    return _GAP + text if _BLOCK.match(text) else text


def code(text: str) -> str:
    """Text of others as code: a row of a table ends at no bar inside it."""
    text = " ".join(text.replace("`", "'").split()).replace("|", "¦")
    return f"`{text}`" if text else ""


def _verdicts(sheet: Sheet) -> Iterator[str]:
    yield f"Base {code(sheet.base)} → head {code(sheet.head)}" if sheet.base else f"Head {code(sheet.head)}"
    yield from (escaped(verdict) for verdict in sheet.verdicts)


def _table(rows: Sequence[Row], spare: int) -> str:
    if not rows:
        return "No changes."
    lines = ["| | Address | Change | Risk |", "|---|---|---|---|"]
    used = sum(len(line) + 1 for line in lines)
    for number, row in enumerate(rows):
        line = _line(row)
        more = f"| | | … and {len(rows) - number} more | |"
        if used + len(line) + 1 + len(more) > spare and number < len(rows):
            lines.append(more)
            break
        lines.append(line)
        used += len(line) + 1
    return "\n".join(lines)


def _line(row: Row) -> str:
    name = escaped(row.subject) if row.names else code(row.subject)
    risks = ", ".join(f"**{risk}**" if risk.level == "high" else str(risk) for risk in row.risks)
    sign = "⚠️" if any(risk.level == "high" for risk in row.risks) else _SIGNS[row.sign]
    return f"| {sign} | {name} | {'; '.join(escaped(word) for word in row.words)} | {risks} |"


def _details(sections: Sequence[Section], spare: int) -> Iterator[str]:
    """As many as fit, whole lines only; what is left out is counted."""
    for section in sections:
        frame = len(f"<details><summary>{escaped(section.title)} ({len(section.lines)})</summary>\n\n\n</details>") + 2
        left = spare - frame - len("- … and 1000000 more\n")
        lines = list(_fitting(section.lines, left))
        if not lines:
            return
        if len(lines) < len(section.lines):
            lines.append(f"- … and {len(section.lines) - len(lines)} more")
        body = "\n".join(lines)
        block = f"<details><summary>{escaped(section.title)} ({len(section.lines)})</summary>\n\n{body}\n</details>"
        spare -= len(block) + 2
        yield block


def _fitting(lines: Sequence[str], spare: int) -> Iterator[str]:
    for line in lines:
        told = f"- {escaped(line)}"
        spare -= len(told) + 1
        if spare < 0:
            return
        yield told
