"""The page of a rule, and the table that leads to all of them, as Markdown. Touches no file."""

from collections.abc import Iterable, Iterator

from gitopsreg.catalog.rules.rule import Files, Rule

_MADE = "<!-- Made by `make docs` from gitopsreg/catalog/rules: edit there. -->\n\n"
_INTRODUCTION = """\
# Rules

What `gitopsreg validate` looks at. Numbers never change their meaning, and `gitopsreg rule GR401` prints a page.

A comment `# gitopsreg: ignore[GR404] reason`, in the line of a finding or alone above it, silences that finding.
Several numbers are joined by commas; the reason is for reviewers.
Security (GR5xx) and what keeps a file from being read (GR0xx) can't be silenced.
What is silenced is counted and listed apart, and stays as unusable as it is: a package with an error that is silenced
keeps what it last published, and `gitopsreg status` says so.

"""
_FAMILIES = {
    "GR0": "YAML syntax and limits",
    "GR1": "structure",
    "GR2": "schema",
    "GR3": "references",
    "GR4": "semantics",
    "GR5": "security",
    "GR6": "upstreams (`--online`)",
    "GR7": "changes (`--base`)",
}
# Needs a base though it stands among those of security.
_WITH_BASE = ("GR507",)
_LONGEST = 2000


def page(rule: Rule) -> str:
    """The whole page."""
    return _MADE + "\n\n".join(_parts(rule)) + "\n"


def index(rules: Iterable[Rule]) -> str:
    """The page that leads to the others: a table a family."""
    tables: dict[str, list[str]] = {}
    for rule in rules:
        row = f"| [{rule.id}]({rule.id}.md) | {rule.title} | {rule.severity} |"
        tables.setdefault(rule.id[:3], []).append(row)
    parts = [
        f"## {family}xx: {_FAMILIES[family]}\n\n| rule | what must hold | severity |\n|---|---|---|\n" + "\n".join(rows)
        for family, rows in tables.items()
    ]
    return _MADE + _INTRODUCTION + "\n\n".join(parts) + "\n"


def _parts(rule: Rule) -> Iterator[str]:
    yield f"# {rule.id}: {rule.title}"
    yield f"{rule.severity.capitalize()} · {_when(rule)} · {_ignoring(rule)}"
    yield rule.what
    yield f"Why: {rule.why}."
    example = rule.example
    if example is not None:
        if example.base:
            yield "## Before the change"
            yield from _files(example.base)
        yield "## Breaks the rule"
        yield from _files(example.bad)
    yield "## How to mend it"
    yield rule.fix
    if example is not None:
        changed = {path: text for path, text in example.good.items() if example.bad.get(path) != text}
        yield from _files(changed)
        gone = [path for path in example.bad if path not in example.good]
        if gone:
            yield "Removed: " + ", ".join(f"`{path}`" for path in gone) + "."


def _when(rule: Rule) -> str:
    if rule.id.startswith("GR6"):
        return "looked up by `gitopsreg validate --online`"
    if rule.id.startswith("GR7") or rule.id in _WITH_BASE:
        return "looked at by `gitopsreg validate --base REVISION`"
    return "always looked at"


def _ignoring(rule: Rule) -> str:
    if not rule.can_be_ignored:
        return "can't be ignored by a comment"
    comment = f"`# gitopsreg: ignore[{rule.id}] reason`"
    if rule.id.startswith("GR7"):
        return f"ignored by {comment}, in the change that brings it"
    return f"ignored by {comment}"


def _files(files: Files) -> Iterator[str]:
    for path, text in files.items():
        yield f"`{path}`"
        yield f"```yaml\n{_shown(text)}```"


def _shown(text: str) -> str:
    """The text without what nobody could see in it."""
    shown = "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)
    return shown if len(shown) <= _LONGEST else shown[:_LONGEST] + " …\n"
