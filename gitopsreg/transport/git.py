"""The door to pygit2: reads commits, trees and blobs of a repository on disk, and speaks to remote ones.

Nothing here checks files out, runs hooks or starts programs. The network half blocks for as long as the other side
likes, whatever its time limits (they are per read): only transport.worker calls it, in a process that can be killed.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pygit2
from pygit2.enums import ConfigLevel, CredentialType, ObjectType, RepositoryOpenFlag

from gitopsreg.errors import IntegrityError, UpstreamUnavailable
from gitopsreg.transport.credentials import Login
from gitopsreg.transport.failures import unreadable, untrusted
from gitopsreg.transport.location import Location
from gitopsreg.transport.tree import Item, TreeEntry, as_text, parse_tree

CHUNK = 256 * 1024
_LARGEST_TREE = 16 * 1024 * 1024
_LARGEST_FETCH = 4 * 1024**3
_MOST_TREES = 512
_HEX = 40

# Objects are only read, and libgit2 runs no program that a repository's own configuration names, so a catalog that
# belongs to another user (a folder mounted into a container) is safe to open.
pygit2.settings.owner_validation = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """`tree` is its root tree; `time` the committer's, RFC 3339 in UTC (`2026-10-01T12:00:00Z`)."""

    oid: str
    tree: str
    time: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Advertisement:
    """What a remote repository offers: full ref names and "HEAD" with their commits (annotated tags peeled), and the
    full ref that HEAD points to (None when it is detached or there is none).
    """

    refs: dict[str, str]
    head: str | None


