"""Logins for Git servers, from a file in the format of git's credential store; read anew at each use.

One `https://user:token@host` a line, percent-encoded. A login belongs to scheme, host and port, and goes nowhere else.
"""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from gitopsreg.errors import InvalidName, UpstreamUnavailable
from gitopsreg.transport.location import Location


@dataclass(frozen=True, slots=True)
class Login:
    """The secret is kept out of `repr`, so that no log or traceback shows it."""

    user: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CredentialsFile:
    """`path` None means that there are no logins."""

    path: Path | None

    def login(self, url: str) -> Login | None:
        """The login for the URL's server. Raises UpstreamUnavailable (`AuthenticationFailed`): no readable file."""
        origin = Location.parse(url).origin
        return next((login for found, login in self._lines() if found == origin), None)

    def scrub(self, text: str) -> str:
        """The text without any secret of the file."""
        try:
            secrets = {login.secret for _, login in self._lines() if login.secret}
        except UpstreamUnavailable:
            return text
        for secret in sorted(secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        return text

    def _lines(self) -> list[tuple[tuple[str, str, int], Login]]:
        if self.path is None:
            return []
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise UpstreamUnavailable(
                f'the credentials file "{self.path}" can\'t be read: {type(error).__name__}',
                reason="AuthenticationFailed",
            ) from None
        return [found for line in lines if (found := _parse(line.strip())) is not None]


def _parse(line: str) -> tuple[tuple[str, str, int], Login] | None:
    """None for what is no login: git skips such lines as well."""
    try:
        parts = urlsplit(line)
        if parts.scheme not in {"https", "http"} or parts.password is None:
            return None
        origin = Location.parse(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/").origin
    except (ValueError, InvalidName):
        return None
    return origin, Login(unquote(parts.username or ""), unquote(parts.password))
