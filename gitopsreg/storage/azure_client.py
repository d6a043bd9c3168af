"""The door to Azure's libraries: a container, with limits of time, and our errors.

An account must have a flat namespace: a hierarchical one (Data Lake) shows folders as values.
"""

import random
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.core import MatchConditions
from azure.core.credentials import AzureNamedKeyCredential, AzureSasCredential, TokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError, ServiceRequestError
from azure.core.pipeline.transport import RequestsTransport
from azure.storage.blob import (
    BlobBlock,
    BlobClient,
    BlobProperties,
    BlobSasPermissions,
    BlobServiceClient,
    ContainerClient,
    ExponentialRetry,
    StandardBlobTier,
    UserDelegationKey,
    generate_blob_sas,
)

from gitopsreg.errors import ConfigError, StorageError
from gitopsreg.storage.address import StoreAddress
from gitopsreg.storage.azure_credentials import AccountKey, Credential, EntraId, SasToken, find_credential
from gitopsreg.storage.azure_failures import SOURCES, Refusal, explain
from gitopsreg.storage.base import Stored

# With these a silent store is told within two minutes: 4 attempts, each 10 seconds to connect and 15 to answer.
_CONNECT, _SILENCE = 10, 15
_ATTEMPTS = 4
_CONNECTIONS = 32
_SKEW = timedelta(minutes=15)  # by which Azure's clock may be behind ours

SigningKey = AccountKey | UserDelegationKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """An open container. `tier` is of the values that `put` writes, None for the account's usual one."""

    account: str
    name: str
    prefix: str
    endpoint: str
    credential: Credential
    service: BlobServiceClient
    client: ContainerClient
    tier: StandardBlobTier | None

    def blob(self, key: str) -> BlobClient:
        return self.client.get_blob_client(self.prefix + key)

    def listed(self, prefix: str) -> Iterator[BlobProperties]:
        """All blobs whose key starts so, asked for page by page, sorted."""
        yield from self.client.list_blobs(name_starts_with=self.prefix + prefix, results_per_page=1000)

    def commit(self, key: str, blocks: Sequence[str], metadata: dict[str, str]) -> None:
        """Make the staged blocks the value."""
        listed = [BlobBlock(block_id=block) for block in blocks]
        self.blob(key).commit_block_list(listed, metadata=metadata, standard_blob_tier=self.tier)

    def delegation_key(self, expiry: datetime) -> UserDelegationKey:
        """A key that signs for our identity. Needs Microsoft.Storage/…/generateUserDelegationKey, which is in the roles
        for data.
        """
        with self.explained():
            return self.service.get_user_delegation_key(datetime.now(UTC) - _SKEW, expiry)

    def signature(self, key: str, signing: SigningKey, expiry: datetime, disposition: str, content_type: str) -> str:
        """The query of a URL that reads this one blob, and is answered with these headers."""
        with self.explained(key):
            return generate_blob_sas(
                self.account,
                self.name,
                self.prefix + key,
                account_key=signing.value if isinstance(signing, AccountKey) else None,
                user_delegation_key=None if isinstance(signing, AccountKey) else signing,
                permission=BlobSasPermissions(read=True),
                expiry=expiry,
                protocol="https,http" if self.endpoint.startswith("http://") else "https",
                content_disposition=disposition,
                content_type=content_type,
            )

    @contextmanager
    def explained(self, key: str = "") -> Iterator[None]:
        """Translate every error of the library in the block. Its own words may hold a SAS token: they end here."""
        try:
            yield
        except AzureError as error:
            raise self._translated(error, key) from None
        except ValueError:  # headers that every answer of Azure has are missing
            raise StorageError(
                f"{self.endpoint} does not answer like Azure Blob Storage: mend the store's address"
            ) from None

    def _translated(self, error: AzureError, key: str) -> StorageError:
        response: Any = error.response if isinstance(error, HttpResponseError) else None
        # Whoever gives out tokens may refuse too.
        if response is None or not response.request.url.startswith(self.endpoint):
            return self._unanswered(error)
        code = getattr(error, "error_code", None) or response.headers.get("x-ms-error-code") or ""
        return explain(
            Refusal(
                container=f"{self.account}/{self.name}",
                endpoint=self.endpoint,
                key=key,
                code=str(getattr(code, "value", code)),
                status=response.status_code or 0,
            )
        )

    def _unanswered(self, error: AzureError) -> StorageError:
        if isinstance(error, ClientAuthenticationError):
            return StorageError(f'no valid credentials for the storage account "{self.account}" are found: {SOURCES}')
        if type(error.inner_exception).__name__ == "SSLError":
            return StorageError(
                f"the certificate of {self.endpoint} is not valid for it, or no known authority signed it"
            )
        if isinstance(error, ServiceRequestError):
            return StorageError(
                f"{self.endpoint} can't be reached: check the account's name, the network and its proxies"
            )
        return StorageError(f"{self.endpoint} did not answer, or not to the end: try again later")