class Repository:
    """A repository on disk, bare or not, read-only. Cheap to open; used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Raises UpstreamUnavailable (`NotFound`) when there is no repository right at `path`."""
        self.path = path
        try:
            self._repo = pygit2.Repository(str(path), RepositoryOpenFlag.NO_SEARCH)
        except (pygit2.GitError, OSError) as error:
            raise UpstreamUnavailable(f'"{path}" is no Git repository: {error}', reason="NotFound") from error
        self._trees: dict[str, dict[bytes, Item]] = {}

    def resolve(self, ref: str) -> str:
        """The commit that a full ref, "HEAD" or 40 hex digits stand for, annotated tags peeled.

        Raises UpstreamUnavailable (`NotFound`).
        """
        try:
            if len(ref) == _HEX and "/" not in ref:
                return str(self._repo[ref].peel(pygit2.Commit).id)
            return str(self._repo.lookup_reference(ref).peel(pygit2.Commit).id)
        except (KeyError, ValueError, pygit2.GitError) as error:
            raise UpstreamUnavailable(f'"{ref}" is not in "{self.path}"', reason="NotFound") from error

    def head_branch(self) -> str | None:
        """The full ref that HEAD points to (born or not), None when HEAD is detached."""
        target = self._repo.lookup_reference("HEAD").target
        return target if isinstance(target, str) else None

    def commit(self, oid: str) -> Commit:
        """Raises UpstreamUnavailable (`NotFound`)."""
        with self._reading(oid):
            found = self._repo[oid].peel(pygit2.Commit)
            return Commit(oid=str(found.id), tree=str(found.tree_id), time=_time(found.commit_time))

    def subtree(self, tree: str, path: str) -> str | None:
        """The tree of a folder ("" is the tree itself); None when there is none at `path` (links are not followed)."""
        for part in path.split("/") if path else ():
            item = self._find(tree, part)
            if item is None or item.kind != "folder":
                return None
            tree = item.oid
        return tree

    def entry(self, tree: str, path: str) -> TreeEntry | None:
        """The file, link or submodule right at `path`; None when there is none."""
        folder, _, name = path.rpartition("/")
        parent = self.subtree(tree, folder)
        item = self._find(parent, name) if parent else None
        if item is None or item.kind == "folder":
            return None
        return TreeEntry(path=path, mode=item.kind, oid=item.oid)

    def walk(self, tree: str, *, depth: int = 32) -> Iterator[TreeEntry]:
        """Every entry that is no folder, sorted by the bytes of its path.

        Raises IntegrityError (`UnsafeArchive`) for folders nested deeper than `depth` and for what Git would not write.
        """
        stack = [iter([(b"", Item(b"", "folder", tree))])]
        while stack:
            for path, item in stack[-1]:
                if item.kind != "folder":
                    yield TreeEntry(path=as_text(path), mode=item.kind, oid=item.oid)
                    continue
                stack.append(self._children(path, item.oid))
                # The root is one of them.
                if len(stack) > depth + 2:
                    raise IntegrityError(
                        f"{as_text(path)!r} is nested too deeply: {depth} folders at most", reason="UnsafeArchive"
                    )
                break
            else:
                stack.pop()

    def size(self, oid: str) -> int:
        """Bytes of a blob, without reading it. Raises UpstreamUnavailable (`NotFound`)."""
        return self._header(oid, ObjectType.BLOB)

    def read(self, oid: str, *, limit: int) -> bytes:
        """A blob. Raises UpstreamUnavailable (`NotFound`), IntegrityError (`TooLarge`) above `limit` bytes."""
        size = self.size(oid)
        if size > limit:
            raise IntegrityError(f'blob "{oid}" is too large: {size:,} bytes, {limit:,} at most', reason="TooLarge")
        with self._reading(oid):
            return bytes(self._repo.read(oid)[1])

    def chunks(self, oid: str) -> Iterator[bytes]:
        """A blob in pieces of about CHUNK bytes. Raises UpstreamUnavailable (`NotFound`)."""
        with self._reading(oid):
            blob = self._repo[oid]
            if not isinstance(blob, pygit2.Blob):
                raise KeyError(oid)
        whole = memoryview(blob)
        for start in range(0, len(whole), CHUNK):
            yield bytes(whole[start : start + CHUNK])

    def _find(self, tree: str, name: str) -> Item | None:
        return self._tree(tree).get(name.encode(errors="surrogateescape"))

    def _children(self, path: bytes, tree: str) -> Iterator[tuple[bytes, Item]]:
        items = self._tree(tree)
        if path and not items:
            # A small repository can hold billions of them, and no walk would end.
            raise IntegrityError(
                f"{as_text(path)!r} is an empty folder, which Git never writes", reason="UnsafeArchive"
            )
        prefix = path + b"/" if path else b""
        return ((prefix + item.name, item) for item in items.values())

    def _header(self, oid: str, kind: ObjectType) -> int:
        with self._reading(oid):
            found, size = self._repo.odb.read_header(oid)
            if found != kind:
                raise KeyError(oid)
            return size

    def _tree(self, oid: str) -> dict[bytes, Item]:
        if oid in self._trees:
            return self._trees[oid]
        if self._header(oid, ObjectType.TREE) > _LARGEST_TREE:
            raise IntegrityError(f'tree "{oid}" is too large: {_LARGEST_TREE:,} bytes at most', reason="TooLarge")
        with self._reading(oid):
            data = self._repo.read(oid)[1]
        if len(self._trees) >= _MOST_TREES:
            self._trees.clear()
        self._trees[oid] = parse_tree(data)
        return self._trees[oid]

    @contextmanager
    def _reading(self, oid: str) -> Iterator[None]:
        try:
            yield
        except (KeyError, ValueError, pygit2.GitError) as error:
            raise UpstreamUnavailable(f'object "{oid}" is not in "{self.path}"', reason="NotFound") from error


def create(folder: Path) -> None:
    """An empty bare repository that obeys nobody's configuration: the cache of a remote one."""
    repo = pygit2.init_repository(str(folder), bare=True)
    # With this libgit2 follows a redirect on the same host only; the default is to follow the first one anywhere.
    repo.config["http.followRedirects"] = "false"


def prepare(home: Path) -> None:
    """Settings of the whole process, once, before anything remote: `home` holds `.ssh/known_hosts`."""
    pygit2.settings.homedir = str(home)
    for level in (ConfigLevel.PROGRAMDATA, ConfigLevel.SYSTEM, ConfigLevel.XDG, ConfigLevel.GLOBAL):
        pygit2.settings.search_path[level] = ""


