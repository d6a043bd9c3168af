import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import trustme

from gitopsreg.errors import UpstreamUnavailable
from gitopsreg.transport import git as door
from gitopsreg.transport.git import Repository
from gitopsreg.transport.remotes import Remotes
from tests.repositories import GitServer, a_repository, commit, git, tag

LONG = timedelta(seconds=30)
SHORT = timedelta(seconds=0.5)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository with two tags, below the server's root."""
    folder = a_repository(tmp_path / "served" / "vpc")
    commit(folder, {"main.tf": "# 1"})
    tag(folder, "v1.0.0")
    commit(folder, {"main.tf": "# 2"})
    tag(folder, "v1.1.0", annotated=True)
    return folder


@pytest.fixture
def server(folder: Path) -> Iterator[GitServer]:
    with GitServer(folder.parent) as server:
        yield server


@pytest.fixture
def remotes() -> Iterator[Remotes]:
    with Remotes(allow_local=True) as remotes:
        yield remotes


def reason_of(call: Callable[[], object]) -> str:
    with pytest.raises(UpstreamUnavailable) as caught:
        call()
    return caught.value.reason


def is_gone(pid: int) -> bool:
    """Ended, and perhaps not yet collected by its parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def eventually(condition: Callable[[], bool]) -> bool:
    for _ in range(600):
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_refs_are_listed_with_their_commits(remotes: Remotes, server: GitServer, folder: Path) -> None:
    first, second = (git(folder, "rev-parse", ref) for ref in ("v1.0.0", "v1.1.0^{commit}"))
    expected = {"HEAD": second, "refs/heads/main": second, "refs/tags/v1.0.0": first, "refs/tags/v1.1.0": second}
    for url in (server.url("vpc/.git"), str(folder), f"file://{folder}"):
        assert remotes.refs(url, timeout=LONG) == expected
    assert remotes.advertised(server.url("vpc/.git"), timeout=LONG).head == "refs/heads/main"


def test_an_empty_repository_has_no_refs(remotes: Remotes, server: GitServer, tmp_path: Path) -> None:
    a_repository(tmp_path / "served" / "empty")
    assert remotes.refs(server.url("empty/.git"), timeout=LONG) == {}


@pytest.mark.parametrize("name", ["v2.0.0-\udce9", "v2.0.0-\udcff\udcfe"])
def test_a_name_that_is_not_utf8_costs_itself(remotes: Remotes, server: GitServer, folder: Path, name: str) -> None:
    before = remotes.refs(str(folder), timeout=LONG)
    tag(folder, name, annotated=True)
    git(folder, "branch", name)
    for url in (server.url("vpc/.git"), str(folder)):
        assert remotes.refs(url, timeout=LONG) == before
    git(folder, "checkout", "--quiet", name)
    git(folder, "symbolic-ref", "HEAD", f"refs/heads/{name}")
    for url in (server.url("vpc/.git"), str(folder)):
        assert remotes.advertised(url, timeout=LONG).head is None
        assert remotes.advertised(url, timeout=LONG).refs["HEAD"] == before["HEAD"]


def test_a_fetch_brings_one_commit_and_no_history(
    remotes: Remotes, server: GitServer, folder: Path, tmp_path: Path
) -> None:
    into = tmp_path / "copy.git"
    door.create(into)
    remotes.fetch(server.url("vpc/.git"), into, ["+refs/tags/v1.1.0:refs/kept/x"], depth=1, timeout=LONG)
    repository = Repository(into)
    assert repository.resolve("refs/kept/x") == git(folder, "rev-parse", "v1.1.0^{commit}")
    with pytest.raises(UpstreamUnavailable):
        repository.commit(git(folder, "rev-parse", "v1.0.0"))


def test_a_local_repository_is_fetched_too(remotes: Remotes, folder: Path, tmp_path: Path) -> None:
    into = tmp_path / "copy.git"
    door.create(into)
    remotes.fetch(str(folder), into, ["+refs/tags/*:refs/tags/*"], depth=1, timeout=LONG)
    assert Repository(into).resolve("refs/tags/v1.1.0") == git(folder, "rev-parse", "v1.1.0^{commit}")


def test_local_sources_need_permission_or_trust(folder: Path) -> None:
    with Remotes() as remotes:
        for url in (str(folder), f"file://{folder}"):
            with pytest.raises(UpstreamUnavailable, match="--allow-local-sources"):
                remotes.refs(url, timeout=LONG)
            assert remotes.refs(url, timeout=LONG, trusted=True)


def test_a_server_on_this_machine_needs_permission_or_trust(server: GitServer) -> None:
    with Remotes() as remotes:
        with pytest.raises(UpstreamUnavailable, match="is refused"):
            remotes.refs(server.url("vpc/.git"), timeout=LONG)
        assert server.requests == []
        assert remotes.refs(server.url("vpc/.git"), timeout=LONG, trusted=True)


@pytest.mark.parametrize("url", ["git://h/x", "ext::sh -c x", "https://u:secret@h/x", ""])
def test_other_urls_are_refused_even_when_trusted(remotes: Remotes, url: str) -> None:
    with pytest.raises(UpstreamUnavailable) as caught:
        remotes.refs(url, timeout=LONG, trusted=True)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "reason"),
    [(401, "AuthenticationFailed"), (403, "AuthenticationFailed"), (404, "NotFound"), (500, "UpstreamError")],
)
def test_a_status_has_its_reason(remotes: Remotes, server: GitServer, status: int, reason: str) -> None:
    server.status = status
    assert reason_of(lambda: remotes.refs(server.url("vpc/.git"), timeout=LONG)) == reason


def test_what_is_not_there_has_its_reason(remotes: Remotes, server: GitServer, tmp_path: Path) -> None:
    assert reason_of(lambda: remotes.refs(server.url("none"), timeout=LONG)) == "NotFound"
    assert reason_of(lambda: remotes.refs(str(tmp_path / "none"), timeout=LONG)) == "NotFound"
    assert reason_of(lambda: remotes.refs("http://127.0.0.1:1/x", timeout=LONG)) == "UpstreamError"
    assert reason_of(lambda: remotes.refs("https://no-such-host.invalid/x", timeout=LONG)) == "UpstreamError"


class TestLogins:
    @pytest.fixture
    def file(self, tmp_path: Path, server: GitServer) -> Path:
        server.login = ("robot", "t@ken")
        file = tmp_path / "credentials"
        file.write_text(server.url().replace("http://", "http://robot:t%40ken@"))
        return file

    def test_the_login_of_the_server_is_sent_when_asked_for(self, server: GitServer, file: Path) -> None:
        with Remotes(credentials_file=file, allow_local=True) as remotes:
            assert remotes.refs(server.url("vpc/.git"), timeout=LONG)
        assert [request.authorization is not None for request in server.requests] == [False, True]

    def test_without_a_login_it_says_so(self, server: GitServer, file: Path, remotes: Remotes) -> None:
        with pytest.raises(UpstreamUnavailable, match="no login for it") as caught:
            remotes.refs(server.url("vpc/.git"), timeout=LONG)
        assert caught.value.reason == "AuthenticationFailed"

    def test_a_wrong_login_is_tried_once_and_not_shown(self, server: GitServer, file: Path) -> None:
        server.login = ("robot", "another")
        with (
            Remotes(credentials_file=file, allow_local=True) as remotes,
            pytest.raises(UpstreamUnavailable, match="was refused") as caught,
        ):
            remotes.refs(server.url("vpc/.git"), timeout=LONG)
        assert caught.value.reason == "AuthenticationFailed"
        assert "t@ken" not in str(caught.value)
        assert sum(request.authorization is not None for request in server.requests) == 1

    def test_a_login_never_follows_a_redirect(self, server: GitServer, file: Path, folder: Path) -> None:
        """Neither to another host nor to another port of the same one."""
        with GitServer(folder.parent) as other, Remotes(credentials_file=file, allow_local=True) as remotes:
            other.login = ("robot", "t@ken")
            for target in (other.url(), other.url().replace("127.0.0.1", "localhost")):
                server.redirects = {"/": target}
                with pytest.raises(UpstreamUnavailable):
                    remotes.refs(server.url("vpc/.git"), timeout=LONG)
            assert all(request.authorization is None for request in other.requests)

    def test_workers_see_nothing_of_our_environment(self, server: GitServer, file: Path) -> None:
        with Remotes(credentials_file=file, allow_local=True) as remotes:
            remotes.refs(server.url("vpc/.git"), timeout=LONG)
            (child,) = remotes._idle
            names = {line.split(b"=")[0] for line in Path(f"/proc/{child.pid}/environ").read_bytes().split(b"\0")}
            assert b"t@ken" not in Path(f"/proc/{child.pid}/cmdline").read_bytes()
        proxies = {name.encode() for name in os.environ if name.lower().endswith("_proxy")}
        assert names - proxies <= {b"", b"PYTHONPATH", b"SSL_CERT_FILE", b"SSL_CERT_DIR", b"LC_CTYPE"}


class TestRedirects:
    def test_on_the_same_host_it_is_followed(self, remotes: Remotes, server: GitServer, tmp_path: Path) -> None:
        server.redirects = {"/old": "/vpc/.git"}
        assert remotes.refs(server.url("old"), timeout=LONG)
        door.create(tmp_path / "copy.git")
        remotes.fetch(server.url("old"), tmp_path / "copy.git", ["+HEAD:refs/kept/x"], depth=1, timeout=LONG)
        assert Repository(tmp_path / "copy.git").resolve("refs/kept/x")

    def test_to_another_host_it_is_refused_and_named(self, remotes: Remotes, server: GitServer, folder: Path) -> None:
        with GitServer(folder.parent, host="localhost") as other:
            server.redirects = {"/old": other.url("vpc/.git")}
            with pytest.raises(UpstreamUnavailable) as caught:
                remotes.refs(server.url("old"), timeout=LONG)
            assert caught.value.reason == "Moved"
            assert f'write "{other.url("vpc/.git")}" into the catalog' in str(caught.value)
            assert other.requests == []

    def test_in_a_circle_it_ends(self, remotes: Remotes, server: GitServer) -> None:
        server.redirects = {"/": "/"}
        assert reason_of(lambda: remotes.refs(server.url("x"), timeout=LONG)) == "Moved"


class TestCertificates:
    def test_an_unknown_authority_and_a_wrong_name_are_refused(self, folder: Path, tmp_path: Path) -> None:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        with GitServer(folder.parent, authority=authority) as server:
            url = server.url("vpc/.git")
            with Remotes(allow_local=True) as remotes:
                assert reason_of(lambda: remotes.refs(url, timeout=LONG)) == "TLSFailed"
            with Remotes(allow_local=True, certificates=tmp_path / "ca.pem") as remotes:
                assert remotes.refs(url, timeout=LONG)
                wrong = url.replace("127.0.0.1", "localhost")
                assert reason_of(lambda: remotes.refs(wrong, timeout=LONG)) == "TLSFailed"


class TestDeadlines:
    def test_a_server_that_never_answers(self, remotes: Remotes, server: GitServer) -> None:
        server.stall = True
        assert reason_of(lambda: remotes.refs(server.url("vpc/.git"), timeout=SHORT)) == "Timeout"

    def test_a_server_that_drips(self, remotes: Remotes, server: GitServer, tmp_path: Path) -> None:
        """Each byte comes well inside libgit2's own limits: only the outer deadline ends this."""
        server.drip = True
        assert reason_of(lambda: remotes.refs(server.url("vpc/.git"), timeout=timedelta(seconds=1.5))) == "Timeout"

    def test_the_next_call_gets_a_fresh_worker(self, remotes: Remotes, server: GitServer) -> None:
        assert remotes.refs(server.url("vpc/.git"), timeout=LONG)
        (before,) = remotes._idle
        server.drip = True
        assert reason_of(lambda: remotes.refs(server.url("vpc/.git"), timeout=SHORT)) == "Timeout"
        server.drip = False
        assert is_gone(before.pid)
        assert remotes.refs(server.url("vpc/.git"), timeout=LONG)

    def test_a_worker_that_is_killed_is_replaced(self, remotes: Remotes, server: GitServer) -> None:
        assert remotes.refs(server.url("vpc/.git"), timeout=LONG)
        (child,) = remotes._idle
        os.kill(child.pid, signal.SIGKILL)
        assert eventually(lambda: is_gone(child.pid))
        assert remotes.refs(server.url("vpc/.git"), timeout=LONG)

    def test_a_worker_killed_at_work_is_an_upstream_failure(self, remotes: Remotes, server: GitServer) -> None:
        server.stall = True
        with ThreadPoolExecutor(1) as pool:
            call = pool.submit(reason_of, lambda: remotes.refs(server.url("vpc/.git"), timeout=LONG))
            assert eventually(lambda: bool(server.requests))
            os.kill(next(iter(remotes._busy)).pid, signal.SIGKILL)
            assert call.result(timeout=20) == "UpstreamError"

    def test_close_ends_calls_that_are_under_way(self, remotes: Remotes, server: GitServer) -> None:
        server.stall = True
        with ThreadPoolExecutor(1) as pool:
            call = pool.submit(reason_of, lambda: remotes.refs(server.url("vpc/.git"), timeout=LONG))
            assert eventually(lambda: bool(server.requests))
            remotes.close()
            assert call.result(timeout=20) == "UpstreamError"
        assert reason_of(lambda: remotes.refs(server.url("vpc/.git"), timeout=LONG)) == "UpstreamError"

    def test_no_worker_outlives_an_owner_that_is_killed(self, server: GitServer) -> None:
        server.stall = True
        script = (
            "import sys, threading, time\n"
            "from datetime import timedelta\n"
            "from gitopsreg.transport.remotes import Remotes\n"
            "remotes = Remotes(allow_local=True)\n"
            "call = lambda: remotes.refs(sys.argv[1], timeout=timedelta(seconds=300))\n"
            "threading.Thread(target=call).start()\n"
            "while not remotes._busy: time.sleep(0.01)\n"
            "print(next(iter(remotes._busy)).pid, remotes._home.path, flush=True)\n"
        )
        command = [sys.executable, "-c", script, server.url("vpc/.git")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
            assert owner.stdout
            words = owner.stdout.readline().split()
            pid, home = int(words[0]), Path(words[1])
            assert eventually(lambda: bool(server.requests))
            assert home.exists()
            assert not is_gone(pid)
            owner.kill()
        assert eventually(lambda: is_gone(pid))
        assert not home.exists()


def test_many_threads_share_few_workers(server: GitServer) -> None:
    seen: set[int] = set()
    lock = threading.Lock()
    with Remotes(allow_local=True, workers=2) as remotes:

        def call(_: int) -> int:
            refs = remotes.refs(server.url("vpc/.git"), timeout=LONG)
            with lock:
                seen.update(child.pid for child in remotes._idle)
            return len(refs)

        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(call, range(40))) == {4}
    assert 1 <= len(seen) <= 2
    assert all(is_gone(pid) for pid in seen)


