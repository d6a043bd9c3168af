"""Google's client as the store needs it: who we are, how long we wait, and what its errors mean.

The only door to Google's libraries. They are an extra: without them importing this is a ConfigError.
"""

import os
import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property, partial
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from gitopsreg.errors import ConfigError, KeyMissing, PublishConflict, StorageError
from gitopsreg.storage.address import StoreAddress
from gitopsreg.storage.base import LinkTerms

try:
    import google.auth
    import google_crc32c
    import requests
    from google.api_core import exceptions as api
    from google.auth import credentials as auth
    from google.auth import iam
    from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError
    from google.auth.transport.requests import AuthorizedSession, Request
    from google.cloud import storage
    from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
    from google.cloud.storage.retry import DEFAULT_RETRY
    from google.oauth2 import service_account
except ImportError as error:
    raise ConfigError(
        "Google Cloud Storage needs a library that is not installed: run `pip install gitopsreg[gcs]`"
    ) from error

_Result = TypeVar("_Result")

PATIENCE = 20.0  # seconds after which a call that fails is not tried again
TIMEOUT = (5.0, 20.0)  # seconds to connect, and of silence
FAILURES = (api.GoogleAPIError, GoogleAuthError, InvalidResponse, DataCorruption, OSError)
BROKEN = (requests.RequestException,)  # a body that ends too soon, or a connection that does

_HOST = "https://storage.googleapis.com"
_SCOPES = "https://www.googleapis.com/auth/devstorage."
_SIGNING = "https://www.googleapis.com/auth/iam"
_WEEK = 7 * 24 * 60 * 60  # seconds: no signature lasts longer
_CONNECTIONS = 128
_KEY_FILE = "GOOGLE_APPLICATION_CREDENTIALS"


class GcsClient:
    """One bucket. A call is tried again for `patience` seconds, then it fails."""

    def __init__(self, address: StoreAddress, *, writing: bool, patience: float = PATIENCE) -> None:
        """Raises ConfigError where no credentials are found."""
        self.retry = DEFAULT_RETRY.with_timeout(patience).with_delay(initial=0.1, maximum=4.0, multiplier=2.0)
        self._options = {"retry": self.retry, "timeout": TIMEOUT}
        self._endpoint = (address.options.get("endpoint") or _emulator() or _HOST).rstrip("/")
        self._role = "roles/storage.objectUser" if writing else "roles/storage.objectViewer"
        self._found = _credentials(self._endpoint, "read_write" if writing else "read_only")
        # A token never travels in the clear: over plain http nobody is told who we are.
        plain = self._endpoint.startswith("http://")
        known = auth.AnonymousCredentials() if plain else self._found
        self._session = _session(known)
        self._project = address.options.get("project")
        with _configured():
            self._client = storage.Client(
                project=self._project,
                credentials=known,
                _http=self._session,
                client_options={"api_endpoint": self._endpoint},
            )
        self._bucket = self._client.bucket(address.place, user_project=self._project)

    def blob(self, name: str) -> Any:
        """The library's handle of an object, which need not exist."""
        return self._bucket.blob(name)

    def call(self, method: Callable[..., _Result], *args: object, **options: object) -> _Result:
        """A method of the library, with our patience."""
        return method(*args, **options, **self._options)

    def listed(self, prefix: str) -> Iterator[Any]:
        """The objects whose names start so, sorted, a page at a time."""
        fields = "items(name,size,timeCreated,generation),nextPageToken"
        found: Iterator[Any] = self.call(self._client.list_blobs, self._bucket, prefix=prefix, fields=fields)
        return found

    def media(self, name: str, generation: str) -> str:
        """The URL of an object's bytes; of a generation, "" for the live one."""
        query = {"alt": "media"} | self._payer() | ({"generation": generation} if generation else {})
        return f"{self._endpoint}/download/storage/v1/b/{self._bucket.name}/o/{quote(name, safe='')}?{urlencode(query)}"

    def uploads(self, name: str) -> str:
        """The URL where a resumable upload begins."""
        query = {"uploadType": "resumable", "name": name} | self._payer()
        return f"{self._endpoint}/upload/storage/v1/b/{self._bucket.name}/o?{urlencode(query)}"

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str],
        body: bytes = b"",
        stream: bool = False,
        expected: tuple[int, ...] = (200,),
    ) -> Any:
        """One request, tried once: its answer, when the status is an expected one. Raises FAILURES."""
        answer = self._session.request(
            method, url, data=body, headers=headers, timeout=TIMEOUT, stream=stream, allow_redirects=False
        )
        if answer.status_code in expected:
            return answer
        raise api.from_http_response(answer)

    def sign(self, name: str, terms: LinkTerms) -> str | None:
        """None where nothing can sign. Raises StorageError."""
        with self.explained("signed", name):
            if self._signer is None:
                return None
            link: str = self.blob(name).generate_signed_url(
                version="v4",
                method="GET",
                expiration=min(max(int(terms.lifetime.total_seconds()), 1), _WEEK),
                credentials=self._signer,
                response_type=terms.content_type,
                response_disposition=f'attachment; filename="{re.sub(r"[^0-9A-Za-z._+-]", "_", terms.filename)}"',
                query_parameters=self._payer(),
                api_access_endpoint=self._endpoint,
            )
            return link

    @cached_property
    def _signer(self) -> Any:
        """A key signs here; an account without one (workload identity) asks IAM to sign."""
        if isinstance(self._found, auth.Signing):
            return self._found
        if not hasattr(self._found, "service_account_email"):
            return None
        request = partial(Request(), timeout=TIMEOUT)
        asking = auth.with_scopes_if_required(self._found, [_SIGNING])
        asking.refresh(request)  # only with its first token does a machine learn the name of its account
        email = asking.service_account_email
        if not email or "@" not in email:
            return None
        return service_account.Credentials(iam.Signer(request, asking, email), email, "")

    def _payer(self) -> dict[str, str]:
        return {"userProject": self._project} if self._project else {}

    @contextmanager
    def explained(self, deed: str, name: str, key: str = "") -> Iterator[None]:
        """Translate every failure of the block, which does `deed` ("read", "written", …) to the object of `key`."""
        try:
            yield
        except FAILURES as error:
            raise self._explain(error, deed, name, key) from None

    def _explain(self, error: Exception, deed: str, name: str, key: str) -> StorageError:
        cause = error.cause if isinstance(error, api.RetryError) and error.cause else error
        status = _status(cause)
        if status in (409, 412):
            return PublishConflict(f'"{key}" was changed by another writer: read it again')
        if status == 404 and deed in ("read", "deleted") and self._lacks_only_the_object(cause, name):
            return KeyMissing(f'"{key}" is not stored')
        place = f"gs://{self._bucket.name}/{name}"
        return StorageError(f'"{place}" could not be {deed}: {self._hint(cause, status)}')

    def _lacks_only_the_object(self, error: Exception, name: str) -> bool:
        """The service names what is missing; of an emulator that doesn't, the bucket is asked for."""
        if "No such object" in str(error):
            return True
        with self.explained("read", name):
            try:
                next(iter(self.call(self._client.list_blobs, self._bucket, max_results=1)), None)
            except api.NotFound:
                return False
        return True

    def _hint(self, error: Exception, status: int | None) -> str:
        match status:
            case 401:
                return "the credentials were refused: check the service account, and this machine's clock"
            case 403:
                who = getattr(self._found, "service_account_email", None) or "the registry's account"
                return f"access denied: grant {who} the role {self._role} on the bucket"
            case 404:
                return f'the bucket "{self._bucket.name}" does not exist: create it or correct the store\'s address'
            case 429:
                return "too many requests: an object may be written about once a second"
            case int():
                return f"the service answered {status}"
        return self._trouble(error)

    def _trouble(self, error: Exception) -> str:
        """What went wrong outside of HTTP. The library's words are left out: they may hold URLs that are secrets."""
        while isinstance(error, TransportError) and isinstance(error.args[0], Exception):
            error = error.args[0]
        known = (text for kind, text in _TROUBLES.items() if isinstance(error, kind))
        hint = next(known, "{} can't be reached: check the network and the store's endpoint")
        return hint.format(_server(error) or self._endpoint)


