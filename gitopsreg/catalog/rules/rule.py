"""What a rule is: its number, what it demands and why, and an example to learn from. It checks nothing itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning"]
_ABOUT_COMMENTS = ("GR111", "GR112", "GR113")
# Path → text, from the catalog's root.
Files = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A small catalog that breaks the rule, and one that keeps it. What each example needs besides is not shown.

    `base` is the catalog before the change (rules of changes); `also` are rules that the bad one can't help breaking.
    """

    bad: Files
    good: Files
    base: Files = field(default_factory=dict)
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """`title` says what must hold, `why` what would go wrong otherwise.

    The page of the rule needs the rest: `what` is looked at, in full, and how to `fix` a finding. An `example` is
    missing where none can be written down.
    """

    id: str
    title: str
    why: str
    severity: Severity = "error"
    what: str = ""
    fix: str = ""
    example: Example | None = None

    @property
    def can_be_ignored(self) -> bool:
        """Whether a comment in the file may silence it: never what the file can't be read without, never security."""
        return not self.id.startswith(("GR0", "GR5", *_ABOUT_COMMENTS))

    @property
    def page(self) -> str:
        """Where its page is, from the top of the repository."""
        return page_path(self.id)


def page_path(rule: str) -> str:
    """Where the page of a rule is, from the top of the repository."""
    return f"docs/rules/{rule}.md"


def is_security(rule: str) -> bool:
    """Whether breaking it can harm more than the catalog."""
    return rule.startswith("GR5")
