"""A registry kept in Git, carried over: its files in a repository, imported into a catalog, reconciled by reference."""

import subprocess
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gitopsreg.index import repository
from gitopsreg.index.model import Snapshot
from gitopsreg.index.status_store import read_status
from gitopsreg.index.statuses import RegistryStatus
from gitopsreg.reconcile.events import Silent
from gitopsreg.settings import Settings
from gitopsreg.storage.filesystem import FilesystemStore
from gitopsreg.wiring.reconciling import make_reconciler
from tests.cli.shell import Ran, gitopsreg
from tests.repositories import git


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    imported: Ran
    store: FilesystemStore
    snapshot: Snapshot
    status: RegistryStatus

    @property
    def left_out(self) -> dict[str, str]:
        """Why, by file or address."""
        return {one["what"]: one["reason"] for one in self.imported.json["leftOut"]}


def carry(files: Mapping[str, bytes], folder: Path) -> Carried:
    upstream = a_commit(folder / "upstream.git", files.items())
    url = f"file://{upstream}"
    imported = gitopsreg(
        "import", "opentofu-registry", upstream, "--url", url, "--out", folder / "made", "--output", "json"
    )
    assert imported.code == 0, imported.stderr
    made = ((path.relative_to(folder / "made").as_posix(), path.read_bytes()) for path in files_below(folder / "made"))
    catalog = a_commit(folder / "catalog.git", made)
    settings = Settings(
        catalog=str(catalog), store=f"file://{folder}/store", cache=folder / "cache", allow_local_sources=True
    )
    with make_reconciler(settings, Silent()) as reconciler:
        outcome = reconciler.run_once()
    assert outcome.published
    store = FilesystemStore(folder / "store")
    head = repository.read_head(store)
    status = read_status(store)
    assert head is not None
    assert status is not None
    return Carried(imported=imported, store=store, snapshot=repository.load(store, head.root), status=status)


def files_below(folder: Path) -> Iterable[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def a_commit(bare: Path, files: Iterable[tuple[str, bytes]]) -> Path:
    """A bare repository with one commit, made as fast as Git can: nothing is compressed."""
    bare.mkdir(parents=True)
    git(bare, "init", "--quiet", "--bare", "--initial-branch", "main")
    command = ["git", "-C", str(bare), "-c", "core.compression=0", "fast-import", "--quiet", "--depth=0"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(b"commit refs/heads/main\ncommitter A <a@example.com> 1790000000 +0000\ndata 1\nx\n")
        for path, data in files:
            process.stdin.write(b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(data), data))
    assert process.returncode == 0
    return bare


def files_of(place: Path) -> dict[str, bytes]:
    """A folder's files, or a tar's, by path."""
    if place.is_dir():
        return {path.relative_to(place).as_posix(): path.read_bytes() for path in files_below(place)}
    found = {}
    with tarfile.open(place) as archive:
        for member in archive:
            if (content := archive.extractfile(member)) is not None:
                found[member.name.removeprefix("./")] = content.read()
    return found
