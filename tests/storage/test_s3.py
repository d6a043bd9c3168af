"""What only a bucket can get wrong: broken connections, lost answers, parts, roles, permissions, links."""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import md5, sha256
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from botocore import exceptions

from gitopsreg.errors import ConfigError, KeyMissing, PublishConflict, StorageError
from gitopsreg.storage.address import StoreAddress
from gitopsreg.storage.base import CHUNK, LinkTerms
from gitopsreg.storage.s3 import S3Reader, S3Store
from gitopsreg.storage.s3_upload import PART, _size, in_parts
from tests.storage import s3_server
from tests.storage.relay import Relay
from tests.storage.s3_server import CREDENTIALS, SECRET, client, environment, new_address, open_store
from tests.storage.test_contract import count_up

ROLE = "arn:aws:iam::123456789012:role/registry"
TERMS = LinkTerms(lifetime=timedelta(minutes=5), filename="a module-1.0.0.zip", content_type="application/zip")


@pytest.fixture
def address() -> StoreAddress:
    return new_address("a/prefix")


@pytest.fixture
def store(address: StoreAddress) -> S3Store:
    """Speaks to the server itself."""
    return open_store(address)


@pytest.fixture
def relay() -> Iterator[Relay]:
    with Relay(s3_server.endpoint()).running() as running:
        yield running


@pytest.fixture
def relayed(address: StoreAddress, relay: Relay) -> S3Store:
    """The same bucket, through the relay."""
    return open_store(with_options(address, endpoint=relay.url))


def with_options(address: StoreAddress, **options: str) -> StoreAddress:
    return replace(address, options={**address.options, **options})


def uploads(address: StoreAddress) -> list[str]:
    return [upload["Key"] for upload in client().list_multipart_uploads(Bucket=address.place).get("Uploads", ())]


def etag(address: StoreAddress, key: str) -> str:
    return client().head_object(Bucket=address.place, Key=f"{address.prefix}/{key}")["ETag"].strip('"')


def error(code: str, words: str = "Because.") -> str:
    return f"<Error><Code>{code}</Code><Message>{words}</Message><Region>eu-west-1</Region></Error>"


# Keys and listings


def test_only_legal_keys_below_the_prefix_are_ours(address: StoreAddress, store: S3Store) -> None:
    for name in ("a/prefix/a b", "a/prefix//x", "a/prefix/", "a/prefix/x/", "a/prefixed", "b"):
        client().put_object(Bucket=address.place, Key=name, Body=b"")
    store.put("mine", b"")
    assert list(store.keys("")) == ["mine"]


def test_without_a_prefix_keys_are_the_names_of_objects() -> None:
    address = new_address()
    open_store(address).put("blobs/a", b"data")
    assert client().get_object(Bucket=address.place, Key="blobs/a")["Body"].read() == b"data"


def test_a_listing_goes_on_after_the_first_page(store: S3Store) -> None:
    names = [f"blobs/{number:04}" for number in range(1003)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: store.put(name, b""), names))
    assert list(store.keys("blobs/")) == names


# Writing


def test_what_is_sent_is_signed_with_its_digest(relay: Relay, relayed: S3Store) -> None:
    relayed.put("a", b"data")
    (sent,) = relay.those("PUT")
    assert sent.headers["x-amz-content-sha256"] == sha256(b"data").hexdigest()
    assert not [name for name in sent.headers if name.startswith(("x-amz-checksum", "x-amz-trailer"))]


def test_values_up_to_one_part_are_one_request(address: StoreAddress, relay: Relay, relayed: S3Store) -> None:
    relayed.put("a", iter([b"x" * (PART - 1), b"x"]))
    assert [sent.method for sent in relay.passed] == ["PUT"]
    assert "-" not in etag(address, "a")


