"""What only a container can get wrong: blocks, lost answers, leases, permissions, links."""

import base64
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from azure.storage.blob import ContainerSasPermissions, generate_container_sas

from gitopsreg.errors import ConfigError, KeyMissing, PublishConflict, StorageError
from gitopsreg.storage.address import StoreAddress
from gitopsreg.storage.azure import AzureReader, AzureStore
from gitopsreg.storage.azure_credentials import AccountKey, EntraId, SasToken, find_credential
from gitopsreg.storage.azure_failures import Refusal, explain
from gitopsreg.storage.azure_upload import BLOCK, in_blocks
from gitopsreg.storage.base import CHUNK, LinkTerms
from tests.storage import azure_server
from tests.storage.azure_server import ACCOUNT, KEY, WITH_KEY, azurite, new_address
from tests.storage.relay import Relay
from tests.storage.test_contract import count_up

TERMS = LinkTerms(lifetime=timedelta(minutes=5), filename="a module-1.0.0.zip", content_type="application/zip")
LARGE = bytes(range(256)) * (BLOCK // 100)  # three blocks


@pytest.fixture
def address() -> StoreAddress:
    return replace(new_address(), prefix="a/prefix")


@pytest.fixture
def store(address: StoreAddress) -> AzureStore:
    """Speaks to the server itself."""
    return AzureStore(address, environment=WITH_KEY)


@pytest.fixture
def relay() -> Iterator[Relay]:
    with Relay(azurite().endpoint).running() as running:
        yield running


@pytest.fixture
def relayed(address: StoreAddress, relay: Relay) -> AzureStore:
    """The same container, through the relay."""
    return AzureStore(with_options(address, endpoint=f"{relay.url}/{ACCOUNT}"), environment=WITH_KEY)


def with_options(address: StoreAddress, **options: str) -> StoreAddress:
    return replace(address, options={**address.options, **options})


def blocks(address: StoreAddress, key: str) -> tuple[int, int]:
    """How many are committed, and how many only staged."""
    with azure_server.container(address) as container:
        committed, staged = container.get_blob_client(f"{address.prefix}/{key}").get_block_list("all")
    return len(committed), len(staged)


def sas_token(address: StoreAddress, permissions: str = "racwdl", lifetime: timedelta = timedelta(hours=1)) -> str:
    return generate_container_sas(
        ACCOUNT,
        address.place.partition("/")[2],
        account_key=KEY,
        permission=ContainerSasPermissions.from_string(permissions),
        expiry=datetime.now(UTC) + lifetime,
    )


# Keys and listings


def test_only_legal_keys_below_the_prefix_are_ours(address: StoreAddress, store: AzureStore) -> None:
    with azure_server.container(address) as container:
        for name in ("a/prefix/a b", "a/prefix//x", "a/prefix/x/", "a/prefixed", "b"):
            container.upload_blob(name, b"")
    store.put("mine", b"")
    assert list(store.keys("")) == ["mine"]


def test_without_a_prefix_keys_are_the_names_of_blobs() -> None:
    address = new_address()
    AzureStore(address, environment=WITH_KEY).put("blobs/a", b"data")
    with azure_server.container(address) as container:
        assert container.download_blob("blobs/a").readall() == b"data"


def test_a_listing_goes_on_after_the_first_page(relay: Relay, relayed: AzureStore) -> None:
    names = [f"blobs/{number:04}" for number in range(1003)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: relayed.put(name, b""), names))
    keys = relayed.keys("blobs/")
    assert next(keys) == "blobs/0000"
    assert len(relay.those("GET", "comp=list")) == 1
    assert list(keys) == names[1:]
    assert len(relay.those("GET", "comp=list")) == 2


# Writing


def test_values_up_to_one_block_are_one_request(address: StoreAddress, relay: Relay, relayed: AzureStore) -> None:
    relayed.put("a", iter([b"x" * (BLOCK - 1), b"x"]))
    assert [sent.method for sent in relay.passed] == ["PUT"]
    assert blocks(address, "a") == (0, 0)


