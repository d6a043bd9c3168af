"""Azurite, an Azure Blob Storage of our own: one a test process, started when first asked for, all in memory."""

import atexit
import os
import re
import shutil
import ssl
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory

import httpx
import pytest
import trustme
from azure.storage.blob import BlobServiceClient, ContainerClient

from gitopsreg.storage.address import StoreAddress
from gitopsreg.storage.azure import AzureStore

ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="  # every Azurite's
WITH_KEY = {"AZURE_STORAGE_KEY": KEY}

_INSTALLED = Path(__file__).parents[2] / ".servers" / "node_modules" / ".bin"
_QUIET = ("--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--silent")
_LISTENS = re.compile(r"listens on (https?://\S+)")


def find_azurite() -> str:
    """The program; without one the test is skipped, or fails where CI=true promised it."""
    found = shutil.which("azurite-blob", path=f"{_INSTALLED}{os.pathsep}{os.environ['PATH']}")
    if found is not None and shutil.which("node") is not None:
        return found
    missing = "azurite-blob is not installed: run 'make servers'"
    if os.environ.get("CI") == "true":
        pytest.fail(f"{missing}; CI must run the tests that need it")
    pytest.skip(missing)


class Azurite:
    """A running server. `endpoint` has the account's name in its path; `ca` signed its certificate, if it has one."""

    def __init__(self, *options: str, ca: Path | None = None) -> None:
        self.ca = ca
        self._process = subprocess.Popen(
            [find_azurite(), "--blobPort", "0", *_QUIET, *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        atexit.register(self.stop)
        self.endpoint = f"{self._listening()}/{ACCOUNT}"

    def _listening(self) -> str:
        assert self._process.stdout
        said = []
        for line in self._process.stdout:
            said.append(line)
            if found := _LISTENS.search(line):
                return found[1]
        raise AssertionError(f"azurite did not start: {said}")

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()

    def address(self, container: str, **options: str) -> StoreAddress:
        return StoreAddress(
            scheme="azure", place=f"{ACCOUNT}/{container}", options={"endpoint": self.endpoint, **options}
        )


@cache
def azurite() -> Azurite:
    return Azurite()


@cache
def azurite_with_identities() -> Azurite:
    """One that takes any token of the right form: over https only, as Azure does."""
    folder = TemporaryDirectory()
    atexit.register(folder.cleanup)
    ca, certificate, key = (Path(folder.name) / name for name in ("ca.pem", "certificate.pem", "key.pem"))
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(ca)
    issued.cert_chain_pems[0].write_to_path(certificate)
    issued.private_key_pem.write_to_path(key)
    return Azurite("--oauth", "basic", "--cert", str(certificate), "--key", str(key), ca=ca)


def new_container(server: Azurite) -> str:
    name = f"c{token_hex(8)}"
    with service(server) as opened:
        opened.create_container(name).close()
    return name


def service(server: Azurite) -> BlobServiceClient:
    """The library's own client, to see what is really there."""
    return BlobServiceClient(
        server.endpoint,
        credential={"account_name": ACCOUNT, "account_key": KEY},
        connection_verify=str(server.ca) if server.ca else True,
    )


def container(address: StoreAddress) -> ContainerClient:
    return service(azurite()).get_container_client(address.place.partition("/")[2])


def new_address(**options: str) -> StoreAddress:
    """Of an empty container."""
    return azurite().address(new_container(azurite()), **options)


def new_store(environment: Mapping[str, str] = WITH_KEY) -> AzureStore:
    return AzureStore(new_address(), environment=environment)


def fetch(url: str, server: Azurite) -> httpx.Response:
    """What anyone gets."""
    verify = ssl.create_default_context(cafile=str(server.ca)) if server.ca else True
    return httpx.get(url, verify=verify, trust_env=False)