def open_container(address: StoreAddress, environment: Mapping[str, str]) -> Container:
    """Looks for credentials, asks Azure nothing. Raises ConfigError."""
    account, _, name = address.place.partition("/")
    endpoint = address.options.get("endpoint", f"https://{account}.blob.core.windows.net").rstrip("/")
    credential = find_credential(account, environment)
    if isinstance(credential, EntraId) and endpoint.startswith("http://"):
        raise ConfigError(f'"{address}" can\'t be opened: an identity is only shown over https, and {SOURCES}')
    tier = address.options.get("tier")
    service = BlobServiceClient(
        endpoint,
        credential=_library_credential(account, credential),
        transport=_transport(),
        retry_policy=_Retry(retry_total=_ATTEMPTS - 1),
    )
    return Container(
        account=account,
        name=name,
        prefix=f"{address.prefix}/" if address.prefix else "",
        endpoint=endpoint,
        credential=credential,
        service=service,
        client=service.get_container_client(name),
        tier=StandardBlobTier(tier.capitalize()) if tier else None,
    )


def same(state: str) -> Any:
    """The condition that a blob is in this state."""
    return {"etag": f'"{state}"', "match_condition": MatchConditions.IfNotModified}


def absent() -> Any:
    """The condition that there is no such blob."""
    return {"match_condition": MatchConditions.IfMissing}


def state_of(etag: object) -> str:
    """An ETag as we keep it: headers have it in quotes, listings don't."""
    return str(etag).strip('"')


def stored(key: str, found: BlobProperties) -> Stored:
    return Stored(key=key, size=found.size, modified=found.last_modified.timestamp(), state=state_of(found.etag))


def block_id(nonce: str, number: int) -> str:
    """All of one blob must be of equal length; nobody else's may be equal."""
    return b64encode(f"{nonce}{number:08}".encode()).decode()


class _Retry(ExponentialRetry):
    """Waits about 0.4, 1 and 3 seconds: the library would wait for 15 before its first."""

    def get_backoff_time(self, settings: dict[str, Any]) -> float:
        attempts: int = settings["count"]
        return random.uniform(0.25, 0.5) * 3.0 ** (attempts - 1)  # noqa: S311 - no secret


def _library_credential(account: str, credential: Credential) -> TokenCredential | Any:
    match credential:
        case AccountKey(key):
            return AzureNamedKeyCredential(account, key)
        case SasToken(token):
            return AzureSasCredential(token)
        case EntraId():
            from azure.identity import DefaultAzureCredential

            return DefaultAzureCredential()


def _transport() -> RequestsTransport:
    transport = RequestsTransport(connection_timeout=_CONNECT, read_timeout=_SILENCE)
    transport.open()
    # The library keeps 10 connections, and warns whenever an eleventh thread is done with its own.
    for adapter in transport.session.adapters.values() if transport.session else ():
        adapter.init_poolmanager(_CONNECTIONS, _CONNECTIONS)
    return transport
