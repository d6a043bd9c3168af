"""Whether what a provider's releases must have is said (GR416)."""

from collections.abc import Iterator

from gitopsreg.catalog.cursor import Cursor
from gitopsreg.catalog.problem import Problem


def check_completeness(spec: Cursor) -> Iterator[Problem]:
    """Of a declaration, or of what a discovery says of all that it finds."""
    completeness = spec / "completeness"
    if completeness.value == "required-platforms" and not (spec / "platforms").present:
        hint = "add platforms: [linux_amd64]"
        yield Problem(
            rule="GR416", message="required-platforms needs platforms", hint=hint, pointer=completeness.pointer
        )
