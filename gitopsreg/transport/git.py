"""The door to pygit2: reads commits, trees and blobs of a repository on disk, and speaks to remote ones.

Nothing here checks files out, runs hooks or starts programs. The network half blocks for as long as the other side
likes, whatever its time limits (they are per read): only transport.worker calls it, in a process that can be killed.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pygit2
from pygit2.enums import ConfigLevel, CredentialType, ObjectType, RepositoryOpenFlag

from gitopsreg.errors import IntegrityError, UpstreamUnavailable
from gitopsreg.transport.advertisement import Advertisement
from gitopsreg.transport.blob import CHUNK, stream
from gitopsreg.transport.credentials import Login
from gitopsreg.transport.failures import unreadable, untrusted
from gitopsreg.transport.forbidden import forbidden
from gitopsreg.transport.location import Location
from gitopsreg.transport.tree import Item, TreeEntry, as_text, files, parse_tree, walk

_LARGEST_TREE = 16 * 1024 * 1024
_LARGEST_FETCH = 4 * 1024**3
_MOST_TREES = 512
# libgit2's windows onto packs: its own are a gigabyte each, more than a worker may have (see transport.worker).
_WINDOW = 32 * 1024 * 1024
_HEX = 40
_Object = pygit2.Object | pygit2.Commit

# Objects are only read, and libgit2 runs no program that a repository's own configuration names, so a catalog that
# belongs to another user (a folder mounted into a container) is safe to open.
pygit2.settings.owner_validation = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """`tree` is its root tree; `time` the committer's, RFC 3339 in UTC (`2026-10-01T12:00:00Z`)."""

    oid: str
    tree: str
    time: str


class Repository:
    """A repository on disk, bare or not, read-only. Cheap to open; used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Raises UpstreamUnavailable, `NotFound` when there is no repository right at `path`."""
        self.path = path
        try:
            self._repo = pygit2.Repository(str(path), RepositoryOpenFlag.NO_SEARCH)
        except (pygit2.GitError, OSError) as error:
            if refusal := forbidden(path):
                raise refusal from error
            raise UpstreamUnavailable(f'"{path}" is no Git repository: {error}', reason="NotFound") from error
        self._trees: dict[str, dict[bytes, Item]] = {}
        self.parsed = 0
        """Lines of tree objects read so far: what a reader of a stranger's trees measures its patience by."""

    def resolve(self, ref: str) -> str:
        """The commit that a full ref, "HEAD" or 40 hex digits stand for, annotated tags peeled.

        Raises UpstreamUnavailable (`NotFound`), IntegrityError when it stands for no commit.
        """
        return str(self._commit(ref).id)

    def peeled(self, ref: str) -> str:
        """As `resolve`, of whatever kind the object is."""
        return str(self._peeled(ref).id)

    def parse(self, revision: str) -> str:
        """The commit of any name that Git knows, like `origin/main`. Raises UpstreamUnavailable (`NotFound`)."""
        with self._reading(revision):
            return str(self._repo.revparse_single(revision).peel(pygit2.Commit).id)

    def merge_base(self, one: str, other: str) -> str | None:
        """The newest commit that both go back to; None when there is none, or the clone is too shallow to know."""
        with suppress(KeyError, ValueError, pygit2.GitError):
            found = self._repo.merge_base(pygit2.Oid(hex=one), pygit2.Oid(hex=other))
            return str(found) if found else None
        return None

    def head_branch(self) -> str | None:
        """The full ref that HEAD points to (born or not), None when HEAD is detached or its name is not UTF-8."""
        target = self._repo.lookup_reference("HEAD").target
        return target if isinstance(target, str) and _is_ref(target) else None

    def remote_url(self, name: str) -> str | None:
        """Where a remote is, as the repository's configuration says; None when it knows none of that name."""
        with suppress(KeyError, ValueError, pygit2.GitError):
            return self._repo.remotes[name].url
        return None

    def commit(self, oid: str) -> Commit:
        """Raises UpstreamUnavailable (`NotFound`), IntegrityError when it is no commit."""
        found = self._commit(oid)
        return Commit(oid=str(found.id), tree=str(found.tree_id), time=_time(found.commit_time))

    def subtree(self, tree: str, path: str) -> str | None:
        """The tree of a folder ("" is the tree itself); None when there is none at `path` (links are not followed)."""
        for part in path.split("/") if path else ():
            item = self._find(tree, part)
            if item is None or item.kind != "folder":
                return None
            tree = item.oid
        return tree

    def folders(self, tree: str) -> dict[str, str]:
        """The folders right in a tree, by name, with their trees. Raises UpstreamUnavailable (`NotFound`)."""
        return {as_text(item.name): item.oid for item in self._tree(tree).values() if item.kind == "folder"}

    def items(self, tree: str) -> tuple[Item, ...]:
        """The lines of a tree, in Git's order. Raises UpstreamUnavailable (`NotFound`), IntegrityError."""
        return tuple(self._tree(tree).values())

    def entry(self, tree: str, path: str) -> TreeEntry | None:
        """The file, link or submodule right at `path`; None when there is none."""
        folder, _, name = path.rpartition("/")
        parent = self.subtree(tree, folder)
        item = self._find(parent, name) if parent else None
        if item is None or item.kind == "folder":
            return None
        return TreeEntry(path=path, mode=item.kind, oid=item.oid)

    def files(self, tree: str, *, most: int) -> tuple[TreeEntry, ...]:
        """As tree.files. Raises UpstreamUnavailable (`NotFound`) too."""
        return files(self._tree(tree), most)

    def walk(self, tree: str, *, depth: int = 32) -> Iterator[TreeEntry]:
        """As tree.walk. Raises UpstreamUnavailable (`NotFound`) too."""
        return walk(self._tree, tree, depth)

    def size(self, oid: str) -> int:
        """Bytes of a blob, without reading it. Raises UpstreamUnavailable (`NotFound`), IntegrityError for no blob."""
        return self._header(oid, ObjectType.BLOB)

    def read(self, oid: str, *, limit: int) -> bytes:
        """A blob. Raises as `size` does, and IntegrityError (`TooLarge`) above `limit` bytes."""
        size = self.size(oid)
        if size > limit:
            raise IntegrityError(f'blob "{oid}" is too large: {size:,} bytes, {limit:,} at most', reason="TooLarge")
        with self._reading(oid):
            return bytes(self._repo.read(oid)[1])

    def chunks(self, oid: str) -> Iterator[bytes]:
        """A blob in pieces of at most CHUNK bytes; raises as `size` does. Only one that its pack keeps as a delta is
        held in memory, which Git does to none above 512 MiB (core.bigFileThreshold).
        """
        size = self.size(oid)
        pieces = stream(Path(self._repo.path) / "objects", oid, size)
        if pieces is not None:
            yield from pieces
            return
        with self._reading(oid):
            whole = memoryview(self._repo[oid])  # type: ignore[arg-type]  # blobs are buffers
        for start in range(0, len(whole), CHUNK):
            yield bytes(whole[start : start + CHUNK])

    def _commit(self, ref: str) -> pygit2.Commit:
        found = self._peeled(ref)
        if not isinstance(found, pygit2.Commit):
            raise _wrong_kind(ref, found.type_str, "commit")
        return found

    def _peeled(self, ref: str) -> _Object:
        try:
            if len(ref) == _HEX and "/" not in ref:
                found = self._repo[ref]
                # Peeling goes one step further than it should for all but tags.
                return found.peel(None) if isinstance(found, pygit2.Tag) else found
            return self._repo.lookup_reference(ref).peel(None)
        except (KeyError, ValueError, pygit2.GitError) as error:
            raise UpstreamUnavailable(f'"{ref}" is not in "{self.path}"', reason="NotFound") from error

    def _find(self, tree: str, name: str) -> Item | None:
        return self._tree(tree).get(name.encode(errors="surrogateescape"))

    def _header(self, oid: str, kind: ObjectType) -> int:
        with self._reading(oid):
            found, size = self._repo.odb.read_header(oid)
        if found != kind:
            raise _wrong_kind(oid, ObjectType(found).name.lower(), kind.name.lower())
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
        self.parsed += len(self._trees[oid])
        return self._trees[oid]

    @contextmanager
    def _reading(self, oid: str) -> Iterator[None]:
        try:
            yield
        except (KeyError, ValueError, pygit2.GitError) as error:
            raise UpstreamUnavailable(f'object "{oid}" is not in "{self.path}"', reason="NotFound") from error


