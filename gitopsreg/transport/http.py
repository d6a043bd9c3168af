"""The door to httpx: small questions to web servers, bounded in time. Follows no redirect and sends no login."""

import httpx


def redirect_target(url: str, *, seconds: float) -> str | None:
    """Where the server sends whoever asks for `url`, made absolute; None when it does not, or does not answer.

    The body is never read.
    """
    try:
        with (
            httpx.Client(timeout=seconds, follow_redirects=False) as client,
            client.stream("GET", url, headers={"User-Agent": "git/2 (gitopsreg)"}) as answer,
        ):
            return str(answer.next_request.url) if answer.next_request else None
    except (httpx.HTTPError, httpx.InvalidURL):
        return None
