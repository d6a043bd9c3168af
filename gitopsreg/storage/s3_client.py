"""The door to boto3: a bucket, with the credentials of boto3's own chain, limits of time, and our errors.

The chain: environment, profile, web identity (AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN), container, machine. With
`role_arn` what it finds is used to assume that role.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.credentials import (
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
    create_assume_role_refresher,
)
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    MetadataRetrievalError,
    NoCredentialsError,
    ReadTimeoutError,
    ResponseStreamingError,
    SSLError,
)
from botocore.exceptions import (
    ConnectionError as Unreachable,
)
from botocore.parsers import ResponseParserError
from botocore.session import get_session
from urllib3.exceptions import HTTPError

from gitopsreg.errors import ConfigError, StorageError
from gitopsreg.storage.address import StoreAddress
from gitopsreg.storage.s3_failures import Refusal, explain

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

# An unreachable store is told within a minute or so: 3 attempts, each 5 seconds to connect and 15 of silence.
_LIMITS = Config(
    connect_timeout=5,
    read_timeout=15,
    retries={"mode": "standard", "total_max_attempts": 3},
    tcp_keepalive=True,
    max_pool_connections=128,
)
_SOURCES = (
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN, "
    "or give this machine or container a role"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """An open bucket. `links` is the client that signs links, `encryption` what every write carries."""

    name: str
    prefix: str
    client: "S3Client"
    links: "S3Client"
    encryption: Mapping[str, str]
    role: str

    def place(self, key: str) -> Any:
        """The parameters that name an object."""
        return {"Bucket": self.name, "Key": self.prefix + key}

    @contextmanager
    def explained(self, key: str = "") -> Iterator[None]:
        """Translate every error of the library in the block, which also takes from the answer what it needs.

        Its own words may hold secrets: they end here.
        """
        try:
            yield
        except ClientError as error:
            raise explain(self._refusal(error, key)) from None
        except (BotoCoreError, HTTPClientError, HTTPError) as error:
            raise self._unanswered(error) from None
        except OSError as error:  # of the network's errors none is left: it is a file of the credentials
            raise StorageError(f'"{error.filename}" can\'t be read for credentials: {error.strerror}') from error
        except (ResponseParserError, KeyError) as error:
            where = self.client.meta.endpoint_url
            raise StorageError(f"what {where} answered is not S3: is a proxy or another server there?") from error

    def _refusal(self, error: ClientError, key: str) -> Refusal:
        answer: Mapping[str, Any] = error.response
        said, meta = answer.get("Error", {}), answer.get("ResponseMetadata", {})
        headers = meta.get("HTTPHeaders", {})
        return Refusal(
            bucket=self.name,
            endpoint=self.client.meta.endpoint_url,
            operation=error.operation_name,
            key=key,
            role=self.role,
            code=str(said.get("Code", "")),
            status=int(meta.get("HTTPStatusCode", 0)),
            region=headers.get("x-amz-bucket-region") or said.get("Region", ""),
            about_encryption="kms:" in str(said.get("Message", "")),
        )

    def _unanswered(self, error: Exception) -> StorageError:
        where = self.client.meta.endpoint_url
        if isinstance(error, (NoCredentialsError, CredentialRetrievalError, MetadataRetrievalError)):
            return StorageError(f'the credentials for the bucket "{self.name}" can\'t be fetched: {_SOURCES}')
        if isinstance(error, SSLError):
            return StorageError(f"the certificate of {where} is not valid for it, or no known authority signed it")
        if isinstance(error, ReadTimeoutError):
            return StorageError(f"{where} did not answer in time: try again later")
        if isinstance(error, (IncompleteReadError, ResponseStreamingError)):
            return StorageError(f"the connection to {where} broke in the middle of an answer: try again later")
        if isinstance(error, (Unreachable, HTTPClientError, HTTPError)):
            return StorageError(f"{where} can't be reached: check the store's address, the network and its proxies")
        # Its words may hold a URL or what a credential helper printed; its name tells what to look for.
        return StorageError(f'the bucket "{self.name}" can\'t be used: {type(error).__name__}')


def open_bucket(address: StoreAddress) -> Bucket:
    """Looks for credentials, asks the bucket nothing. Raises ConfigError where they or the region are missing."""
    options = address.options
    try:
        session, region = _session(address)
        client = _client(session, region, options, options.get("endpoint"))
        public = options.get("public_endpoint")
        links = _client(session, region, options, public) if public else client
    except (BotoCoreError, ValueError) as error:
        raise ConfigError(
            f'the bucket "{address.place}" can\'t be opened: {type(error).__name__}: {_SOURCES}'
        ) from error
    return Bucket(
        name=address.place,
        prefix=f"{address.prefix}/" if address.prefix else "",
        client=client,
        links=links,
        encryption=_encryption(options.get("sse_kms_key")),
        role=options.get("role_arn", ""),
    )


def _client(session: boto3.Session, region: str, options: Mapping[str, str], endpoint: str | None) -> "S3Client":
    # Servers that are not Amazon's rarely know buckets as host names. For Amazon's "virtual" also makes links name the
    # region's own host: the global one redirects, and a signed link does not survive that.
    path_style = options.get("path_style", "true" if endpoint else "false") == "true"
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path" if path_style else "virtual", "payload_signing_enabled": True},
        # boto3 would add CRC trailers that older servers refuse. Uploads lose nothing by it: the signature covers
        # their SHA-256, which the server checks. Downloads are no longer compared with a checksum the store kept;
        # their length is checked here, and their digest by whoever named them by it.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return session.client("s3", region_name=region, endpoint_url=endpoint, config=_LIMITS.merge(config))


def _session(address: StoreAddress) -> tuple[boto3.Session, str]:
    options = address.options
    session = boto3.Session(region_name=options.get("region"))
    # boto3 reads AWS_DEFAULT_REGION only; containers at Amazon set the other one.
    region = session.region_name or os.environ.get("AWS_REGION") or ("us-east-1" if "endpoint" in options else "")
    if not region:
        raise ConfigError(
            f'the bucket "{address.place}" needs its region: write one like "?region=eu-central-1", or set AWS_REGION'
        )
    if session.get_credentials() is None:
        raise ConfigError(f'there are no credentials for the bucket "{address.place}": {_SOURCES}')
    if role := options.get("role_arn"):
        return _assumed(session, region, role, options.get("external_id")), region
    return session, region


class _Role(CredentialProvider):
    """Credentials of a role, fetched when first needed and again before they expire."""

    METHOD = "assume-role"

    def __init__(self, credentials: DeferredRefreshableCredentials) -> None:
        super().__init__()
        self._credentials = credentials

    def load(self) -> DeferredRefreshableCredentials:
        return self._credentials


def _assumed(session: boto3.Session, region: str, role: str, external_id: str | None) -> boto3.Session:
    terms = {"RoleArn": role, "RoleSessionName": "gitopsreg"}
    if external_id:
        terms["ExternalId"] = external_id
    refresh = create_assume_role_refresher(session.client("sts", region_name=region, config=_LIMITS), terms)
    credentials = DeferredRefreshableCredentials(refresh_using=refresh, method=_Role.METHOD)
    inner = get_session()
    inner.register_component("credential_provider", CredentialResolver([_Role(credentials)]))
    return boto3.Session(botocore_session=inner)


def _encryption(key: str | None) -> dict[str, str]:
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key} if key else {}
