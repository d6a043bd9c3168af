"""What went wrong between us and a Git server, in words that say what to do. libgit2 tells it only in its messages."""

import re

from gitopsreg.errors import UpstreamUnavailable
from gitopsreg.transport.location import Location

# The order matters: a loop is reported as "too many redirects or authentication replays".
_REASONS = (
    (
        re.compile(
            r"status code: (404|410)|failed to resolve path|could not read refs from remote"
            r"|does not appear to be a git repository|[Rr]epository not found|could not be found"
        ),
        "NotFound",
    ),
    (re.compile(r"redirect"), "Moved"),
    (re.compile(r"status code: (401|403|407)|authenticat", re.IGNORECASE), "AuthenticationFailed"),
    (re.compile(r"timed out|timeout", re.IGNORECASE), "Timeout"),
    (re.compile(r"SSL|TLS|certificate"), "TLSFailed"),
)
_HINTS = {
    "AuthenticationFailed": "check the login in the credentials file and what it may read",
    "NotFound": "check the URL; many hosts also say so when a login is missing",
    "Timeout": "it did not answer in time",
}


def unreadable(url: str, said: str, *, login_refused: bool = False) -> UpstreamUnavailable:
    """The failure that libgit2's words stand for; a server may have put its own among them."""
    said = "".join(letter if letter.isprintable() else " " for letter in said[:500]).strip()
    found = (reason for pattern, reason in _REASONS if pattern.search(said))
    reason = "AuthenticationFailed" if login_refused else next(found, "UpstreamError")
    hint = f" ({_HINTS[reason]})" if reason in _HINTS else ""
    return UpstreamUnavailable(f'"{url}" can\'t be read: {said}{hint}', reason=reason)


def untrusted(location: Location) -> UpstreamUnavailable:
    """The server could not prove who it is."""
    if location.scheme == "ssh":
        return UpstreamUnavailable(
            f'the host key of "{location.host}" is not in known_hosts, or is another one there: compare it with '
            f"what its owner publishes, then add it (ssh-keyscan -p {location.port} {location.host} >> known_hosts)",
            reason="HostKeyMismatch",
        )
    return UpstreamUnavailable(
        f'the certificate of "{location.host}" is not valid for it, or no known authority signed it',
        reason="TLSFailed",
    )


def moved(url: str, target: str | None) -> UpstreamUnavailable:
    """The server sends us to another host (`target`, if known), where nobody has allowed us to go."""
    where = f'write "{target}" into the catalog if you trust it' if target else "write its new URL into the catalog"
    return UpstreamUnavailable(f'"{url}" has moved to another place: {where}', reason="Moved")


def too_slow(url: str, seconds: float) -> UpstreamUnavailable:
    return UpstreamUnavailable(f'"{url}" took longer than {seconds:g} seconds', reason="Timeout")
