"""A small registry with a real catalog repository: modules and a signed provider from its folders, and, under
addresses that a test names, upstreams in memory."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from gitopsreg.catalog.source import CatalogCheckout, GitCatalog
from gitopsreg.index import repository
from gitopsreg.index.contents import places
from gitopsreg.index.model import Snapshot
from gitopsreg.index.status import PackageStatus
from gitopsreg.index.status_store import read_status
from gitopsreg.model.address import ModuleAddress, PackageAddress, ProviderAddress
from gitopsreg.model.declaration import CatalogSource, ModuleDeclaration, PackageDeclaration
from gitopsreg.model.digest import Sha256
from gitopsreg.reconcile.events import Silent
from gitopsreg.reconcile.lease import Lease
from gitopsreg.reconcile.pipeline import Reconciler
from gitopsreg.reconcile.process import this_process
from gitopsreg.reconcile.run import Outcome
from gitopsreg.storage.base import BlobReader, BlobStore
from gitopsreg.storage.memory import MemoryStore
from gitopsreg.transport.git import Repository
from gitopsreg.transport.remotes import Remotes
from gitopsreg.upstream.base import Upstream
from gitopsreg.upstream.catalog_modules import CatalogModules
from gitopsreg.upstream.catalog_providers import CatalogProviders
from tests.reconcile.fakes import FakeGathering, FakeUpstream
from tests.releases import AReleaseFolder, a_signer
from tests.repositories import a_repository, commit, git

NAMING = ModuleAddress("acme", "naming", "generic")
REMOTE = ModuleAddress("acme", "remote", "generic")
HELLO = ProviderAddress("acme", "hello")
GATHERED = "https://git.example.com/opentofu/registry.git"

_HEAD = "apiVersion: gitopsreg.io/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}, namespace: acme}}\nspec:\n"
_INDENT = " " * 2


def _document(kind: str, name: str, spec: str) -> str:
    body = "".join(f"{_INDENT}{line}\n" for line in spec.strip().splitlines())
    return _HEAD.format(kind=kind, name=name) + body


def module_file(name: str, *versions: str, more: str = "") -> Mapping[str, str]:
    """A module whose versions are folders of the catalog, with their content."""
    pins = "".join(f'    - {{version: "{text}", path: content/{name}/{text}}}\n' for text in versions)
    spec = f"system: generic\nsource: {{type: catalog}}\nversions:\n  pins:\n{pins}{more}"
    files = {f"content/{name}/{text}/main.tf": f'output "version" {{ value = "{text}" }}\n' for text in versions}
    return {f"namespaces/acme/modules/{name}/generic.yaml": _document("Module", name, spec)} | files


def remote_file(name: str = "remote", more: str = "") -> Mapping[str, str]:
    """A module that comes from a repository elsewhere (in memory: see World.upstreams)."""
    spec = f"system: generic\nsource: {{type: git, url: 'https://git.example.com/acme/{name}.git'}}\n{more}"
    return {f"namespaces/acme/modules/{name}/generic.yaml": _document("Module", name, spec)}


def gathered_file(name: str, more: str = "") -> Mapping[str, str]:
    """A module that comes from a repository of many (see World.gathering)."""
    spec = f"system: generic\nsource: {{type: opentofu-git, url: '{GATHERED}'}}\n{more}"
    return {f"namespaces/acme/modules/{name}/generic.yaml": _document("Module", name, spec)}


def provider_files(*versions: str) -> Mapping[str, str | bytes]:
    """A provider whose releases are folders of the catalog, with its key."""
    pins = "".join(f'    - {{version: "{text}", path: content/hello/{text}}}\n' for text in versions)
    spec = f"source: {{type: catalog}}\nverify: {{keys: [release]}}\nversions:\n  pins:\n{pins}"
    key = a_signer().declared()
    armor = "".join(f"  {line}\n" for line in key.public_key.splitlines())
    key_spec = f'type: pgp\nfingerprint: "{key.fingerprint}"\npublicKey: |\n{armor}'
    files: dict[str, str | bytes] = {
        "namespaces/acme/providers/hello.yaml": _document("Provider", "hello", spec),
        "namespaces/acme/keys/release.yaml": _document("SigningKey", "release", key_spec),
    }
    for text in versions:
        for name, data in AReleaseFolder(version=text).files.items():
            files[f"content/hello/{text}/{name}"] = data
    return files


BASE: Mapping[str, str] = {
    "namespaces/acme/namespace.yaml": (
        "apiVersion: gitopsreg.io/v1alpha1\nkind: Namespace\nmetadata: {name: acme}\nspec: {}\n"
    ),
}


class World:
    """The catalog, the shelf and a clock that tests turn."""

    def __init__(self, folder: Path, *, store: BlobStore | None = None) -> None:
        self.repo = a_repository(folder / "catalog")
        self.store = store or MemoryStore()
        self.backends: dict[str, BlobStore] = {}
        self.upstreams: dict[PackageAddress, FakeUpstream] = {}
        self.gathering = FakeGathering(GATHERED, self.upstreams)
        self.now = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
        self._cache = folder / "cache"
        self._pids = count(1)
        commit(self.repo, BASE)

    def commit(self, *files: Mapping[str, str | bytes]) -> str:
        return commit(self.repo, {name: data for some in files for name, data in some.items()})

    def remove(self, *paths: str) -> None:
        git(self.repo, "rm", "-r", "--quiet", *paths)
        commit(self.repo)

    def revert(self) -> None:
        git(self.repo, "revert", "--no-edit", "HEAD")

    def pass_time(self, time: timedelta) -> None:
        self.now += time

    def reconciler(self, store: BlobStore | None = None, *, jobs: int = 1) -> Reconciler:
        catalog = GitCatalog(str(self.repo), "HEAD", ".", Remotes(), self._cache, timedelta(seconds=10))
        return Reconciler(
            catalog,
            self._upstream,
            store or self.store,
            self.lease(store or self.store),
            now=lambda: self.now,
            reporter=Silent(),
            jobs=jobs,
            backends=self.backends,
            gathering_for=lambda _: self.gathering,
        )

    def lease(self, store: BlobStore) -> Lease:
        """Of a new process, that sees all earlier ones dead."""
        holder = replace(this_process(), pid=next(self._pids))
        return Lease(store, holder, is_gone=lambda _: True, now=lambda: self.now)

    def run(self, store: BlobStore | None = None) -> Outcome:
        """One run of a new process."""
        return self.reconciler(store).run()

    def snapshot(self) -> Snapshot | None:
        return served(self.store, self.backends)

    def status(self, address: PackageAddress) -> PackageStatus:
        return read_status(self.store).packages[address]

    def reasons(self, address: PackageAddress) -> dict[str, str]:
        """Condition types with their reasons."""
        return {item.type: item.reason for item in self.status(address).conditions}

    def listed(self, address: PackageAddress) -> list[str]:
        snapshot = self.snapshot()
        package = snapshot.packages.get(address) if snapshot else None
        return [item.version.text for item in package.versions if item.listing == "listed"] if package else []

    def _upstream(self, declaration: PackageDeclaration, checkout: CatalogCheckout) -> Upstream:
        if not isinstance(declaration.source, CatalogSource):
            return self.upstreams[declaration.address]
        local = Repository(checkout.repository)
        if isinstance(declaration, ModuleDeclaration):
            return CatalogModules(declaration, local, checkout.commit, checkout.root)
        return CatalogProviders(declaration, local, checkout.commit, checkout.root)


def served(reader: BlobReader, backends: Mapping[str, BlobReader] | None = None) -> Snapshot | None:
    """What a server would serve now, after proving that it is whole: every byte that it names is there and right."""
    head = repository.read_head(reader)
    if head is None:
        return None
    snapshot = repository.load(reader, head.root)
    stores = {**(backends or {}), "": reader}
    for place, blob in places(snapshot).items():
        assert Sha256.of(b"".join(stores[place.backend].chunks(place.key))) == blob.sha256
    return snapshot
