"""Owners as forges know them: which names are legal there, and how CODEOWNERS writes them. Asks no forge."""

import re
from collections.abc import Iterable, Iterator
from typing import Literal

from gitopsreg.catalog.cursor import Cursor
from gitopsreg.catalog.problem import Problem
from gitopsreg.errors import InvalidName, quoted

Style = Literal["github", "gitlab"]
Owner = tuple[str, str]

_PART = r"[0-9A-Za-z](?:[0-9A-Za-z_-]{0,99})"
_GITLAB_PART = r"[0-9A-Za-z_](?:[0-9A-Za-z_.-]{0,253}[0-9A-Za-z_-])?"
# type → (what is legal, what would be right)
_LEGAL = {
    "github-team": (re.compile(rf"{_PART}/{_PART}"), 'write organisation/team, like "acme/platform"'),
    "github-user": (re.compile(_PART), 'write the account\'s name, like "octocat"'),
    "gitlab-group": (re.compile(rf"{_GITLAB_PART}(?:/{_GITLAB_PART}){{0,19}}"), 'write its path, like "acme/platform"'),
    "gitlab-user": (re.compile(_GITLAB_PART), 'write the account\'s name, like "jane.doe"'),
    "email": (
        re.compile(r"[0-9A-Za-z._%+-]{1,64}@(?:[0-9A-Za-z-]{1,63}\.){1,8}[A-Za-z]{2,63}"),
        'write an address, like "platform@example.com"',
    ),
}
# An identity provider's group has any name, and no forge asks it for a review.
TYPES = (*_LEGAL, "oidc-group")
_KNOWN_TO: dict[Style, tuple[str, ...]] = {
    "github": ("github-team", "github-user", "email"),
    "gitlab": ("gitlab-group", "gitlab-user", "email"),
}


def owner_problem(kind: str, name: str) -> tuple[str, str] | None:
    """(what is wrong, what would be right) with an owner's name, or None. An unknown type is no matter of names."""
    pattern, right = _LEGAL.get(kind, (None, ""))
    if pattern is None or pattern.fullmatch(name):
        return None
    return f"{quoted(name)} is not a name of type {kind}", right


def check_owners(entries: Cursor) -> Iterator[Problem]:
    """A forge passes over an owner that it does not know, and nobody is asked."""
    for entry in entries:
        name = entry / "name"
        if name.text and (wrong := owner_problem((entry / "type").text, name.text)):
            yield Problem(rule="GR430", message=wrong[0], hint=wrong[1], pointer=name.pointer)


def handles(owners: Iterable[Owner], style: Style) -> tuple[str, ...]:
    """How this forge writes those of the owners whom it can ask for a review, each once, in the given order."""
    known = [(kind, name) for kind, name in owners if kind in _KNOWN_TO[style] and owner_problem(kind, name) is None]
    return tuple(dict.fromkeys(name if kind == "email" else f"@{name}" for kind, name in known))


def parse_owner(text: str) -> Owner:
    """`github-team:acme/platform`, or short: `@acme/platform`, `@octocat`, `jane@example.com`. Raises InvalidName."""
    kind, found, name = text.partition(":")
    if not found:
        kind, name = _short(text)
    if kind not in TYPES:
        raise InvalidName(f"{quoted(kind)} is not a type of owner: write one of {', '.join(TYPES)}")
    problem = owner_problem(kind, name)
    if problem or not name or not name.isprintable() or len(name) > 200:
        message, right = problem or (f"{quoted(text)} is not an owner", "write type:name")
        raise InvalidName(f"{message}: {right}")
    return kind, name


def _short(text: str) -> Owner:
    if text.startswith("@"):
        return ("github-team" if "/" in text else "github-user"), text[1:]
    if "@" in text:
        return "email", text
    raise InvalidName(
        f"{quoted(text)} does not say what kind of owner it is: write github-team:acme/platform, gitlab-group:acme, …"
    )
