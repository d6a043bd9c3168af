"""What a Git server says of a repository before anything is fetched."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Advertisement:
    """Full ref names and "HEAD" with their commits (annotated tags peeled), and the full ref that HEAD points to (None
    when it is detached or there is none). Refs whose names are no UTF-8 are left out: nothing here could name them.
    """

    refs: dict[str, str]
    head: str | None