_TROUBLES = {
    DataCorruption: "its checksum is another than the service's: it was damaged on the way",
    RefreshError: "no access token was given: check that the service account exists and its key is valid",
    TransportError: "the account could not sign: enable the IAM Service Account Credentials API and grant the account "
    "the role roles/iam.serviceAccountTokenCreator on itself",
    GoogleAuthError: "{} wants credentials: name its https address, over plain http none are sent",
    requests.Timeout: "{} did not answer in time",
    requests.exceptions.SSLError: "the certificate of {} is not trusted",
}


def _status(error: Exception) -> int | None:
    """Of the answer that was not the right one."""
    if isinstance(error, InvalidResponse):
        return int(error.response.status_code)
    return int(error.code) if isinstance(error, api.GoogleAPICallError) else None


def _server(error: Exception) -> str:
    """Of a request that failed: it may have been one for a token."""
    request = getattr(error, "request", None)
    url = urlsplit(getattr(request, "url", None) or "")
    return f"{url.scheme}://{url.netloc}" if url.netloc else ""


def _emulator() -> str:
    """Google's own variable, which its tools heed too."""
    host = os.environ.get("STORAGE_EMULATOR_HOST", "")
    return host if "://" in host or not host else f"http://{host}"


def _credentials(endpoint: str, scope: str) -> Any:
    """Application default credentials. Over plain http a key file only, since it is used to sign links alone."""
    if endpoint.startswith("http://") and not os.environ.get(_KEY_FILE):
        return auth.AnonymousCredentials()
    with _configured():
        return google.auth.default(scopes=[_SCOPES + scope])[0]


@contextmanager
def _configured() -> Iterator[None]:
    try:
        yield
    except (GoogleAuthError, ValueError) as error:
        right = "a service account's key, or leave it unset where the workload has an identity"
        file = os.environ.get(_KEY_FILE)
        problem = f'the credentials in "{file}" can\'t be used' if file else "no Google credentials were found"
        raise ConfigError(f"{problem}: set {_KEY_FILE} to the file of {right}") from error


def _session(credentials: Any) -> Any:
    session = AuthorizedSession(credentials)
    adapter = requests.adapters.HTTPAdapter(pool_maxsize=_CONNECTIONS)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.hooks["response"].append(_read_refusal)
    return session


def _read_refusal(answer: Any, **_: object) -> None:
    """Of a stream too: else its connection stays open until the garbage is collected."""
    if answer.status_code >= 400:
        answer.content  # noqa: B018 - the library reads it now


class Checksum:
    """The CRC32C of what was added, in base64. Stays "" without the library's C code: Python alone takes too long."""

    def __init__(self) -> None:
        self._sum = google_crc32c.Checksum() if google_crc32c.implementation == "c" else None

    def add(self, data: bytes) -> None:
        if self._sum is not None:
            self._sum.update(data)

    def __str__(self) -> str:
        return "" if self._sum is None else b64encode(self._sum.digest()).decode()