def test_larger_values_are_written_in_parts(address: StoreAddress, store: S3Store) -> None:
    data = bytes(range(256)) * (PART // 100)
    store.put("a", (data[at : at + CHUNK + 1] for at in range(0, len(data), CHUNK + 1)))
    store.put("b", data)
    for key in ("a", "b"):
        assert etag(address, key).endswith("-3")
        assert store.get(key) == data
    assert uploads(address) == []


def test_parts_suffice_for_the_largest_object() -> None:
    sizes = [_size(number) for number in range(10_000)]
    assert sum(sizes) > 5 * 10**12
    assert set(sizes[:1000]) == {PART}
    assert max(sizes) <= 5 * 2**30
    assert [len(part) for part, _ in in_parts([b"x" * PART, b"", b"y"])] == [PART, 1]


class Interrupted(BaseException):
    pass


def test_a_source_that_fails_late_leaves_no_parts(address: StoreAddress, store: S3Store) -> None:
    seen: list[str] = []

    def failing() -> Iterator[bytes]:
        yield b"x" * (2 * PART + 1)
        seen.extend(uploads(address))
        raise Interrupted

    with pytest.raises(Interrupted):
        store.put("a", failing())
    assert seen == ["a/prefix/a"]
    assert uploads(address) == []
    assert list(store.keys("")) == []


def test_a_part_that_is_refused_leaves_no_parts(address: StoreAddress, relay: Relay, relayed: S3Store) -> None:
    relay.answer("PUT", 403, error("AccessDenied"), part="partNumber=2")
    with pytest.raises(StorageError, match=r'denies UploadPart for "a": allow s3:PutObject'):
        relayed.put("a", b"x" * (PART + 1))
    assert len(relay.those("DELETE", "uploadId=")) == 1
    assert uploads(address) == []


def test_an_upload_whose_completion_was_not_heard_of_is_complete(relay: Relay, relayed: S3Store) -> None:
    relay.lose("POST", "uploadId=")
    relay.answer("POST", 404, error("NoSuchUpload"), part="uploadId=")
    relayed.put("a", b"x" * (PART + 1))
    assert relayed.size("a") == PART + 1


def test_an_upload_that_somebody_aborted_is_an_error(relay: Relay, relayed: S3Store) -> None:
    relay.answer("POST", 404, error("NoSuchUpload"), part="uploadId=")
    with pytest.raises(StorageError, match='"a" could not be completed'):
        relayed.put("a", b"x" * (PART + 1))


def test_every_write_names_the_encryption_key(address: StoreAddress, relay: Relay) -> None:
    store = open_store(with_options(address, endpoint=relay.url, sse_kms_key="alias/registry"))
    store.put("a", b"1")
    store.replace("b", b"1", expected=None)
    store.put("c", b"x" * (PART + 1))
    writes = relay.those("PUT", "prefix/a") + relay.those("PUT", "prefix/b") + relay.those("POST", "uploads")
    assert len(writes) == 3
    for sent in writes:
        assert sent.headers["x-amz-server-side-encryption"] == "aws:kms"
        assert sent.headers["x-amz-server-side-encryption-aws-kms-key-id"] == "alias/registry"


# Compare-and-swap


def test_a_win_whose_answer_was_lost_is_a_win(relay: Relay, relayed: S3Store) -> None:
    relay.lose("PUT")
    token = relayed.replace("head", b"1", expected=None)
    assert len(relay.those("PUT")) == 2
    assert relayed.get_with_token("head") == (b"1", token)
    relay.lose("PUT")
    token = relayed.replace("head", b"2", expected=token)
    assert relayed.get_with_token("head") == (b"2", token)


def test_the_same_bytes_of_another_writer_are_no_win_of_ours(relay: Relay, relayed: S3Store, store: S3Store) -> None:
    store.replace("head", b"1", expected=None)
    with pytest.raises(PublishConflict):
        relayed.replace("head", b"1", expected=None)
    _, token = store.get_with_token("head")
    relay.lose("PUT", then=lambda: store.put("head", b"2"))
    with pytest.raises(PublishConflict, match='"head" was changed'):
        relayed.replace("head", b"2", expected=token)


@pytest.mark.parametrize("code", ["ConditionalRequestConflict", "OperationAborted"])
def test_a_write_that_ran_into_another_is_a_conflict(relay: Relay, relayed: S3Store, code: str) -> None:
    relay.answer("PUT", 409, error(code))
    with pytest.raises(PublishConflict):
        relayed.replace("head", b"1", expected=None)


def count_up_in_a_process(address: StoreAddress, rounds: int) -> None:
    count_up(open_store(address), rounds)


def test_no_update_is_lost_between_processes(address: StoreAddress, store: S3Store) -> None:
    store.put("count", b"0")
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=count_up_in_a_process, args=(address, 30)) for _ in range(3)]
    for process in processes:
        process.start()
    count_up(store, 30)
    for process in processes:
        process.join()
        assert process.exitcode == 0
        process.close()
    assert int(store.get("count")) == 120


# Removing


def test_what_is_written_between_the_look_and_the_removal_stays(relay: Relay, relayed: S3Store, store: S3Store) -> None:
    store.put("a", b"1")
    seen = store.stat("a")
    relay.delay("HEAD", then=lambda: store.put("a", b"2"))
    assert relayed.delete("a", seen=seen) is False
    assert [sent.headers["if-match"] for sent in relay.those("DELETE")] == [f'"{md5(b"1").hexdigest()}"']
    assert store.get("a") == b"2"


