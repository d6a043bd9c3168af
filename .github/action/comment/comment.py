"""Writes a plan into one comment of its pull request, on behalf of a workflow_run. Standard library only.

The plan comes from a run of somebody else's pull request, which may have put anything there: it is text of limited
size, in which nothing mentions, links or shows an image. Which pull request it belongs to is GitHub's word alone.
"""

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import HTTPRedirectHandler, Request, build_opener

MOST_BYTES = 256 * 1024
MOST_CHARACTERS = 65_000  # GitHub takes 65,536
_MOST_PAGES = 20
_GAP = "\u200b"  # nothing is seen of it, and what follows is plain text
_MARKER = re.compile(r"<!-- gitopsreg:plan:[0-9A-Za-z.:-]{0,300} -->")
_TAG = re.compile(r"<(?!/?(?:details|summary|sub)>)")
# What GitHub makes mentions, references, images and links of.
_ACTIVE = re.compile(r"@(?=\w)|(?<!&)#(?=\w)|!(?=\[)|\](?=[(\[:])|:(?=//)|(?i:www(?=\.)|GH(?=-))")
# An entity is read before mentions are looked for: only those that a plan has.
_ENTITY = re.compile(r"&(?!(?:amp|lt|gt|#8203);)")
_UNSEEN = re.compile(r"[^\n\t\x20-\x7e\xa0-\ud7ff\ue000-\U0010ffff]|[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class Refused(Exception):
    """What can't be done, for the log."""


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """The token goes where it was meant to go, or nowhere."""


class Forge:
    """GitHub's API, as far as it is needed. Raises Refused for anything but an answer."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._token = token
        self._opener = build_opener(_NoRedirect)

    def ask(self, method: str, path: str, document: Any = None) -> Any:
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self._token}",
            "Content-Type": "application/json",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        data = None if document is None else json.dumps(document).encode()
        request = Request(f"{self._url}{path}", data=data, headers=headers, method=method)  # noqa: S310 - the runner's own API
        try:
            with self._opener.open(request, timeout=30) as answer:
                return json.load(answer)
        except HTTPError as error:
            with error:
                raise Refused(f"{method} {path}: GitHub answered {error.code}") from error
        except (URLError, OSError, ValueError) as error:
            raise Refused(f"{method} {path}: {error}") from error

    def all(self, path: str) -> Iterator[Any]:
        for page in range(1, _MOST_PAGES + 1):
            items = self.ask("GET", f"{path}{'&' if '?' in path else '?'}per_page=100&page={page}")
            yield from items
            if len(items) < 100:
                return


def read_plan(path: Path) -> str:
    """The text, harmless. Raises Refused when it is no plan of ours."""
    if path.is_symlink() or not path.is_file():
        raise Refused(f"{path} is no file")
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise Refused(f"{path} has more than {MOST_BYTES} bytes")
    head, _, body = data.decode(errors="replace").replace("\r\n", "\n").partition("\n")
    if not _MARKER.fullmatch(head):
        raise Refused(f"{path} does not begin as a plan does")
    return f"{head}\n{harmless(body)}"


def harmless(text: str) -> str:
    """The text without what would do something: Markdown that only looks like something stays."""
    text = _TAG.sub("&lt;", _ENTITY.sub("&amp;", _UNSEEN.sub("", text)))
    return _ACTIVE.sub(lambda found: found[0] + _GAP, text)


def pull_request(forge: Forge, repository: str, run: Any) -> int | None:
    """The open pull request whose head is just the commit that was checked."""
    owner, branch = run["head_repository"]["owner"]["login"], run["head_branch"]
    found = forge.all(f"/repos/{repository}/pulls?state=open&head={quote(f'{owner}:{branch}', safe='')}")
    return next((int(pull["number"]) for pull in found if pull["head"]["sha"] == run["head_sha"]), None)


def publish(forge: Forge, repository: str, number: int, text: str, author: str) -> str:
    """Into the comment that is there, else into a new one; its address."""
    marker = text.partition("\n")[0]
    for comment in forge.all(f"/repos/{repository}/issues/{number}/comments"):
        if comment["user"]["login"] == author and comment["body"].partition("\n")[0].strip() == marker:
            address = f"/repos/{repository}/issues/comments/{int(comment['id'])}"
            return str(forge.ask("PATCH", address, {"body": text})["html_url"])
    return str(forge.ask("POST", f"/repos/{repository}/issues/{number}/comments", {"body": text})["html_url"])


def signed(text: str, run: Any) -> str:
    """With a last line that says where it comes from; what is too long loses its end."""
    commit = re.sub(r"[^0-9a-f]", "", str(run["head_sha"]))[:10]
    foot = f"\n<sub>Made by the pull request's own [check]({run['html_url']}) of `{commit}`.</sub>\n"
    if len(text) + len(foot) > MOST_CHARACTERS:
        text = text[: MOST_CHARACTERS - len(foot) - 10].rpartition("\n")[0] + "\n\n…\n"
    return text + foot


def main() -> None:
    event = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_bytes())
    if "workflow_run" not in event:
        raise Refused("this action is for workflow_run: it takes the plan of a pull request that it does not run")
    run, repository = event["workflow_run"], os.environ["GITHUB_REPOSITORY"]
    text = signed(read_plan(Path(os.environ["GR_PLAN_FILE"])), run)
    forge = Forge(os.environ["GITHUB_API_URL"], os.environ["GR_TOKEN"])
    number = pull_request(forge, repository, run)
    if number is None:
        sys.stdout.write("::notice::no open pull request has this commit as its head: nobody is told\n")
        return
    address = publish(forge, repository, number, text, os.environ["GR_AUTHOR"])
    with Path(os.environ["GITHUB_OUTPUT"]).open("a") as outputs:
        outputs.write(f"comment={address}\n")
    sys.stdout.write(f"the plan is at {address}\n")


if __name__ == "__main__":
    try:
        main()
    except Refused as error:
        sys.stdout.write(f"::error::{str(error).replace('%', '%25').replace(chr(10), '%0A').replace(chr(13), '%0D')}\n")
        sys.exit(1)
