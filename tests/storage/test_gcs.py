"""What only Google Cloud Storage can get wrong: uploads in parts, lost answers, tokens and signatures.

Through a proxy the last part of these talks to Google's real host names, with their TLS, and meets `gcs_server`.
"""

import gc
import multiprocessing
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from itertools import repeat
from pathlib import Path

import httpx
import pytest

from gitopsreg.errors import ConfigError, KeyMissing, StorageError
from gitopsreg.storage.address import StoreAddress
from gitopsreg.storage.base import CHUNK, LinkTerms, Token
from gitopsreg.storage.gcs import GcsReader, GcsStore
from gitopsreg.storage.gcs_transfer import PART
from tests.storage import gcs_server
from tests.storage.gcs_identity import ACCOUNT, Identity
from tests.storage.gcs_objects import QUANTUM, Bucket, Fault
from tests.storage.test_contract import count_up

TERMS = LinkTerms(lifetime=timedelta(minutes=5), filename="a b.zip", content_type="application/zip")
MEDIA = "alt=media"
PARTS = 3


@pytest.fixture(autouse=True)
def identity(monkeypatch: pytest.MonkeyPatch) -> Identity:
    """Nobody, until a test says who."""
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "STORAGE_EMULATOR_HOST", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("CLOUDSDK_CONFIG", "/nonexistent")
    gcs_server.server().identity = made = Identity()
    return made


@pytest.fixture
def bucket() -> Bucket:
    return gcs_server.server().bucket()


@pytest.fixture
def store(bucket: Bucket) -> GcsStore:
    return GcsStore(gcs_server.address(bucket))