def list_refs(folder: Path, url: str, callbacks: "Callbacks") -> Advertisement:
    """`git ls-remote`; `folder` is any repository made by `create`. Raises UpstreamUnavailable."""
    with _talking(url):
        remote = pygit2.Repository(str(folder)).remotes.create_anonymous(url)
        heads = remote.list_heads(callbacks=callbacks, proxy=True)
    refs: dict[str, str] = {}
    # Sorted, the peeled form `refs/tags/x^{}` comes after `refs/tags/x` and takes its place.
    for name, oid in sorted((head.name or "", str(head.oid)) for head in heads):
        plain = name.removesuffix("^{}")
        if plain == "HEAD" or pygit2.reference_is_valid_name(plain):
            refs[plain] = oid
    return Advertisement(refs=refs, head=next((head.symref_target for head in heads if head.name == "HEAD"), None))


def fetch(folder: Path, url: str, refspecs: Sequence[str], *, depth: int, callbacks: "Callbacks") -> None:
    """`git fetch` into a repository made by `create`; a ref that the remote has not is passed over in silence.

    Raises UpstreamUnavailable.
    """
    with _talking(url):
        remote = pygit2.Repository(str(folder)).remotes.create_anonymous(url)
        # libgit2 can't be shallow with a repository on this machine.
        local = Location.parse(url).is_local
        remote.fetch(list(refspecs), callbacks=callbacks, proxy=True, depth=0 if local else depth)


class Callbacks(pygit2.RemoteCallbacks):
    """What libgit2 asks during one conversation. `login` answers for the URL of the server that asks."""

    def __init__(self, login: Callable[[str], Login | None], ssh_keys: Sequence[Path]) -> None:
        super().__init__()
        self._login = login
        self._keys = iter(ssh_keys)
        self._asked = False

    def credentials(
        self, url: str, username_from_url: str | None, allowed_types: CredentialType
    ) -> pygit2.UserPass | pygit2.Username | pygit2.Keypair:
        """Called again and again while the server says no: each login and each key is offered once."""
        if allowed_types & CredentialType.USERNAME:
            return pygit2.Username("git")
        if allowed_types & CredentialType.SSH_KEY:
            if key := next(self._keys, None):
                return pygit2.Keypair(username_from_url or "git", None, str(key), "")
            raise UpstreamUnavailable(
                f'"{url}" accepts none of the SSH keys: put a private key it knows, with no passphrase, into the SSH '
                "directory as id_ed25519, id_ecdsa or id_rsa",
                reason="AuthenticationFailed",
            )
        login = None if self._asked else self._login(url)
        if login and allowed_types & CredentialType.USERPASS_PLAINTEXT:
            self._asked = True
            return pygit2.UserPass(login.user, login.secret)
        said = "the login for it was refused" if self._asked else "the credentials file has no login for it"
        raise UpstreamUnavailable(f'"{url}" asks for a login: {said}', reason="AuthenticationFailed")

    def certificate_check(self, certificate: None, valid: bool, host: bytes) -> bool:  # noqa: ARG002  (libgit2 names them)
        """Without this every SSH host key would pass."""
        return valid

    def transfer_progress(self, stats: pygit2.remotes.TransferProgress) -> None:
        if stats.received_bytes > _LARGEST_FETCH:
            raise UpstreamUnavailable(f"the repository sends more than {_LARGEST_FETCH:,} bytes")


@contextmanager
def _talking(url: str) -> Iterator[None]:
    try:
        yield
    except pygit2.CertificateError as error:
        raise untrusted(Location.parse(url)) from error
    except (pygit2.GitError, KeyError, ValueError, OSError) as error:
        raise unreadable(url, str(error), login_refused=isinstance(error, pygit2.AuthError)) from error


def limit(patience: timedelta) -> None:
    """How long libgit2 waits for a connection and for each read, in this whole process, from now on."""
    milliseconds = max(1, int(patience.total_seconds() * 1000))
    pygit2.settings.server_connect_timeout = min(milliseconds, 10_000)
    pygit2.settings.server_timeout = min(milliseconds, 30_000)


def _time(seconds: int) -> str:
    # Whoever makes a commit writes its time: 9999-12-31 is the last one that RFC 3339 can say.
    bounded = min(max(seconds, 0), 253402300799)
    return datetime.fromtimestamp(bounded, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
