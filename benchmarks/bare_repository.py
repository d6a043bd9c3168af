"""A bare Git repository, written by `git fast-import`: a hundred thousand files take seconds and no working tree."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

_WHO = b"A <a@example.com>"
_FIRST = 1_760_000_000  # seconds since 1970; each commit is a second younger


class BareRepository:
    """One branch, `main`. Commits are the same every time, so that snapshots are."""

    def __init__(self, path: Path) -> None:
        """The one at `path`, or a new and empty one."""
        self.path = path
        self._commits = 0
        if path.exists():
            self._commits = int(self.git("rev-list", "--count", "refs/heads/main"))
            return
        path.mkdir(parents=True)
        self.git("init", "--quiet", "--bare", "--initial-branch", "main")
        self.git("config", "gc.auto", "0")
        self.git("config", "core.compression", "1")

    @property
    def url(self) -> str:
        return self.path.absolute().as_uri()

    def commit(self, files: Iterable[tuple[str, bytes]], *, without: Iterable[str] = (), tag: str = "") -> str:
        """The last commit with these files (path, content) added or replaced, others gone; the new one's id."""
        command = ["git", "fast-import", "--quiet", "--force"]
        with subprocess.Popen(command, cwd=self.path, stdin=subprocess.PIPE) as process:
            if process.stdin is None:
                raise BrokenPipeError
            with process.stdin as out:
                out.write(b"commit refs/heads/main\ncommitter %s %d +0000\n" % (_WHO, _FIRST + self._commits))
                out.write(b"data 8\na change\n")
                out.write(b"from refs/heads/main^0\n" if self._commits else b"")
                for path in without:
                    out.write(b"D %s\n" % path.encode())
                for path, content in files:
                    out.write(b"M 100644 inline %s\ndata %d\n" % (path.encode(), len(content)))
                    out.write(content + b"\n")
                out.write(b"reset refs/tags/%s\nfrom refs/heads/main\n\n" % tag.encode() if tag else b"")
        if process.returncode:
            raise RuntimeError(f"git fast-import ended with {process.returncode}")
        self._commits += 1
        return self.git("rev-parse", "refs/heads/main")

    def clone(self, path: Path) -> "BareRepository":
        """One to push from."""
        self.git("clone", "--quiet", "--bare", "--no-local", ".", str(path))
        copy = BareRepository(path)
        copy.git("config", "core.compression", "1")
        return copy

    def read(self, path: str) -> bytes:
        return subprocess.run(
            ["git", "cat-file", "blob", f"refs/heads/main:{path}"], cwd=self.path, check=True, capture_output=True
        ).stdout

    def paths(self) -> list[str]:
        return self.git("ls-tree", "-r", "--name-only", "refs/heads/main").splitlines()

    def git(self, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.path, check=True, capture_output=True, text=True)
        return done.stdout.strip()
