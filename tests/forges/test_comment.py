"""The plan comment, against a server that answers as GitHub does."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.cli.shell import gitopsreg
from tests.forges.checkout import ACTION
from tests.repositories import commit

PLAN = (
    "<!-- gitopsreg:plan:registry.example.com -->\n### gitopsreg plan: 1 to add\n\n| a | b |\n|---|---|\n| `x` | y |\n"
)
SHA = "9b3f2de0" * 5
BOT, TOKEN = "github-actions[bot]", "ghs_secret"


@dataclass
class Forge:
    """One repository: its pull requests and the comments on number 7."""

    pulls: list[dict[str, Any]] = field(default_factory=lambda: [{"number": 7, "head": {"sha": SHA}}])
    comments: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    status: int = 200
    location: str = ""
    url: str = ""

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> Any:
        self.asked.append(f"{method} {path}")
        page = int(query.get("page", ["1"])[0])
        match method, path:
            case "GET", "/repos/acme/catalog/pulls":
                assert query["head"] == ["mallory:feature/x&y"]
                return self.pulls[100 * (page - 1) : 100 * page]
            case "GET", "/repos/acme/catalog/issues/7/comments":
                return self.comments[100 * (page - 1) : 100 * page]
            case "POST", "/repos/acme/catalog/issues/7/comments":
                self.comments.append({"id": len(self.comments), "user": {"login": BOT}, **body})
                return {"html_url": f"https://github.com/acme/catalog/pull/7#{len(self.comments) - 1}"}
            case "PATCH", _:
                number = int(path.removeprefix("/repos/acme/catalog/issues/comments/"))
                self.comments[number] |= body
                return {"html_url": f"https://github.com/acme/catalog/pull/7#{number}"}
        raise AssertionError(path)


@contextmanager
def serving(forge: Forge) -> Iterator[Forge]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.headers["Authorization"] == f"Bearer {TOKEN}"
            address = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            answer = forge.answer(self.command, address.path, parse_qs(address.query), body)
            data = json.dumps(answer).encode()
            self.send_response(forge.status)
            if forge.location:
                self.send_header("Location", forge.location)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_GET  # noqa: N815 - the base class looks for this name
        do_PATCH = do_GET  # noqa: N815 - likewise

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
            """Tests read `asked`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    forge.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield forge
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(frozen=True)
class Commented:
    code: int
    log: str
    outputs: str


def comment(folder: Path, forge: Forge, plan: str | bytes = PLAN, **event: Any) -> Commented:
    run = {
        "head_sha": SHA,
        "head_branch": "feature/x&y",
        "head_repository": {"owner": {"login": "mallory"}},
        "html_url": "https://github.com/acme/catalog/actions/runs/1",
    }
    (folder / "event.json").write_text(json.dumps(event or {"workflow_run": run}))
    (folder / "plan.md").write_bytes(plan.encode() if isinstance(plan, str) else plan)
    (folder / "outputs").touch()
    variables = {
        "PATH": os.environ["PATH"],
        "GITHUB_API_URL": forge.url,
        "GITHUB_EVENT_PATH": str(folder / "event.json"),
        "GITHUB_OUTPUT": str(folder / "outputs"),
        "GITHUB_REPOSITORY": "acme/catalog",
        "GR_AUTHOR": BOT,
        "GR_PLAN_FILE": str(folder / "plan.md"),
        "GR_TOKEN": TOKEN,
    }
    command = [sys.executable, "-I", str(ACTION / "comment/comment.py")]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    assert TOKEN not in done.stdout
    return Commented(done.returncode, done.stdout, (folder / "outputs").read_text())


def test_one_comment_is_made_and_then_updated(tmp_path: Path) -> None:
    with serving(Forge()) as forge:
        first = comment(tmp_path, forge)
        assert (first.code, first.outputs) == (0, "comment=https://github.com/acme/catalog/pull/7#0\n")
        comment(tmp_path, forge, PLAN.replace("1 to add", "2 to add"))
    (made,) = forge.comments
    assert made["body"].startswith("<!-- gitopsreg:plan:registry.example.com -->\n### gitopsreg plan: 2 to add\n")
    assert "[check](https://github.com/acme/catalog/actions/runs/1) of `9b3f2de09b`" in made["body"]


def test_only_its_own_comment_is_changed(tmp_path: Path) -> None:
    theirs = [{"id": number, "user": {"login": "mallory"}, "body": PLAN} for number in range(150)]
    theirs.append({"id": 150, "user": {"login": BOT}, "body": f"text\n{PLAN}"})
    theirs.append({"id": 151, "user": {"login": BOT}, "body": PLAN.replace("registry.example.com", "other")})
    with serving(Forge(comments=[dict(one) for one in theirs])) as forge:
        assert comment(tmp_path, forge).code == 0
        assert forge.comments[:-1] == theirs
        assert comment(tmp_path, forge).code == 0
    assert len(forge.comments) == len(theirs) + 1