def test_larger_values_are_written_in_blocks(address: StoreAddress, store: AzureStore) -> None:
    store.put("a", (LARGE[at : at + CHUNK + 1] for at in range(0, len(LARGE), CHUNK + 1)))
    store.put("b", LARGE)
    for key in ("a", "b"):
        assert blocks(address, key) == (3, 0)
        assert store.get(key) == LARGE
        assert b"".join(store.chunks(key)) == LARGE


def test_one_block_is_held_at_a_time() -> None:
    made = 0

    def pieces() -> Iterator[bytes]:
        nonlocal made
        for _ in range(5):
            made += 1
            yield b"x" * (BLOCK // 2)

    found = in_blocks(pieces())
    assert next(found) == (b"x" * BLOCK, False)
    assert made == 3
    assert [(len(block), last) for block, last in found] == [(BLOCK, False), (BLOCK // 2, True)]


class Interrupted(BaseException):
    pass


def test_a_source_that_fails_late_changes_nothing(address: StoreAddress, store: AzureStore) -> None:
    staged = []

    def failing() -> Iterator[bytes]:
        yield LARGE
        staged.append(blocks(address, "new"))
        raise Interrupted

    store.put("old", b"old")
    for key in ("new", "old"):
        with pytest.raises(Interrupted):
            store.put(key, failing())
    assert staged[0] == (0, 2)
    assert list(store.keys("")) == ["old"]
    assert store.get("old") == b"old"
    with pytest.raises(KeyMissing):
        store.stat("new")
    store.put("new", LARGE)
    assert store.get("new") == LARGE


def test_writers_of_the_same_large_value_do_not_disturb_each_other(store: AzureStore) -> None:
    def meanwhile() -> Iterator[bytes]:
        yield LARGE[: 2 * BLOCK]
        store.put("a", LARGE)
        yield LARGE[2 * BLOCK :]

    store.put("a", meanwhile())
    assert store.get("a") == LARGE


def test_a_large_value_is_never_mixed_with_another_writers(store: AzureStore) -> None:
    other = LARGE[::-1]

    def meanwhile() -> Iterator[bytes]:
        yield LARGE[: 2 * BLOCK]
        store.put("a", other)
        yield LARGE[2 * BLOCK :]

    with pytest.raises(StorageError, match='another writer stored "a" at the same moment: try again'):
        store.put("a", meanwhile())
    assert store.get("a") == other


def test_a_commit_whose_answer_was_lost_is_one(relay: Relay, relayed: AzureStore) -> None:
    relay.lose("PUT", "comp=blocklist")
    relayed.put("a", LARGE)
    assert len(relay.those("PUT", "comp=blocklist")) == 2
    assert relayed.get("a") == LARGE


@pytest.mark.parametrize("tier", ["hot", "cool", "cold"])
def test_the_tier_is_that_of_values_and_not_of_the_pointer(address: StoreAddress, tier: str) -> None:
    store = AzureStore(with_options(address, tier=tier), environment=WITH_KEY)
    store.put("small", b"1")
    store.put("large", LARGE)
    store.replace("head", b"1", expected=None)
    with azure_server.container(address) as container:
        found = [container.get_blob_client(f"a/prefix/{key}").get_blob_properties() for key in ("small", "large")]
        head = container.get_blob_client("a/prefix/head").get_blob_properties()
    assert [blob.blob_tier for blob in found] == [tier.capitalize()] * 2
    assert not any(blob.blob_tier_inferred for blob in found)
    assert head.blob_tier_inferred


# Compare-and-swap


def test_a_win_whose_answer_was_lost_is_a_win(relay: Relay, relayed: AzureStore) -> None:
    relay.lose("PUT")
    token = relayed.replace("head", b"1", expected=None)
    assert len(relay.those("PUT")) == 2
    assert relayed.get_with_token("head") == (b"1", token)
    relay.lose("PUT")
    token = relayed.replace("head", b"2", expected=token)
    assert len(relay.those("PUT")) == 4
    assert relayed.get_with_token("head") == (b"2", token)


def test_the_same_bytes_of_another_writer_are_no_win_of_ours(
    relay: Relay, relayed: AzureStore, store: AzureStore
) -> None:
    store.replace("head", b"1", expected=None)
    with pytest.raises(PublishConflict):
        relayed.replace("head", b"1", expected=None)
    _, token = store.get_with_token("head")
    relay.lose("PUT", then=lambda: store.put("head", b"2"))
    with pytest.raises(PublishConflict, match='"head" was changed'):
        relayed.replace("head", b"2", expected=token)


def test_a_lease_is_no_conflict(address: StoreAddress, store: AzureStore) -> None:
    token = store.replace("head", b"1", expected=None)
    with azure_server.container(address) as container:
        container.get_blob_client("a/prefix/head").acquire_lease()
    with pytest.raises(StorageError, match=r'"head" is under a lease \(LeaseIdMissing\)') as caught:
        store.replace("head", b"2", expected=token)
    assert not isinstance(caught.value, PublishConflict)


def count_up_in_a_process(address: StoreAddress, rounds: int) -> None:
    count_up(AzureStore(address, environment=WITH_KEY), rounds)


def test_no_update_is_lost_between_processes(address: StoreAddress, store: AzureStore) -> None:
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


def test_a_removal_is_refused_by_the_server_when_the_value_is_another(relay: Relay, relayed: AzureStore) -> None:
    relayed.put("a", b"1")
    (seen,) = relayed.listing("")
    relayed.put("a", b"2")
    assert relayed.delete("a", seen=seen) is False
    assert relay.those("DELETE")[0].headers["if-match"].strip('"') == seen.state
    assert relayed.delete("a", seen=relayed.stat("a")) is True


# Reading over bad lines


def test_a_download_goes_on_where_the_connection_broke(relay: Relay, relayed: AzureStore) -> None:
    relayed.put("a", LARGE)
    relay.cut("GET", after=CHUNK + 7)
    pieces = relayed.chunks("a")
    first = next(pieces)
    relay.cut("GET", after=5)
    assert first + b"".join(pieces) == LARGE
    assert all(sent.headers["if-match"] for sent in relay.those("GET")[2:])
    relay.cut("GET", after=CHUNK)
    assert relayed.get("a") == LARGE


def test_a_download_that_breaks_again_and_again_is_given_up(relay: Relay, relayed: AzureStore) -> None:
    relayed.put("a", b"x" * CHUNK)
    relay.cut("GET", after=0, times=9)
    with pytest.raises(StorageError, match=r"did not answer, or not to the end|too early"):
        relayed.get("a")


@pytest.mark.parametrize("change", [lambda store: store.put("a", LARGE[::-1]), lambda store: store.delete("a")])
def test_a_download_is_never_mended_with_other_bytes(store: AzureStore, change: Callable[[AzureStore], None]) -> None:
    store.put("a", LARGE)
    pieces = store.chunks("a")
    read = [next(pieces)]
    change(store)
    with pytest.raises(StorageError, match='"a" was replaced or deleted while it was read') as caught:
        read.extend(pieces)
    assert not isinstance(caught.value, (KeyMissing, PublishConflict))
    assert LARGE.startswith(b"".join(read))


def test_a_server_that_ignores_ranges_is_found_out(relay: Relay, relayed: AzureStore) -> None:
    relay.answer("GET", 200, "whole")
    with pytest.raises(StorageError, match="does not answer like Azure Blob Storage"):
        relayed.chunks("a", 1)


# Failures


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (403, "AuthorizationPermissionMismatch", 'denies access for "a" (AuthorizationPermissionMismatch): allow it'),
        (403, "AuthorizationFailure", "let this network pass the account's firewall"),
        (403, "AuthenticationFailed", "are not valid at https://host (AuthenticationFailed): check the account key"),
        (401, "NoAuthenticationInformation", "are not valid at"),
        (404, "ContainerNotFound", 'there is no container "account/box" at https://host: create it'),
        (404, "ResourceNotFound", "does not answer like Azure Blob Storage (ResourceNotFound)"),
        (409, "BlobArchived", 'refused an access to "a": BlobArchived (HTTP status 409)'),
        (503, "ServerBusy", "is busy or out of order (ServerBusy): try again later"),
        (418, "\x1b\n", 'refused an access to "a": 418 (HTTP status 418)'),
    ],
)
def test_a_refusal_says_what_to_do(status: int, code: str, message: str) -> None:
    error = explain(Refusal(container="account/box", endpoint="https://host", key="a", code=code, status=status))
    assert message in str(error)
    assert not isinstance(error, (KeyMissing, PublishConflict))


def every_use(store: AzureStore) -> list[Callable[[], object]]:
    return [
        lambda: store.get("a"),
        lambda: store.stat("a"),
        lambda: store.chunks("a"),
        lambda: list(store.keys("")),
        lambda: store.put("a", b""),
        lambda: store.put("a", LARGE),
        lambda: store.replace("a", b"", expected=None),
        lambda: store.delete("a"),
    ]


def test_a_container_that_is_missing_is_named() -> None:
    store = AzureStore(azurite().address("nowhere"), environment=WITH_KEY)
    for use in every_use(store):
        with pytest.raises(StorageError, match=f'there is no container "{ACCOUNT}/nowhere" at http://') as caught:
            use()
        assert not isinstance(caught.value, (KeyMissing, PublishConflict))


def test_a_wrong_key_is_told_and_never_shown(address: StoreAddress) -> None:
    wrong = base64.b64encode(b"wrong").decode()
    for use in every_use(AzureStore(address, environment={"AZURE_STORAGE_KEY": wrong})):
        with pytest.raises(StorageError, match=r"are not valid at|denies access") as caught:
            use()
        assert wrong not in str(caught.value)
        assert caught.value.__cause__ is None


def test_a_store_that_is_not_reachable_is_named(address: StoreAddress) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        endpoint = f"http://127.0.0.1:{server.server_port}/{ACCOUNT}"
    token = sas_token(address)
    reader = AzureReader(with_options(address, endpoint=endpoint), environment={"AZURE_STORAGE_SAS_TOKEN": token})
    with pytest.raises(StorageError, match=f"^{endpoint} can't be reached: check the account's name") as caught:
        reader.get("a")
    assert "sig" not in str(caught.value)
    assert caught.value.__suppress_context__


# Credentials


def connection(text: str) -> dict[str, str]:
    return {"AZURE_STORAGE_CONNECTION_STRING": text}


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ({}, EntraId()),
        ({"AZURE_STORAGE_KEY": KEY}, AccountKey(KEY)),
        ({"AZURE_STORAGE_KEY": KEY, "AZURE_STORAGE_ACCOUNT": "mine"}, AccountKey(KEY)),
        ({"AZURE_STORAGE_KEY": KEY, "AZURE_STORAGE_ACCOUNT": "other"}, EntraId()),
        ({"AZURE_STORAGE_SAS_TOKEN": "?sv=1&sig=a%3D"}, SasToken("sv=1&sig=a%3D")),
        ({"AZURE_STORAGE_SAS_TOKEN": "sig=a", "AZURE_STORAGE_KEY": KEY}, AccountKey(KEY)),
        ({"AZURE_STORAGE_CONNECTION_STRING": f"AccountName=mine;AccountKey={KEY}"}, AccountKey(KEY)),
        (
            {"AZURE_STORAGE_CONNECTION_STRING": "AccountName=mine;SharedAccessSignature=sv=1&sig=a"},
            SasToken("sv=1&sig=a"),
        ),
        ({"AZURE_STORAGE_CONNECTION_STRING": f"AccountName=other;AccountKey={KEY}"}, EntraId()),
    ],
)
def test_the_environment_names_the_credentials(environment: dict[str, str], found: object) -> None:
    assert find_credential("mine", environment) == found
    assert KEY not in repr(found)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("AZURE_STORAGE_KEY", "secret!", "AZURE_STORAGE_KEY is no account key, which is base64"),
        ("AZURE_STORAGE_SAS_TOKEN", "secret!", "AZURE_STORAGE_SAS_TOKEN is no shared access signature"),
        ("AZURE_STORAGE_CONNECTION_STRING", "secret!", "AZURE_STORAGE_CONNECTION_STRING has no AccountName"),
        ("AZURE_STORAGE_CONNECTION_STRING", f"AccountName={ACCOUNT};AccountKey=secret!", "AccountKey in AZURE_"),
        ("AZURE_STORAGE_CONNECTION_STRING", f"AccountName={ACCOUNT};Secret=secret!", "has neither AccountKey nor"),
    ],
)
def test_credentials_of_the_wrong_form_are_refused_at_once(name: str, value: str, message: str) -> None:
    address = StoreAddress(scheme="azure", place=f"{ACCOUNT}/container")
    with pytest.raises(ConfigError, match=message) as caught:
        AzureReader(address, environment={name: value})
    assert "secret!" not in str(caught.value)