def large(count: int = PARTS) -> Iterator[bytes]:
    """Parts and a bit, in pieces that end elsewhere than parts do."""
    left = count * PART + 12_345
    for number in range(left // 1_000_000 + 1):
        yield bytes([number]) * min(1_000_000, left - number * 1_000_000)


WHOLE = b"".join(large())


def asked(bucket: Bucket, method: str) -> list[str]:
    return [line for line in bucket.requests if line.startswith(method)]


# Writing


def test_a_small_value_is_one_request(bucket: Bucket, store: GcsStore) -> None:
    store.put("a", iter([b"one", b"two"]))
    assert len(bucket.requests) == 1
    assert bucket.objects["a/prefix/a"].data == b"onetwo"
    assert bucket.objects["a/prefix/a"].about["contentType"] == "application/octet-stream"


@pytest.mark.parametrize("size", [PART, PART + 1, 2 * PART, 2 * PART + 1])
def test_the_last_part_is_never_lost(bucket: Bucket, store: GcsStore, size: int) -> None:
    store.put("a", b"x" * size)
    assert bucket.objects["a/prefix/a"].data == b"x" * size
    assert len(asked(bucket, "PUT")) == (0 if size == PART else -(-size // PART))


def test_nothing_of_a_large_value_is_seen_before_its_end(bucket: Bucket, store: GcsStore) -> None:
    seen = []

    def watched() -> Iterator[bytes]:
        for piece in large():
            seen.append(len(asked(bucket, "PUT")))
            assert bucket.objects == {}
            yield piece

    store.put("a", watched())
    assert seen[-1] == PARTS - 1
    assert store.get("a") == WHOLE


@pytest.mark.parametrize("error", [OSError("source"), KeyboardInterrupt()])
def test_an_upload_whose_source_fails_is_cancelled(bucket: Bucket, store: GcsStore, error: BaseException) -> None:
    def failing() -> Iterator[bytes]:
        yield from large()
        raise error

    with pytest.raises(type(error)) as caught:
        store.put("a", failing())
    assert caught.value is error
    assert bucket.sessions == {}
    assert len(asked(bucket, "DELETE /upload/")) == 1


def test_a_session_that_can_not_be_cancelled_hides_no_error(bucket: Bucket, store: GcsStore) -> None:
    def failing() -> Iterator[bytes]:
        yield from large()
        bucket.faults.append(Fault(request="DELETE", how="status", after=503))
        raise ValueError("source")

    with pytest.raises(ValueError, match="source"):
        store.put("a", failing())


@pytest.mark.parametrize("kept", [0, QUANTUM - 1, 3 * QUANTUM + 1, PART - 1])
@pytest.mark.parametrize("part", ["bytes 0-", "last"])
def test_an_upload_goes_on_where_the_connection_broke(bucket: Bucket, store: GcsStore, kept: int, part: str) -> None:
    def breaking() -> Iterator[bytes]:
        for number, piece in enumerate(large()):
            if number == (0 if part == "bytes 0-" else 20):
                bucket.faults.append(Fault(request="PUT", how="cut", after=kept))
            yield piece

    store.put("a", breaking())
    assert bucket.faults == []
    assert len(asked(bucket, "PUT")) == PARTS + 3
    assert store.get("a") == WHOLE


@pytest.mark.parametrize("how", ["lost", "status"])
@pytest.mark.parametrize("number", [0, -1])
def test_an_upload_whose_answer_is_lost_or_bad_goes_on(bucket: Bucket, store: GcsStore, how: str, number: int) -> None:
    def breaking() -> Iterator[bytes]:
        pieces = list(large())
        for at, piece in enumerate(pieces):
            if at == number % len(pieces):
                bucket.faults.append(Fault(request="PUT", how=how, after=503))
            yield piece

    store.put("a", breaking())
    assert bucket.faults == []
    assert store.get("a") == WHOLE


def test_an_upload_that_does_not_advance_ends(bucket: Bucket) -> None:
    store, hasty = GcsStore(gcs_server.address(bucket)), GcsStore(gcs_server.address(bucket), patience=0.1)
    bucket.faults.append(Fault(request="PUT", how="stuck"))
    store.put("a", large())
    assert store.get("a") == WHOLE
    bucket.faults += repeat(Fault(request="PUT", how="stuck"), 1000)
    with pytest.raises(StorageError, match="could not be written"):
        hasty.put("a", large())
    assert len(asked(bucket, "DELETE /upload/")) == 1
    assert store.get("a") == WHOLE


def test_an_upload_that_the_service_has_ended_is_no_missing_key(bucket: Bucket, store: GcsStore) -> None:
    def forgotten() -> Iterator[bytes]:
        for piece in large():
            yield piece
            bucket.sessions.clear()

    with pytest.raises(StorageError, match="put the value again") as caught:
        store.put("a", forgotten())
    assert not isinstance(caught.value, KeyMissing)


@pytest.mark.parametrize("request_", ["uploadType=multipart", "PUT"])
def test_what_is_damaged_on_the_way_is_not_stored(bucket: Bucket, store: GcsStore, request_: str) -> None:
    bucket.faults.append(Fault(request=request_, how="damaged"))
    with pytest.raises(StorageError, match="answered 400"):
        store.put("a", large() if request_ == "PUT" else b"data" * 1000)
    assert bucket.objects == {}


# Conditional writes


@pytest.mark.parametrize("first", [True, False])
def test_a_write_whose_answer_was_lost_knows_itself(bucket: Bucket, store: GcsStore, first: bool) -> None:
    before = None if first else store.replace("head", b"1", expected=None)
    bucket.faults.append(Fault(request="POST", how="lost"))
    token = store.replace("head", b"2", expected=before)
    assert bucket.faults == []
    assert store.get_with_token("head") == (b"2", token)


def test_a_deletion_whose_answer_was_lost_is_done(bucket: Bucket, store: GcsStore) -> None:
    store.put("a", b"a")
    bucket.faults.append(Fault(request="DELETE", how="lost"))
    store.delete("a", seen=store.stat("a"))
    assert bucket.objects == {}


@pytest.mark.parametrize("state", ["0", "-1", "1e3", "²", "9" * 30, ""])
def test_a_state_of_another_store_matches_nothing(store: GcsStore, state: str) -> None:
    with pytest.raises(StorageError, match="another writer"):
        store.replace("head", b"1", expected=Token(state))
    assert list(store.keys("")) == []


def count_in_a_process(bucket: str, endpoint: str) -> None:
    options = {"endpoint": endpoint}
    count_up(GcsStore(StoreAddress(scheme="gs", place=bucket, prefix="a/prefix", options=options)), 15)


def test_no_update_of_several_processes_is_lost(bucket: Bucket, store: GcsStore) -> None:
    store.put("count", b"0")
    context = multiprocessing.get_context("spawn")
    arguments = (bucket.name, gcs_server.server().url)
    processes = [context.Process(target=count_in_a_process, args=arguments) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert int(store.get("count")) == 45


# Reading


def test_a_read_goes_on_where_the_connection_broke(bucket: Bucket, store: GcsStore) -> None:
    store.put("a", WHOLE)
    bucket.faults += [Fault(request=MEDIA, how="cut", after=3 * CHUNK + 7), Fault(request=MEDIA, how="cut", after=1)]
    assert b"".join(store.chunks("a")) == WHOLE
    bucket.faults.append(Fault(request=MEDIA, how="cut", after=3 * CHUNK + 7))
    assert b"".join(store.chunks("a", 5, 5 * CHUNK)) == WHOLE[5 : 5 + 5 * CHUNK]
    bucket.faults.append(Fault(request=MEDIA, how="cut", after=CHUNK))
    assert store.get("a") == WHOLE
    assert bucket.faults == []


def test_a_value_replaced_while_its_connection_broke_is_never_mixed(bucket: Bucket, store: GcsStore) -> None:
    store.put("a", b"1" * 3 * CHUNK)
    bucket.faults.append(Fault(request=MEDIA, how="cut", after=CHUNK + 1))
    pieces = store.chunks("a")
    store.put("a", b"2" * 3 * CHUNK)
    with pytest.raises(StorageError, match="replaced while it was read") as caught:
        list(pieces)
    assert not isinstance(caught.value, KeyMissing)


def test_a_read_that_always_breaks_ends(bucket: Bucket, store: GcsStore) -> None:
    store.put("a", b"1" * 3 * CHUNK)
    bucket.faults += repeat(Fault(request=MEDIA, how="cut", after=1), 20)
    with pytest.raises(StorageError, match="could not be read"):
        list(store.chunks("a"))
    assert bucket.faults


def test_what_was_damaged_on_the_way_is_told(bucket: Bucket, store: GcsStore) -> None:
    store.put("a", b"1" * CHUNK)
    for read in (store.get, lambda key: list(store.chunks(key))):
        bucket.faults.append(Fault(request=MEDIA, how="damaged"))
        with pytest.raises(StorageError, match="damaged"):
            read("a")
    assert store.get("a") == b"1" * CHUNK


def test_a_read_that_is_dropped_lets_go_of_its_connection(store: GcsStore) -> None:
    store.put("a", b"x" * 20 * CHUNK)
    for _ in range(80):  # more than there are connections
        next(store.chunks("a"))
    gc.collect()
    assert store.get("a") == b"x" * 20 * CHUNK


def test_a_read_that_was_closed_has_ended(store: GcsStore) -> None:
    store.put("a", b"x" * 3 * CHUNK)
    pieces = store.chunks("a")
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]  # who reads in the background asks whether it can
    assert list(pieces) == []


def test_a_listing_asks_for_a_page_when_it_comes_to_it(bucket: Bucket, store: GcsStore) -> None:
    for number in range(7):
        store.put(f"k{number}", b"")
    bucket.requests.clear()
    found = store.keys("")
    assert bucket.requests == []
    assert next(found) == "k0"
    assert len(bucket.requests) == 1
    assert list(found) == [f"k{number}" for number in range(1, 7)]
    assert len(bucket.requests) == 3


def test_what_others_keep_in_the_bucket_is_not_ours(bucket: Bucket, store: GcsStore) -> None:
    for name in ("a/prefix/folder/", "a/prefix/a b", "a/prefix-2/a", "other"):
        bucket.insert(name, b"", {}, {})
    store.put("a", b"")
    assert list(store.keys("")) == ["a"]
    top = GcsReader(gcs_server.address(bucket, prefix=""))
    assert list(top.keys("")) == ["a/prefix-2/a", "a/prefix/a", "other"]


# Messages


def every_call(store: GcsStore) -> dict[str, Callable[[], object]]:
    return {
        "get": lambda: store.get("key"),
        "get_with_token": lambda: store.get_with_token("key"),
        "stat": lambda: store.stat("key"),
        "chunks": lambda: store.chunks("key"),
        "no bytes": lambda: store.chunks("key", 0, 0),
        "keys": lambda: list(store.keys("")),
        "put": lambda: store.put("key", b"data"),
        "large put": lambda: store.put("key", large(1)),
        "replace": lambda: store.replace("key", b"data", expected=None),
        "replace ours": lambda: store.replace("key", b"data", expected=Token("7")),
        "delete": lambda: store.delete("key"),
    }


CALLS = [*every_call(GcsStore.__new__(GcsStore))]


@pytest.mark.parametrize("call", CALLS)
def test_a_missing_bucket_is_no_missing_key(call: str) -> None:
    store = GcsStore(gcs_server.address(Bucket("no-such-bucket")))
    with pytest.raises(StorageError, match='the bucket "no-such-bucket" does not exist: create it') as caught:
        every_call(store)[call]()
    assert not isinstance(caught.value, KeyMissing)


@pytest.mark.parametrize("call", CALLS)
def test_a_denied_call_names_the_role(bucket: Bucket, store: GcsStore, call: str) -> None:
    bucket.denied = True
    with pytest.raises(StorageError, match=r'"gs://bucket-\d+/a/prefix/.*" could not be .*roles/storage.objectUser'):
        every_call(store)[call]()


def test_a_reader_needs_a_smaller_role(bucket: Bucket) -> None:
    bucket.denied = True
    with pytest.raises(StorageError, match="objectViewer"):
        GcsReader(gcs_server.address(bucket)).get("a")


@pytest.mark.parametrize("call", CALLS)
def test_a_bucket_that_wants_credentials_says_so(bucket: Bucket, store: GcsStore, call: str) -> None:
    bucket.private = True
    with pytest.raises(StorageError, match="wants credentials"):
        every_call(store)[call]()


@pytest.mark.parametrize("call", CALLS)
def test_a_service_that_can_not_be_reached_is_named(call: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        endpoint = f"http://127.0.0.1:{closed.getsockname()[1]}"
    address = StoreAddress(scheme="gs", place="bucket", options={"endpoint": endpoint})
    with pytest.raises(StorageError, match=f"{endpoint} can't be reached"):
        every_call(GcsStore(address, patience=0.1))[call]()


@pytest.mark.parametrize("call", CALLS)
def test_a_service_out_of_order_is_told_by_its_status(bucket: Bucket, call: str) -> None:
    bucket.faults += repeat(Fault(request="", how="status", after=503), 1000)
    with pytest.raises(StorageError, match="answered 503"):
        every_call(GcsStore(gcs_server.address(bucket), patience=0.1))[call]()


def test_a_busy_object_is_tried_again(bucket: Bucket, store: GcsStore) -> None:
    bucket.faults += [Fault(request="POST", how="status", after=429)] * 2
    store.put("a", b"a")
    assert store.get("a") == b"a"


def test_an_emulator_that_says_only_not_found_is_asked_for_its_bucket(bucket: Bucket, store: GcsStore) -> None:
    bucket.terse = True
    for read in (store.get, store.stat, store.chunks):
        with pytest.raises(KeyMissing):
            read("absent")
    assert store.delete("absent") is False
    bucket.faults.append(Fault(request="maxResults=1", how="status", after=403))
    with pytest.raises(StorageError, match="access denied") as caught:
        store.get("absent")
    assert not isinstance(caught.value, KeyMissing)


@pytest.mark.parametrize("scheme", ["http://", ""])
def test_the_variable_of_googles_tools_names_an_emulator(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", scheme + gcs_server.server().url.removeprefix("http://"))
    store = GcsStore(StoreAddress.parse(f"gs://{bucket.name}"))
    store.put("a", b"data")
    assert bucket.objects["a"].data == store.get("a") == b"data"


def test_a_reader_has_no_way_to_write(bucket: Bucket) -> None:
    assert not {"put", "replace", "delete"} & set(dir(GcsReader(gcs_server.address(bucket))))


def test_the_project_pays(bucket: Bucket) -> None:
    options = {"endpoint": gcs_server.server().url, "project": "payer"}
    store = GcsStore(StoreAddress(scheme="gs", place=bucket.name, options=options))
    store.put("a", large(1))
    assert b"".join(store.chunks("a")) == store.get("a")
    assert store.stat("a") == next(store.listing(""))
    store.delete("a")
    assert all("userProject=payer" in line or line.startswith("PUT") for line in bucket.requests)


def test_a_missing_library_is_named_with_its_extra() -> None:
    code = (
        "import sys; sys.modules['google.cloud'] = None\n"
        "from gitopsreg.errors import ConfigError\n"
        "from gitopsreg.wiring.stores import store_at\n"
        "try: store_at('gs://bucket')\n"
        "except ConfigError as error: print(error)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "pip install gitopsreg[gcs]" in shown


def test_missing_credentials_are_a_setting() -> None:
    with pytest.raises(ConfigError, match="no Google credentials were found: set GOOGLE_APPLICATION_CREDENTIALS"):
        GcsStore(StoreAddress.parse("gs://bucket"))


@pytest.mark.parametrize("content", ["{}", "no json", '{"type": "service_account", "private_key": "s3cret"}', None])
def test_bad_credentials_are_named_and_not_shown(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "key.json"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    with pytest.raises(ConfigError, match=r'the credentials in ".*key.json" can\'t be used') as caught:
        GcsStore(StoreAddress.parse("gs://bucket"))
    assert "s3cret" not in str(caught.value)


# Links


@pytest.fixture
def key_file(identity: Identity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = identity.key_file(tmp_path)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    return file


def test_without_a_key_there_are_no_links(store: GcsStore) -> None:
    assert store.link("a", TERMS) is None


def test_a_link_brings_the_value_with_the_promised_headers(key_file: Path, bucket: Bucket) -> None:
    store = GcsStore(gcs_server.address(bucket))
    link = store.link("blobs/a+b", TERMS)
    assert link is not None
    assert httpx.get(link).status_code == 404  # nothing was looked up
    store.put("blobs/a+b", b"data")  # over plain http the server refuses tokens: none is sent
    answer = httpx.get(link)
    assert (answer.status_code, answer.content) == (200, b"data")
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="a_b.zip"'
    part = httpx.get(link, headers={"Range": "bytes=1-2"})
    assert (part.status_code, part.content) == (206, b"at")


def test_a_link_is_for_one_key_and_one_time(key_file: Path, bucket: Bucket) -> None:
    store = GcsStore(gcs_server.address(bucket))
    for key in "ab":
        store.put(key, key.encode())
    link = str(store.link("a", TERMS))
    assert httpx.get(link.replace("/a?", "/b?")).status_code == 403
    assert httpx.get(link.replace("Expires=300", "Expires=301")).status_code == 403
    bucket.ahead = 290
    assert httpx.get(link).content == b"a"
    bucket.ahead = 310
    assert httpx.get(link).status_code == 400


def test_no_link_outlives_a_week(key_file: Path, bucket: Bucket) -> None:
    store = GcsStore(gcs_server.address(bucket))
    store.put("a", b"a")
    terms = LinkTerms(lifetime=timedelta(days=30), filename="a", content_type="a/b")
    assert httpx.get(str(store.link("a", terms))).content == b"a"


# With tokens, at the real host names


@pytest.fixture
def google(identity: Identity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], httpx.Response]:
    """Google's hosts lead to the server, and its authority is trusted. Returns a client that goes the same way."""
    authority = tmp_path / "authority.pem"
    identity.authority.cert_pem.write_to_path(str(authority))
    proxy = gcs_server.server().url
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority))
    trusting = ssl.create_default_context(cafile=str(authority))
    return lambda url: httpx.get(url, proxy=proxy, verify=trusting)


def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """For processes that are started from now on: the library reads these once."""
    monkeypatch.delenv("NO_GCE_CHECK")
    host = gcs_server.server().url.removeprefix("http://")
    monkeypatch.setenv("GCE_METADATA_HOST", host)
    monkeypatch.setenv("GCE_METADATA_IP", host)


def elsewhere(deed: Callable[[str], str | None], url: str) -> str | None:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(deed, url).result()


def use_and_link(url: str) -> str | None:
    store = GcsStore(StoreAddress.parse(url))
    use(store)
    return store.link("a", TERMS)


def link(url: str) -> str | None:
    return GcsReader(StoreAddress.parse(url)).link("a", TERMS)


def use(store: GcsStore) -> None:
    store.put("a", b"small")
    store.put("a/b", large(1))
    assert store.get("a") == b"small"
    assert b"".join(store.chunks("a/b")) == b"".join(large(1))
    assert list(store.keys("")) == ["a", "a/b"]
    assert store.delete("a/b") is True


def test_a_key_opens_a_private_bucket_and_signs_links(
    key_file: Path, google: Callable[[str], httpx.Response], bucket: Bucket, identity: Identity
) -> None:
    bucket.private = True
    store = GcsStore(StoreAddress.parse(f"gs://{bucket.name}/prefix"))
    use(store)
    link = str(store.link("a", TERMS))
    assert link.startswith(f"https://storage.googleapis.com/{bucket.name}/prefix/a?")
    assert google(link).content == b"small"
    assert not any("signBlob" in line for line in identity.asked)


def test_a_workload_identity_opens_a_private_bucket_and_lets_iam_sign(
    google: Callable[[str], httpx.Response], bucket: Bucket, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(monkeypatch)
    bucket.private = True
    assert google(str(elsewhere(use_and_link, f"gs://{bucket.name}/prefix"))).content == b"small"
    assert f"POST /v1/projects/-/serviceAccounts/{ACCOUNT}:signBlob" in identity.asked


def test_an_account_that_may_not_sign_is_told_what_it_needs(
    google: Callable[[str], httpx.Response], bucket: Bucket, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(monkeypatch)
    identity.may_sign = False
    with pytest.raises(StorageError, match=r"could not be signed.*roles/iam.serviceAccountTokenCreator") as caught:
        elsewhere(link, f"gs://{bucket.name}")
    assert not any(token in str(caught.value) for token in identity.tokens)


def test_a_workload_without_a_service_account_signs_no_links(
    google: Callable[[str], httpx.Response], bucket: Bucket, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(monkeypatch)
    identity.machine = "project.svc.id.goog"
    assert elsewhere(link, f"gs://{bucket.name}") is None


@pytest.mark.parametrize("call", CALLS)
def test_a_denied_account_is_named(
    key_file: Path, google: Callable[[str], httpx.Response], bucket: Bucket, call: str
) -> None:
    bucket.denied = True
    store = GcsStore(StoreAddress.parse(f"gs://{bucket.name}/prefix"))
    with pytest.raises(StorageError, match=f"grant {ACCOUNT} the role roles/storage.objectUser"):
        every_call(store)[call]()


@pytest.mark.parametrize("call", CALLS)
def test_a_key_that_was_revoked_is_told(
    key_file: Path, google: Callable[[str], httpx.Response], bucket: Bucket, identity: Identity, call: str
) -> None:
    store = GcsStore(StoreAddress.parse(f"gs://{bucket.name}/prefix"), patience=0.1)
    del identity.key  # the service knows another one from now on
    with pytest.raises(StorageError, match="no access token was given"):
        every_call(store)[call]()


@pytest.mark.parametrize("call", CALLS)
def test_a_token_that_is_refused_is_told_and_not_shown(
    key_file: Path, google: Callable[[str], httpx.Response], bucket: Bucket, identity: Identity, call: str
) -> None:
    store = GcsStore(StoreAddress.parse(f"gs://{bucket.name}/prefix"), patience=0.1)
    bucket.faults += repeat(Fault(request="", how="status", after=401), 1000)
    with pytest.raises(StorageError, match="credentials were refused") as caught:
        every_call(store)[call]()
    assert identity.tokens
    assert not any(token in str(caught.value) for token in identity.tokens)


def test_a_certificate_of_a_stranger_is_not_trusted(
    key_file: Path, google: Callable[[str], httpx.Response], bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    store = GcsStore(StoreAddress.parse(f"gs://{bucket.name}"), patience=0.1)
    with pytest.raises(StorageError, match=r"the certificate of https://oauth2\.googleapis\.com is not"):
        store.get("a")
