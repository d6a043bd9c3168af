"""One-line sentences that clients show to people: what is deprecated, what is yanked, and why. Never empty ones."""

from gitopsreg.index.model import PackageBase, PublishedVersion
from gitopsreg.model.declaration import Deprecation


def deprecation_notice(deprecation: Deprecation) -> str:
    """`deprecated since 2026-01-01: no longer maintained; use platform/network/aws instead`."""
    since = f" since {_line(deprecation.since)}" if deprecation.since else ""
    message = f": {_line(deprecation.message)}" if _line(deprecation.message) else ""
    instead = f"; use {_line(deprecation.replacement)} instead" if deprecation.replacement else ""
    return f"deprecated{since}{message}{instead}"


def yank_notice(version: PublishedVersion) -> str:
    """`version 1.2.0 is yanked: it deletes the wrong bucket`."""
    reason = f": {_line(version.yanked)}" if version.yanked and _line(version.yanked) else ""
    return f"version {version.version} is yanked{reason}"


def reason_not_to_use(package: PackageBase, version: PublishedVersion) -> str | None:
    """What speaks against one version, its own yank first; None when nothing does."""
    if version.yanked is not None:
        return yank_notice(version)
    return deprecation_notice(package.deprecation) if package.deprecation else None


def _line(text: str) -> str:
    """Clients print these inside their own output: one line, nothing that moves a cursor."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