def test_an_identity_is_only_shown_over_https() -> None:
    address = StoreAddress.parse("azure://account/container?endpoint=http://127.0.0.1:1/account")
    with pytest.raises(ConfigError, match="an identity is only shown over https"):
        AzureReader(address, environment={})


def test_a_sas_token_suffices_and_is_never_handed_on(address: StoreAddress) -> None:
    store = AzureStore(address, environment={"AZURE_STORAGE_SAS_TOKEN": sas_token(address)})
    store.put("a", LARGE)
    assert store.replace("head", b"1", expected=None) == store.get_with_token("head")[1]
    assert list(store.keys("")) == ["a", "head"]
    assert b"".join(store.chunks("a")) == LARGE
    assert store.link("a", TERMS) is None
    assert store.delete("a") is True


def test_a_sas_token_that_does_not_suffice_is_told(address: StoreAddress) -> None:
    token = sas_token(address, "rl")
    store = AzureStore(address, environment={"AZURE_STORAGE_SAS_TOKEN": token})
    with pytest.raises(StorageError, match=r'denies access for "a" .*: allow it with the role "Storage Blob') as caught:
        store.put("a", b"")
    assert parse_qs(token)["sig"][0] not in str(caught.value)


# Links


def test_anyone_may_get_a_link(store: AzureStore) -> None:
    store.put("a+b/c", b"data")
    link = store.link("a+b/c", TERMS)
    assert link is not None
    answer = azure_server.fetch(link, azurite())
    assert answer.content == b"data"
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="a_module-1.0.0.zip"'
    said = parse_qs(urlsplit(link).query)
    assert (said["sp"], said["sr"]) == (["r"], ["b"])
    assert datetime.fromisoformat(said["se"][0]) <= datetime.now(UTC) + TERMS.lifetime