def test_nothing_starts_before_the_first_call(tmp_path: Path) -> None:
    remotes = Remotes(ssh_directory=tmp_path)
    assert not remotes._idle
    remotes.close()
    remotes.close()


def test_a_worker_may_not_have_all_memory(remotes: Remotes, folder: Path) -> None:
    remotes.refs(str(folder), timeout=LONG)
    (child,) = remotes._idle
    limits = Path(f"/proc/{child.pid}/limits").read_text().splitlines()
    (line,) = (line for line in limits if line.startswith("Max address space"))
    assert int(line.split()[3]) <= 2 * 1024**3


class TestAHomeThatIsClearedAway:
    """Temporary folders are cleaned by others: all at once, or file by file."""

    @pytest.mark.parametrize("gone", [".", "scratch.git", "scratch.git/HEAD", "scratch.git/config", ".ssh"])
    def test_is_made_anew(self, server: GitServer, tmp_path: Path, gone: str) -> None:
        with Remotes(allow_local=True, ssh_directory=tmp_path) as remotes:
            before = remotes.refs(server.url("vpc/.git"), timeout=LONG)
            home, (child,) = remotes._home, remotes._idle
            assert home
            place = home.path / gone
            shutil.rmtree(place) if place.is_dir() and not place.is_symlink() else place.unlink()
            assert remotes.refs(server.url("vpc/.git"), timeout=LONG) == before
            assert remotes._home is not home
            assert is_gone(child.pid)
            assert not home.path.exists()

    def test_is_not_gone_back_to(self, remotes: Remotes, server: GitServer, folder: Path) -> None:
        """A worker that was busy meanwhile still knows the old one."""
        server.stall = True
        with ThreadPoolExecutor(1) as pool:
            call = pool.submit(reason_of, lambda: remotes.refs(server.url("none"), timeout=LONG))
            assert eventually(lambda: bool(server.requests))
            (busy,) = remotes._busy
            assert remotes._home
            shutil.rmtree(remotes._home.path)
            assert remotes.refs(str(folder), timeout=LONG)
            server.stopping.set()
            call.result(timeout=20)
        assert busy not in remotes._idle
        assert is_gone(busy.pid)