def test_a_server_without_conditional_removal_removes_after_the_look(relay: Relay, relayed: S3Store) -> None:
    relayed.put("a", b"1")
    relay.answer("DELETE", 501, error("NotImplemented"))
    assert relayed.delete("a", seen=relayed.stat("a")) is True
    assert ["if-match" in sent.headers for sent in relay.those("DELETE")] == [True, False]
    assert list(relayed.keys("")) == []


# Reading over bad lines


def test_a_download_goes_on_where_the_connection_broke(relay: Relay, relayed: S3Store) -> None:
    data = bytes(range(256)) * (CHUNK // 64)
    relayed.put("a", data)
    relay.cut("GET", after=CHUNK + 7)
    assert b"".join(relayed.chunks("a")) == data
    relay.cut("GET", after=5, times=2)
    assert b"".join(relayed.chunks("a", 10, 2 * CHUNK)) == data[10 : 10 + 2 * CHUNK]
    relay.cut("GET", after=CHUNK)
    assert relayed.get("a") == data
    first, second, *_ = relay.those("GET")
    assert "range" not in first.headers
    assert second.headers["range"].endswith(f"-{len(data) - 1}")
    assert second.headers["if-match"].strip('"')


def test_a_download_that_breaks_again_and_again_is_given_up(relay: Relay, relayed: S3Store) -> None:
    relayed.put("a", b"x" * CHUNK)
    relay.cut("GET", after=0, times=9)
    with pytest.raises(StorageError, match="broke in the middle of an answer"):
        relayed.get("a")
    assert len(relay.those("GET")) == 6


@pytest.mark.parametrize("change", [lambda store: store.put("a", b"2" * CHUNK), lambda store: store.delete("a")])
def test_a_download_is_never_mended_with_other_bytes(
    relay: Relay, relayed: S3Store, store: S3Store, change: Callable[[S3Store], None]
) -> None:
    store.put("a", b"1" * CHUNK)
    relay.cut("GET", after=10, then=lambda: change(store))
    with pytest.raises(StorageError, match='"a" was replaced or deleted while it was read') as caught:
        b"".join(relayed.chunks("a"))
    assert not isinstance(caught.value, (KeyMissing, PublishConflict))


def test_a_server_that_ignores_ranges_is_found_out(relay: Relay, relayed: S3Store) -> None:
    relay.answer("GET", 200, "whole")
    with pytest.raises(StorageError, match='ignored the range that was asked of "a"'):
        relayed.chunks("a", 1)


def test_a_dropped_download_lets_go(store: S3Store) -> None:
    store.put("a", b"x" * 20 * CHUNK)
    download = store.chunks("a")
    next(download)
    body = download._body
    del download
    assert body._raw_stream.closed


# Failures


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (403, "AccessDenied", r'denies GetObject for "a": allow s3:GetObject and s3:ListBucket'),
        (404, "NoSuchBucket", r"there is no bucket .* at http://.*: create it"),
        (400, "ExpiredToken", r"have expired \(ExpiredToken\): renew them"),
        (403, "InvalidAccessKeyId", r"are not valid at http://.* \(InvalidAccessKeyId\): check the access key"),
        (403, "SignatureDoesNotMatch", "are not valid at"),
        (301, "PermanentRedirect", 'lies in another region: write "region=eu-west-1"'),
        (403, "RequestTimeTooSkewed", "set the clock"),
        (400, "KMS.DisabledException", r"can't use its encryption key \(KMS.DisabledException\)"),
        (418, "Teapot", r'refused GetObject for "a": Teapot \(HTTP status 418\)'),
        (418, "\x1b\n", r'refused GetObject for "a": 418 \(HTTP status 418\)'),
    ],
)
def test_a_refusal_says_what_to_do(relay: Relay, relayed: S3Store, status: int, code: str, message: str) -> None:
    relay.answer("GET", status, error(code, f"You sent {SECRET}."), times=3)
    relay.answer("HEAD", status, "", times=3)
    with pytest.raises(StorageError, match=message) as caught:
        relayed.get("a")
    assert not isinstance(caught.value, (KeyMissing, PublishConflict))
    assert SECRET not in str(caught.value)


def test_a_key_that_may_not_be_used_is_told(relay: Relay, relayed: S3Store) -> None:
    relay.answer("PUT", 403, error("AccessDenied", "not authorized to perform: kms:GenerateDataKey"))
    with pytest.raises(StorageError, match="allow kms:GenerateDataKey and kms:Decrypt"):
        relayed.put("a", b"")


