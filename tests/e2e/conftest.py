"""Registries that many tests only read: one for each test worker, over http and over TLS."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from tests.e2e.client import Workspace, client_config, host_of
from tests.e2e.process import up
from tests.e2e.sample import a_sample


@dataclass(frozen=True, slots=True)
class Running:
    """A registry that serves the sample. `ca` is the authority that clients must trust, None for plain http."""

    url: str
    folder: Path
    catalog: Path
    authority: trustme.CA | None = None
    ca: Path | None = None

    @property
    def host(self) -> str:
        return host_of(self.url)

    @property
    def port(self) -> str:
        return self.host.rpartition(":")[2]

    def client(self, folder: Path, tfrc: str | None = None) -> Workspace:
        """A machine that has only pasted what `client-config` prints."""
        return Workspace(folder, client_config(self.url) if tfrc is None else tfrc, ca=self.ca)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_sample(tmp_path_factory.mktemp("sample") / "catalog")


@pytest.fixture(scope="session")
def plain(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The sample over plain http."""
    folder = tmp_path_factory.mktemp("plain")
    with up(sample, folder) as registry:
        yield Running(registry.url, folder, sample)


@pytest.fixture(scope="session")
def secure(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The sample over TLS, with a certificate of an authority of our own."""
    folder = tmp_path_factory.mktemp("secure")
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    ca, chain, key = folder / "ca.pem", folder / "chain.pem", folder / "key.pem"
    authority.cert_pem.write_to_path(ca)
    key.write_bytes(certificate.private_key_pem.bytes())
    chain.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    with up(sample, folder, "--tls-cert", chain, "--tls-key", key) as registry:
        yield Running(registry.url, folder, sample, authority, ca)
