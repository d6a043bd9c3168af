"""A published store as large as one likes, made from the public OpenTofu registry's own data: bytes by reference.

`python -m benchmarks.registry_of STORE [PACKAGES] [SOURCE]`: STORE is a folder or a store's URL; PACKAGES (27,479 by
default) says how many, the data's own first and then the same again under other names; SOURCE is a folder laid out like
opentofu/registry or an archive of one, by default the archive that lies beside the clone.
"""

import json
import random
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

from gitopsreg.errors import InvalidName
from gitopsreg.index import repository
from gitopsreg.index.link_key import ensure_link_key
from gitopsreg.index.model import (
    ModulePackage,
    ModuleVersion,
    Origin,
    Package,
    ProviderBuild,
    ProviderPackage,
    ProviderVersion,
    PublicKey,
    Remote,
    Snapshot,
)
from gitopsreg.index.repository import Content
from gitopsreg.model.address import ModuleAddress, PackageAddress, Platform, ProviderAddress
from gitopsreg.model.digest import Sha256
from gitopsreg.model.version import Version
from gitopsreg.storage.base import BlobStore
from gitopsreg.wiring.stores import store_at

BESIDE = Path(__file__).parents[2] / "shared" / "data" / "opentofu-registry-a-m.tar.xz"
PUBLIC = 27_479  # packages of the public registry in January 2025
TIME = "2025-01-01T00:00:00Z"
_REGISTRY = "https://github.com/opentofu/registry"
_COMMIT = sha256(b"a commit").hexdigest()[:40]

_Plain = dict[str, Any]


def main(address: str, count: int, source: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = unpacked(source, Path(scratch))
        if folder is None:
            print(f"no data at {source}: name a registry laid out like opentofu/registry")
            return
        began = time.perf_counter()
        found = {package.address: package for package in packages(folder, count)}
        print(f"{told(found.values())}; read in {time.perf_counter() - began:.1f} s", flush=True)
    began = time.perf_counter()
    snapshot = published(store_at(address), found)
    print(f"published as {snapshot.digest} in {time.perf_counter() - began:.1f} s")


def unpacked(source: Path, scratch: Path) -> Path | None:
    """The folder with the data; None where there is none."""
    if source.is_dir():
        return source
    if not source.exists():
        return None
    with tarfile.open(source) as tar:
        tar.extractall(scratch, filter="data")
    return scratch


def published(store: BlobStore, found: dict[PackageAddress, Package]) -> Snapshot:
    """As a reconciler that starts now does it."""
    ensure_link_key(store)
    head = repository.read_head(store)
    base = repository.load(store, head.newest, ahead=0) if head else None
    content = Content(
        revision=f"main@sha1:{_COMMIT}", time=TIME, hostname="registry.example.com", namespaces=(), packages=found
    )
    return repository.publish(store, content, base=base, head=head)


def told(found: Iterable[Package]) -> str:
    counts = [0, 0, 0]
    for package in found:
        counts[0] += 1
        counts[1] += len(package.versions)
        counts[2] += sum(len(v.builds) for v in package.versions if isinstance(v, ProviderVersion))
    return "{:,} packages, {:,} versions, {:,} builds".format(*counts)


def packages(folder: Path, count: int = PUBLIC) -> Iterator[Package]:
    """The data's packages in an order of no meaning, always the same, then once more under other names."""
    paths = sorted(path.relative_to(folder).as_posix() for path in folder.glob("*/*/*/**/*.json"))
    random.Random(0).shuffle(paths)  # noqa: S311
    return islice(_endless(folder, [path for path in paths if path.startswith(("modules/", "providers/"))]), count)


def _endless(folder: Path, paths: list[str]) -> Iterator[Package]:
    seen: set[PackageAddress] = set()
    turn = 0
    while paths:
        for path in paths:
            package = _read(folder, path, f"-{turn}" if turn else "")
            if package is not None and package.address not in seen:
                seen.add(package.address)
                yield package
        turn += 1


def _read(folder: Path, path: str, suffix: str) -> Package | None:
    """None for a name that can't be declared. The suffix makes another namespace, and with it other URLs."""
    parts = path.lower().removesuffix(".json").split("/")[2:]
    if len(parts) != (3 if path.startswith("modules/") else 2):
        return None
    data = (folder / path).read_bytes()
    try:
        if path.startswith("modules/"):
            return _module(ModuleAddress(parts[0] + suffix, parts[1], parts[2]), path, json.loads(data))
        text = data.replace(f"/{parts[0]}/".encode(), f"/{parts[0]}{suffix}/".encode())
        address = ProviderAddress(parts[0] + suffix, parts[1])
        return _provider(address, path, json.loads(text), _keys(folder, path))
    except InvalidName:
        return None


def _module(address: ModuleAddress, path: str, plain: _Plain) -> ModulePackage:
    repository_url = f"https://github.com/{address.namespace}/terraform-{address.system}-{address.name}"
    versions = tuple(
        ModuleVersion(
            version=version,
            published=TIME,
            origin=_origin(path),
            archive=Remote(f"git::{repository_url}?ref={entry['version']}"),
        )
        for version, entry in _versions(plain)
    )
    return ModulePackage(address=address, versions=versions, source=repository_url)


def _provider(address: ProviderAddress, path: str, plain: _Plain, keys: tuple[PublicKey, ...]) -> ProviderPackage:
    versions = tuple(
        ProviderVersion(
            version=version,
            published=TIME,
            origin=_origin(path),
            protocols=tuple(entry.get("protocols") or ("5.0",)),
            builds=tuple(_builds(entry)),
            checksums=Remote(entry["shasums_url"]),
            checksums_filename=entry["shasums_url"].rpartition("/")[2],
            signature=Remote(entry["shasums_signature_url"]),
            keys=keys,
        )
        for version, entry in _versions(plain)
    )
    return ProviderPackage(address=address, versions=versions, warnings=tuple(plain.get("warnings") or ()))


def _versions(plain: _Plain) -> Iterator[tuple[Version, _Plain]]:
    """Oldest first, each once; what is no version is left out."""
    found: dict[Version, _Plain] = {}
    for entry in plain.get("versions") or ():
        try:
            found.setdefault(Version.parse(entry["version"].removeprefix("v")), entry)
        except InvalidName:
            continue
    return iter(sorted(found.items()))


def _builds(entry: _Plain) -> Iterator[ProviderBuild]:
    for target in entry.get("targets") or ():
        yield ProviderBuild(
            platform=Platform(target["os"], target["arch"]),
            filename=target["filename"],
            zip=Remote(target["download_url"], Sha256(target["shasum"])),
        )


def _origin(path: str) -> Origin:
    return Origin(url=_REGISTRY, ref=path, commit=_COMMIT, tree=sha256(path.encode()).hexdigest()[:40])


def _keys(folder: Path, path: str) -> tuple[PublicKey, ...]:
    """Keys of the provider itself, or else of its namespace; their ids are made up."""
    _, letter, namespace, file = path.split("/")
    home = folder / "keys" / letter / namespace
    own = sorted((home / file.removesuffix(".json")).glob("*.asc"))
    texts = [file.read_text() for file in own or sorted(home.glob("*.asc"))]
    return tuple(PublicKey(key_id=sha256(text.encode()).hexdigest()[:16].upper(), armor=text) for text in texts)


if __name__ == "__main__":
    _given = sys.argv[1:]
    main(
        _given[0],
        int(_given[1]) if _given[1:] else PUBLIC,
        Path(_given[2]) if _given[2:] else BESIDE,
    )