def test_a_busy_server_is_asked_again(relay: Relay, relayed: S3Store) -> None:
    relayed.put("a", b"1")
    relay.answer("GET", 503, error("SlowDown"), times=2)
    assert relayed.get("a") == b"1"
    relay.answer("GET", 503, error("SlowDown"), times=3)
    with pytest.raises(StorageError, match=r"busy or out of order \(SlowDown\)"):
        relayed.get("a")


def test_a_missing_bucket_is_never_a_missing_key(address: StoreAddress) -> None:
    reader = open_store(replace(address, place="never-made"))
    message = 'there is no bucket "never-made"'
    for read in (reader.get, reader.size, reader.stat, reader.chunks, reader.delete, lambda _: list(reader.keys(""))):
        with pytest.raises(StorageError, match=message) as caught:
            read("a")
        assert not isinstance(caught.value, KeyMissing)
    for data in (b"", b"x" * (PART + 1)):
        with pytest.raises(StorageError, match=message):
            reader.put("a", data)


def test_an_endpoint_that_nobody_listens_at_is_told(address: StoreAddress) -> None:
    store = open_store(with_options(address, endpoint="http://127.0.0.1:1"))
    with pytest.raises(StorageError, match=r"http://127.0.0.1:1 can't be reached: check the store's address"):
        store.get("a")