def _wrong_kind(name: str, found: str, wanted: str) -> IntegrityError:
    return IntegrityError(f'"{name}" is a {found}, where a {wanted} belongs', reason="UnsafeArchive")


def create(folder: Path) -> None:
    """An empty bare repository that obeys nobody's configuration: the cache of a remote one."""
    repo = pygit2.init_repository(str(folder), bare=True)
    # With this libgit2 follows a redirect on the same host only; the default is to follow the first one anywhere.
    repo.config["http.followRedirects"] = "false"


def start(folder: Path, branch: str) -> None:
    """`git init`: an empty repository around the folder's files."""
    pygit2.init_repository(str(folder), initial_head=branch)


def prepare(home: Path) -> None:
    """Settings of the whole process, once, before anything remote: `home` holds `.ssh/known_hosts`."""
    pygit2.settings.homedir = str(home)
    pygit2.settings.mwindow_size = _WINDOW
    pygit2.settings.mwindow_mapped_limit = 8 * _WINDOW
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
        if plain == "HEAD" or _is_ref(plain):
            refs[plain] = oid
    head = next((head.symref_target for head in heads if head.name == "HEAD"), None)
    return Advertisement(refs=refs, head=head if head and _is_ref(head) else None)


def _is_ref(name: str) -> bool:
    try:
        return bool(pygit2.reference_is_valid_name(name))
    except UnicodeEncodeError:  # bytes that are no UTF-8 come as lone surrogates
        return False


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

    # What a server says about its progress is read by nobody, and pygit2 would fail over words that are no UTF-8.
    sideband_progress = None  # type: ignore[assignment]

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
    return datetime.fromtimestamp(min(max(seconds, 0), 253402300799), tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