def test_a_link_opens_one_blob_for_reading_for_a_while(store: AzureStore) -> None:
    store.put("a", b"data")
    store.put("b", b"secret")
    link = store.link("a", TERMS)
    past = store.link("a", replace(TERMS, lifetime=timedelta(minutes=-1)))
    assert link is not None
    assert past is not None
    assert azure_server.fetch(link.replace("prefix/a", "prefix/b"), azurite()).status_code == 403
    assert azure_server.fetch(past, azurite()).status_code == 403
    assert httpx.delete(link, trust_env=False).status_code == 403
    assert store.get("a") == b"data"


def test_links_are_for_https_where_the_endpoint_is() -> None:
    store = AzureReader(StoreAddress.parse("azure://account/container/x"), environment=WITH_KEY)
    link = store.link("a", TERMS)
    assert link is not None
    assert link.startswith("https://account.blob.core.windows.net/container/x/a?")
    assert parse_qs(urlsplit(link).query)["spr"] == ["https"]


def test_links_start_with_the_cdn(address: StoreAddress, relay: Relay, store: AzureStore) -> None:
    """The relay is one: it passes requests on under its own name."""
    store.put("a", b"data")
    fronted = AzureReader(with_options(address, cdn=f"{relay.url}/{ACCOUNT}"), environment=WITH_KEY)
    assert fronted.get("a") == b"data"
    assert relay.passed == []
    link = fronted.link("a", TERMS)
    assert link is not None
    assert link.startswith(f"{relay.url}/{ACCOUNT}/{address.place.partition('/')[2]}/a/prefix/a?")
    assert azure_server.fetch(link, azurite()).content == b"data"