@pytest.mark.parametrize(
    ("cause", "message"),
    [
        (exceptions.ReadTimeoutError(endpoint_url=""), "did not answer in time"),
        (exceptions.SSLError(endpoint_url="", error=OSError()), "the certificate of http://.* is not valid for it"),
        (
            exceptions.CredentialRetrievalError(provider="p", error_msg=SECRET),
            "can't be fetched: set AWS_ACCESS_KEY_ID",
        ),
        (exceptions.TokenRetrievalError(provider="p", error_msg=SECRET), "can't be used: TokenRetrievalError"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_the_library_raises_is_told_without_its_words(store: S3Store, cause: Exception, message: str) -> None:
    with pytest.raises(StorageError, match=message) as caught, store._bucket.explained("a"):
        raise cause
    assert SECRET not in str(caught.value)


def test_a_server_that_is_no_store_is_told(relay: Relay, relayed: S3Store) -> None:
    relay.answer("GET", 200, "<html><p>Please log in.</html>", times=20)
    relay.answer("HEAD", 200, "")
    for read in (relayed.get, relayed.stat):
        with pytest.raises(StorageError, match=f"what {relay.url} answered is not S3"):
            read("a")
    # The library takes a list that it can't read for a fault of the server.
    with pytest.raises(StorageError, match="out of order"):
        list(relayed.keys(""))


# Credentials


@pytest.mark.parametrize(
    "variables",
    [{}, {"AWS_ACCESS_KEY_ID": "AKIA"}, {"AWS_PROFILE": "nobody"}],
    ids=["none", "half", "no such profile"],
)
def test_missing_credentials_are_told_at_once(address: StoreAddress, variables: dict[str, str]) -> None:
    quiet = {name: CREDENTIALS[name] for name in CREDENTIALS if "KEY" not in name}
    with environment(**quiet, **variables), pytest.raises(ConfigError, match="set AWS_ACCESS_KEY_ID and"):
        S3Reader(address)


def test_amazon_needs_a_region() -> None:
    address = StoreAddress(scheme="s3", place="bucket")
    with environment(**CREDENTIALS), pytest.raises(ConfigError, match='"bucket" needs its region: write'):
        S3Reader(address)
    with environment(**CREDENTIALS, AWS_REGION="eu-central-1"):
        link = S3Reader(address).link("a", TERMS)
    assert link is not None
    assert link.startswith("https://bucket.s3.eu-central-1.amazonaws.com/a?")


def test_a_role_is_assumed_with_its_external_id(address: StoreAddress, relay: Relay) -> None:
    with environment(**CREDENTIALS, AWS_ENDPOINT_URL_STS=relay.url):
        store = S3Store(with_options(address, endpoint=relay.url, role_arn=ROLE, external_id="registry-7"))
    assert relay.passed == []
    store.put("a", b"1")
    asked, sent = relay.passed
    form = parse_qs(asked.body.decode())
    assert [form[name] for name in ("Action", "RoleArn", "ExternalId")] == [["AssumeRole"], [ROLE], ["registry-7"]]
    assert CREDENTIALS["AWS_ACCESS_KEY_ID"] in asked.headers["authorization"]
    assert CREDENTIALS["AWS_ACCESS_KEY_ID"] not in sent.headers["authorization"]
    assert sent.headers["x-amz-security-token"]


def assumed(minutes: int) -> str:
    end = (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()
    return (
        "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId>"
        f"<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>{end}</Expiration>"
        "</Credentials></AssumeRoleResult></AssumeRoleResponse>"
    )


def test_a_role_is_assumed_again_before_it_expires(address: StoreAddress, relay: Relay) -> None:
    with environment(**CREDENTIALS, AWS_ENDPOINT_URL_STS=relay.url):
        store = S3Store(with_options(address, endpoint=relay.url, role_arn=ROLE))
    for minutes in (5, 60):
        relay.answer("POST", 200, assumed(minutes))
    for _ in range(3):
        store.put("a", b"1")
    assert len(relay.those("POST")) == 2


def test_a_role_that_may_not_be_assumed_is_told(address: StoreAddress, relay: Relay) -> None:
    with environment(**CREDENTIALS, AWS_ENDPOINT_URL_STS=relay.url):
        store = S3Store(with_options(address, role_arn=ROLE, external_id="registry-7"))
    relay.answer("POST", 403, f"<ErrorResponse>{error('AccessDenied')}</ErrorResponse>")
    with pytest.raises(StorageError, match=f'the role "{ROLE}" can\'t be assumed .AccessDenied.: its trust policy'):
        store.get("a")


def test_a_web_identity_is_enough(address: StoreAddress, relay: Relay, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("the-token-of-the-pod")
    quiet = {name: CREDENTIALS[name] for name in CREDENTIALS if "KEY" not in name}
    identity = {"AWS_WEB_IDENTITY_TOKEN_FILE": str(token), "AWS_ROLE_ARN": ROLE, "AWS_DEFAULT_REGION": "us-east-1"}
    with environment(**quiet, **identity, AWS_ENDPOINT_URL_STS=relay.url):
        store = S3Store(address)
        store.put("a", b"1")
        assert store.get("a") == b"1"
    (asked,) = relay.passed
    form = parse_qs(asked.body.decode())
    assert form["Action"] == ["AssumeRoleWithWebIdentity"]
    assert form["WebIdentityToken"] == ["the-token-of-the-pod"]


def test_a_token_that_is_not_there_is_told(address: StoreAddress, tmp_path: Path) -> None:
    quiet = {name: CREDENTIALS[name] for name in CREDENTIALS if "KEY" not in name}
    identity = {"AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"), "AWS_ROLE_ARN": ROLE}
    with environment(**quiet, **identity), pytest.raises(StorageError, match=r'/token" can\'t be read for credentials'):
        S3Store(address).get("a")


# Where it lies


def test_an_endpoint_is_asked_by_path_unless_told_otherwise(address: StoreAddress, relay: Relay) -> None:
    open_store(with_options(address, endpoint=relay.url)).put("a", b"")
    assert relay.those("PUT")[0].path == f"/{address.place}/a/prefix/a"
    hosts = with_options(address, endpoint="https://storage.example.com", path_style="false")
    link = open_store(hosts).link("a", TERMS)
    assert link is not None
    assert link.startswith(f"https://{address.place}.storage.example.com/a/prefix/a?")


# Links


def test_a_link_gives_the_bytes_with_the_promised_headers(store: S3Store) -> None:
    store.put("blobs/a", b"zip")
    link = store.link("blobs/a", TERMS)
    assert link is not None
    answer = httpx.get(link)
    assert answer.content == b"zip"
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="a_module-1.0.0.zip"'
    query = parse_qs(urlsplit(link).query)
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-Expires"] == ["300"]
    assert SECRET not in link


def test_a_link_asks_nobody_and_lasts_a_week_at_most(relay: Relay, relayed: S3Store) -> None:
    link = relayed.link("absent", replace(TERMS, lifetime=timedelta(days=30)))
    assert link is not None
    assert parse_qs(urlsplit(link).query)["X-Amz-Expires"] == ["604800"]
    assert relay.passed == []


def test_a_link_names_the_host_that_clients_know(address: StoreAddress, relay: Relay) -> None:
    store = open_store(with_options(address, public_endpoint=relay.url))
    store.put("a", b"1")
    link = store.link("a", TERMS)
    assert link is not None
    assert link.startswith(f"{relay.url}/{address.place}/a/prefix/a?")
    assert httpx.get(link).content == b"1"
    assert [sent.method for sent in relay.passed] == ["GET"]


def test_a_reader_can_not_write() -> None:
    assert not {"put", "replace", "delete"} & set(dir(S3Reader))