@pytest.mark.parametrize("pulls", [[], [{"number": 7, "head": {"sha": "0" * 40}}]])
def test_a_pull_request_that_moved_on_is_left_alone(tmp_path: Path, pulls: list[dict[str, Any]]) -> None:
    with serving(Forge(pulls=pulls)) as forge:
        done = comment(tmp_path, forge)
    assert done.code == 0
    assert "nobody is told" in done.log
    assert forge.asked == ["GET /repos/acme/catalog/pulls"]


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (b"# Click here\n", "does not begin as a plan does"),
        (b"<!-- gitopsreg:plan:x --> <h1>\n", "does not begin as a plan does"),
        (b"", "does not begin as a plan does"),
        (PLAN.encode() + b"x" * 300_000, "more than 262144 bytes"),
        (b"\xff\xfe" * 10, "does not begin as a plan does"),
    ],
)
def test_what_is_no_plan_is_not_written(tmp_path: Path, plan: bytes, message: str) -> None:
    with serving(Forge()) as forge:
        done = comment(tmp_path, forge, plan)
    assert (done.code, forge.asked) == (1, [])
    assert done.log.startswith("::error::")
    assert message in done.log


@pytest.mark.parametrize(
    ("hostile", "gone"),
    [
        ("cc @acme/admins", "@acme"),
        ("closes #12", "#12"),
        ("![x](https://evil.example/x.png)", "]("),
        ("[click](https://evil.example)", "]("),
        ("https://evil.example", "://"),
        ("[x]: https://evil.example", "]:"),
        ("<img src=x>", "<img"),
        ("<a href=x>click</a>", "<a"),
        ("<details open>", "<details open"),
        ("<!-- hidden -->", "<!--"),
        ("abc\u202edef", "\u202e"),
        ("a\x1b[31m", "\x1b"),
        ("www.evil.example", "www."),
        ("GH-12", "GH-"),
        ("cc &#64;acme", "&#64;"),
        ("cc &commat;acme", "&commat;"),
    ],
)
def test_nothing_in_a_plan_does_anything(tmp_path: Path, hostile: str, gone: str) -> None:
    with serving(Forge()) as forge:
        assert comment(tmp_path, forge, f"{PLAN}\n{hostile}\n").code == 0
    (made,) = forge.comments
    body = made["body"].partition("\n")[2].rpartition("\n<sub>Made by")[0]
    assert gone not in body, body


def test_what_is_ours_comes_through(tmp_path: Path) -> None:
    details = "<details><summary>Skipped versions (2)</summary>\n\n- `module:a/b/c` 1.3.0\n</details>"
    text = f"{PLAN}\n{details}\n<sub>plan</sub>\n"
    with serving(Forge()) as forge:
        comment(tmp_path, forge, text)
    assert forge.comments[0]["body"].startswith(text)


def test_a_real_plan_comes_through(tmp_path: Path) -> None:
    """But for what would be a link inside of code."""
    catalog = tmp_path / "catalog"
    assert gitopsreg("new-catalog", catalog, "--git").code == 0
    commit(catalog)
    url = "https://git.example.com/acme/terraform-aws-vpc.git"
    assert gitopsreg("add", "module", url, "--namespace", "platform", "--offline", cwd=catalog).code == 0
    owners = catalog / "namespaces/platform/namespace.yaml"
    owners.write_text(owners.read_text().replace("acme/platform", "acme/contractors"))
    plan = gitopsreg("plan", "--base", "HEAD", "--output", "markdown", cwd=catalog).stdout
    assert "&#8203;" in plan
    with serving(Forge()) as forge:
        assert comment(tmp_path, forge, plan).code == 0
    assert forge.comments[0]["body"].replace("\u200b", "").startswith(plan)


def test_a_long_plan_loses_its_end(tmp_path: Path) -> None:
    with serving(Forge()) as forge:
        comment(tmp_path, forge, PLAN + "| `x` | ü |\n" * 10_000)
    body = forge.comments[0]["body"]
    assert len(body) <= 65_536
    assert body.startswith(PLAN)
    assert "\n…\n" in body
    assert body.endswith(".</sub>\n")


def test_the_token_follows_no_redirect(tmp_path: Path) -> None:
    with serving(Forge()) as elsewhere, serving(Forge(status=302, location=elsewhere.url)) as forge:
        done = comment(tmp_path, forge)
    assert done.code == 1
    assert "GitHub answered 302" in done.log
    assert elsewhere.asked == []


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_refusal_is_told(tmp_path: Path, status: int) -> None:
    with serving(Forge(status=status)) as forge:
        done = comment(tmp_path, forge)
    assert (done.code, done.outputs) == (1, "")
    assert "::error::GET /repos/acme/catalog/pulls?state=open&head=mallory%253Afeature" in done.log


def test_it_is_for_workflow_run_only(tmp_path: Path) -> None:
    with serving(Forge()) as forge:
        done = comment(tmp_path, forge, PLAN, pull_request={"number": 7})
    assert (done.code, forge.asked) == (1, [])
    assert "this action is for workflow_run" in done.log
