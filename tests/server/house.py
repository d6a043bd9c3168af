"""A real registry on a real server: a store in memory, a published index, and a client that hides nothing."""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from gitopsreg.index.keys import blob_key
from gitopsreg.index.model import Blob, ModuleVersion, Package, ProviderVersion
from gitopsreg.index.repository import Content, publish, read_head
from gitopsreg.protocol.links import LinkSigner
from gitopsreg.server.app import build_app
from gitopsreg.server.listen import Listen
from gitopsreg.server.serve import serving
from gitopsreg.server.snapshot import Snapshots
from gitopsreg.storage.base import BlobReader, BlobStore
from gitopsreg.storage.memory import MemoryStore
from tests.builders import a_blob, stored
from tests.protocol.samples import NAMESPACE, a_build, a_provider, a_provider_version, old, vpc

KEY = bytes(range(32))
HOSTNAME = "registry.example.com"


@dataclass(frozen=True, slots=True)
class Answer:
    """Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def ask(
    url: str, path: str = "", method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes = b""
) -> Answer:
    """One request, written as given: no header but Host is added, nothing is followed, decoded or retried."""
    parts = urlsplit(url + path)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    try:
        connection.putrequest(method, target, skip_accept_encoding=True, skip_host="Host" in (headers or {}))
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        if body:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body or None)
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, response.read())
    finally:
        connection.close()


def a_tarball(files: Mapping[str, str]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return gzip.compress(packed.getvalue(), mtime=0)


def a_zip(files: Mapping[str, str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return packed.getvalue()


def store_bytes(store: BlobStore, data: bytes) -> Blob:
    blob = a_blob(data)
    store.put(blob_key(blob.sha256), data)
    return blob


def publish_packages(store: BlobStore, *packages: Package, hostname: str | None = HOSTNAME) -> None:
    content = Content(
        revision="main@sha1:" + "a" * 40,
        time="2026-01-01T00:00:00Z",
        hostname=hostname,
        namespaces=(NAMESPACE,),
        packages={package.address: package for package in packages},
    )
    publish(store, content, base=None, head=read_head(store))


def stored_module(store: BlobStore, version: ModuleVersion) -> ModuleVersion:
    """With an archive of its own, really stored."""
    return replace(version, archive=store_bytes(store, a_tarball({"main.tf": f"# {version.version}\n"})))


def stored_provider(store: BlobStore, **changes: Any) -> ProviderVersion:
    builds = tuple(
        replace(a_build(platform), zip=store_bytes(store, a_zip({"terraform-provider-hello": platform})))
        for platform in ("darwin_arm64", "linux_amd64")
    )
    version = a_provider_version(builds=builds, **changes)
    lines = "".join(f"{stored(build.zip).sha256.hex}  {build.filename}\n" for build in builds)
    return replace(
        version,
        checksums=store_bytes(store, lines.encode()),
        signature=store_bytes(store, b"a signature"),
    )


def fill(store: BlobStore, *more: Package) -> None:
    """The sample registry, with all of its bytes; of `more` the metadata alone."""
    module = replace(vpc(), versions=tuple(stored_module(store, version) for version in vpc().versions))
    publish_packages(store, module, old(), a_provider(stored_provider(store)), *more)


@contextmanager
def running(store: BlobReader, **settings: Any) -> Iterator[str]:
    """The app on a real socket; the snapshot is looked for once. Downloads are read from `readers`, if given."""
    snapshots = Snapshots(store)
    snapshots.refresh()
    readers = settings.pop("readers", {"": store})
    app = build_app(snapshots, readers, settings.pop("signer", LinkSigner(KEY)), **settings)
    with serving(app, Listen("127.0.0.1", 0), drain=5) as url:
        yield url


@contextmanager
def a_registry(**settings: Any) -> Iterator[str]:
    store = MemoryStore()
    fill(store)
    with running(store, **settings) as url:
        yield url
