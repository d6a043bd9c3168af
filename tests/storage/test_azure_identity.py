"""An identity instead of a secret: what a machine in Azure has, and the keys that sign links for it."""

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Barrier, Thread
from urllib.parse import parse_qs, urlsplit

import pytest

from gitopsreg.errors import StorageError
from gitopsreg.storage.address import StoreAddress
from gitopsreg.storage.azure import AzureReader, AzureStore
from gitopsreg.storage.azure_credentials import AccountKey
from gitopsreg.storage.azure_links import DelegatedKey
from gitopsreg.storage.base import LinkTerms
from tests.storage import azure_server
from tests.storage.azure_server import WITH_KEY

TERMS = LinkTerms(lifetime=timedelta(minutes=5), filename="a module-1.0.0.zip", content_type="application/zip")


@contextmanager
def machine_identity(monkeypatch: pytest.MonkeyPatch, *, status: int = 200) -> Iterator[list[str]]:
    """A machine that Azure gives an identity, as its App Service does: what was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = json.dumps(token() if status == 200 else {"message": "no"}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    for name in ("AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = False
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{server.server_port}/token")
        monkeypatch.setenv("IDENTITY_HEADER", "secret")
        yield asked
        server.shutdown()
        thread.join()


def token() -> dict[str, object]:
    """Signed by nobody: Azurite reads what it says and believes it."""
    now = int(datetime.now(UTC).timestamp())
    claims = {
        "aud": "https://storage.azure.com",
        "iss": "https://sts.windows.net/tenant/",
        "oid": "11059fcc-5514-4800-b5f8-49808b9cfab6",
        "tid": "ab1f708d-50f6-404c-a006-d71b2ac7a606",
        "iat": now - 60,
        "nbf": now - 60,
        "exp": now + 3600,
    }
    parts = [{"alg": "none", "typ": "JWT"}, claims]
    coded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return {
        "access_token": ".".join([*coded, ""]),
        "expires_on": str(now + 3600),
        "resource": "https://storage.azure.com",
        "token_type": "Bearer",
    }


def test_an_identity_suffices_and_signs_links(monkeypatch: pytest.MonkeyPatch) -> None:
    server = azure_server.azurite_with_identities()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(server.ca))
    with machine_identity(monkeypatch) as asked:
        store = AzureStore(server.address(azure_server.new_container(server)), environment={})
        store.put("a", b"data")
        assert store.get("a") == b"data"
        links = [store.link("a", TERMS) for _ in range(2)]
    assert len(asked) == 1
    for link in links:
        assert link is not None
        said = parse_qs(urlsplit(link).query)
        assert said["spr"] == ["https"]
        assert said["skoid"] == ["11059fcc-5514-4800-b5f8-49808b9cfab6"]
        answer = azure_server.fetch(link, server)
        assert answer.content == b"data"
        assert answer.headers["content-disposition"] == 'attachment; filename="a_module-1.0.0.zip"'


def test_an_identity_that_gets_no_token_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with machine_identity(monkeypatch, status=403):
        reader = AzureReader(StoreAddress.parse("azure://account/container"), environment={})
        message = (
            'no valid credentials for the storage account "account" are found: set AZURE_STORAGE_CONNECTION_STRING'
        )
        with pytest.raises(StorageError, match=message):
            reader.link("a", TERMS)


def test_a_certificate_that_nobody_trusts_is_told() -> None:
    server = azure_server.azurite_with_identities()
    with pytest.raises(StorageError, match=r"the certificate of https://127.* is not valid"):
        AzureReader(server.address("any"), environment=WITH_KEY).get("a")


class Asked:
    """Stands for Azure's delegation of keys: `expiries` is what was asked for."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.expiries: list[datetime] = []
        self.refuses = refuses

    def __call__(self, expiry: datetime) -> AccountKey:
        self.expiries.append(expiry)
        if self.refuses:
            raise StorageError("refused")
        return AccountKey(str(len(self.expiries)))


def test_threads_that_need_a_delegated_key_ask_once() -> None:
    asked, barrier, now = Asked(), Barrier(8), datetime.now(UTC)
    keys = DelegatedKey(asked)

    def get(_: int) -> object:
        barrier.wait()
        return keys.get(now, now + timedelta(minutes=10))

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(get, range(8))) == {AccountKey("1")}
    assert len(asked.expiries) == 1


def test_a_delegated_key_is_used_until_a_link_would_outlive_it() -> None:
    asked, lifetime, now = Asked(), timedelta(minutes=10), datetime.now(UTC)
    keys = DelegatedKey(asked)
    used = [keys.get(moment, moment + lifetime) for moment in (now + timedelta(hours=hours) for hours in range(49))]
    assert len(set(used)) == 3
    assert asked.expiries[0] >= now + timedelta(days=1)
    keys.get(now, now + timedelta(days=5))
    assert asked.expiries[-1] <= now + timedelta(days=7)
    with pytest.raises(StorageError, match="6 days"):
        keys.get(now, now + timedelta(days=7))


def test_a_delegated_key_that_was_refused_is_not_asked_for_by_everyone_who_waited() -> None:
    asked, now = Asked(refuses=True), datetime.now(UTC)
    keys = DelegatedKey(asked)
    with pytest.raises(StorageError, match="refused"):
        keys.get(now, now + TERMS.lifetime)
    with pytest.raises(StorageError, match="has just refused"):
        keys.get(now, now + TERMS.lifetime)
    assert len(asked.expiries) == 1
    later = now + timedelta(minutes=1)
    asked.refuses = False
    assert keys.get(later, later + TERMS.lifetime) == AccountKey("2")


def test_a_delegated_key_that_could_not_be_renewed_is_not_used_beyond_its_time() -> None:
    asked, lifetime, now = Asked(), timedelta(minutes=10), datetime.now(UTC)
    keys = DelegatedKey(asked)
    assert keys.get(now, now + lifetime) == AccountKey("1")
    asked.refuses = True
    later = asked.expiries[0] - timedelta(minutes=1)
    for moment in (later, later + timedelta(hours=1), later + timedelta(hours=20)):
        with pytest.raises(StorageError, match="refused"):
            keys.get(moment, moment + lifetime)
