"""Every protocol path on a real server: statuses, headers, and the ways to break real clients."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from gitopsreg.protocol.links import LinkSigner
from gitopsreg.storage.memory import MemoryStore
from tests.server.house import KEY, a_registry, ask, fill, running

MODULE = "/v1/modules/platform/vpc/aws"
PROVIDER = "/v1/providers/platform/hello"
MIRROR = "/v1/mirror/registry.example.com/platform/hello"
ANSWERS = [
    "/.well-known/terraform.json",
    f"{MODULE}/versions",
    f"{MODULE}/1.0.0/download",
    f"{PROVIDER}/versions",
    f"{PROVIDER}/1.0.0/download/linux/amd64",
    f"{MIRROR}/index.json",
    f"{MIRROR}/1.0.0.json",
]
MISSING = [
    "/v1/modules/platform/nothing/aws/versions",
    "/v1/modules/platform/old/aws/versions",
    f"{MODULE}/9.9.9/download",
    f"{MODULE}/latest/download",
    "/v1/providers/platform/nothing/versions",
    f"{PROVIDER}/1.0.0/download/plan9/amd64",
    "/v1/mirror/registry.terraform.io/hashicorp/aws/index.json",
    f"{MIRROR}/latest.json",
    "/v1/modules/platform",
    "/v1/nothing",
]


@contextmanager
def _at(*, now: float, store: MemoryStore | None = None) -> Iterator[str]:
    with a_registry(clock=lambda: now) if store is None else running(store, clock=lambda: now) as url:
        yield url


@pytest.mark.parametrize("path", ANSWERS)
def test_every_answer_is_tagged_named_and_short_lived(url: str, path: str) -> None:
    answer = ask(url, path)
    assert answer.status in {200, 204}
    assert answer.headers["etag"].startswith('"')
    assert answer.headers["x-gitopsreg-snapshot"].startswith("sha256:")
    assert "max-age=" in answer.headers["cache-control"]


@pytest.mark.parametrize("path", ANSWERS)
@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*", '"a","b", W/{} '])
def test_who_has_it_already_gets_304(url: str, path: str, form: str) -> None:
    first = ask(url, path)
    again = ask(url, path, headers={"If-None-Match": form.format(first.headers["etag"])})
    assert (again.status, again.body) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["x-gitopsreg-snapshot"] == first.headers["x-gitopsreg-snapshot"]


@pytest.mark.parametrize("path", ANSWERS)
def test_who_has_something_else_gets_it_all(url: str, path: str) -> None:
    assert ask(url, path, headers={"If-None-Match": '"other"'}).status in {200, 204}


@pytest.mark.parametrize("path", [*ANSWERS, "/healthz", "/readyz", "/", "/docs", "/openapi.json"])
def test_head_is_get_without_the_body(url: str, path: str) -> None:
    whole, head = ask(url, path), ask(url, path, "HEAD")
    assert (head.status, head.body) == (whole.status, b"")
    told, meant = (int(answer.headers.get("content-length", -1)) for answer in (head, whole))
    assert told == meant or (path == "/readyz" and abs(told - meant) < 20), "its ages grow while one asks"


@pytest.mark.parametrize("path", MISSING)
def test_what_is_missing_is_named_in_json(url: str, path: str) -> None:
    answer = ask(url, path)
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-gitopsreg-snapshot"].startswith("sha256:")
    assert answer.headers["cache-control"] == "no-store"
    [error] = json.loads(answer.body)["errors"]
    assert '"' in error


@pytest.mark.parametrize("path", [*ANSWERS, "/readyz", "/docs"])
def test_other_methods_are_refused(url: str, path: str) -> None:
    answer = ask(url, path, "POST", body=b"{}")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.pitfall(1)
@pytest.mark.pitfall(50)
@pytest.mark.pitfall(62)
@pytest.mark.parametrize("path", [path for path in ANSWERS if not path.endswith("/1.0.0/download")])
def test_pitfall_01_50_62_json_is_exactly_application_json(url: str, path: str) -> None:
    """hc-install refuses parameters, discovery and mirror clients everything else."""
    assert ask(url, path).headers["content-type"] == "application/json"


@pytest.mark.pitfall(2)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer nonsense"}])
def test_pitfall_02_discovery_needs_no_token(url: str, headers: dict[str, str]) -> None:
    answer = ask(url, "/.well-known/terraform.json", headers=headers)
    assert answer.status == 200
    assert json.loads(answer.body) == {"modules.v1": "/v1/modules/", "providers.v1": "/v1/providers/"}


@pytest.mark.pitfall(5)
def test_pitfall_05_discovery_waits_for_no_store() -> None:
    with running(MemoryStore()) as url:
        assert ask(url, "/.well-known/terraform.json").status == 200


@pytest.mark.pitfall(9)
@pytest.mark.pitfall(10)
def test_pitfall_09_10_a_module_download_is_204_with_the_header_and_no_body(url: str) -> None:
    answer = ask(url, f"{MODULE}/1.0.0/download")
    assert (answer.status, answer.body) == (204, b"")
    assert "content-type" not in answer.headers
    assert answer.headers["x-terraform-get"].startswith("/artifacts/")


@pytest.mark.pitfall(17)
@pytest.mark.pitfall(38)
def test_pitfall_17_38_a_link_is_enough_to_fetch(url: str) -> None:
    location = ask(url, f"{MODULE}/1.0.0/download").headers["x-terraform-get"]
    document = json.loads(ask(url, f"{PROVIDER}/1.0.0/download/linux/amd64").body)
    assert ask(url, location).status == 200
    for key in ("download_url", "shasums_url", "shasums_signature_url"):
        assert ask(document[key]).status == 200


@pytest.mark.pitfall(23)
@pytest.mark.parametrize("version", ["1.0", "v1.0.0", "1"])
def test_pitfall_23_normalised_versions_are_the_same_answer(url: str, version: str) -> None:
    assert (
        ask(url, f"{MODULE}/{version}/download").headers["x-terraform-get"]
        == (ask(url, f"{MODULE}/1.0.0/download").headers["x-terraform-get"])
    )


@pytest.mark.pitfall(24)
@pytest.mark.parametrize("version", ["2.0.0+build.5", "2.0.0%2Bbuild.5"])
def test_pitfall_24_a_plus_in_the_path_is_a_plus(url: str, version: str) -> None:
    answer = ask(url, f"{MODULE}/{version}/download")
    assert answer.status == 204
    assert "/vpc-aws-2.0.0+build.5.tar.gz?" in answer.headers["x-terraform-get"]
    assert ask(url, answer.headers["x-terraform-get"]).status == 200


@pytest.mark.pitfall(25)
def test_pitfall_25_a_blocked_download_says_why_where_clients_show_it(url: str) -> None:
    answer = ask(url, f"{MODULE}/1.4.0/download")
    assert answer.status == 410
    assert json.loads(answer.body) == {
        "errors": ['module "platform/vpc/aws" version "1.4.0" is blocked: leaked credential']
    }


@pytest.mark.pitfall(26)
@pytest.mark.parametrize("path", ANSWERS[1:])
def test_pitfall_26_before_the_first_snapshot_clients_are_told_to_come_back_soon(path: str) -> None:
    with running(MemoryStore()) as url:
        answer = ask(url, path)
    assert answer.status == 503
    assert 0 < int(answer.headers["retry-after"]) < 30
    assert json.loads(answer.body) == {"errors": ["no snapshot is loaded: nothing is published yet"]}


@pytest.mark.pitfall(27)
@pytest.mark.parametrize("path", ["/v1/modules/Platform/VPC/AWS/versions", "/v1/modules/infra/vpc/aws/versions"])
def test_pitfall_27_case_and_old_names_lead_to_the_same_module(url: str, path: str) -> None:
    assert ask(url, path).body == ask(url, f"{MODULE}/versions").body


@pytest.mark.pitfall(41)
def test_pitfall_41_the_same_version_is_the_same_answer_on_every_server() -> None:
    store = MemoryStore()
    fill(store)
    answers = []
    for _ in range(2):
        with _at(now=1_790_000_000, store=store) as url:
            answers.append(ask(url, f"{MODULE}/1.0.0/download").headers)
    assert answers[0]["x-terraform-get"] == answers[1]["x-terraform-get"]
    assert answers[0]["etag"] == answers[1]["etag"]


@pytest.mark.pitfall(44)
def test_pitfall_44_checksums_are_stored_bytes_not_made_on_request(url: str) -> None:
    document = json.loads(ask(url, f"{PROVIDER}/1.0.0/download/linux/amd64").body)
    sums = ask(document["shasums_url"])
    assert f"{document['shasum']}  {document['filename']}\n".encode() in sums.body
    assert "no-cache" not in sums.headers["cache-control"]


@pytest.mark.pitfall(49)
@pytest.mark.parametrize(
    "path",
    [
        f"{MIRROR}/9.9.9.json",
        "/v1/mirror/registry.terraform.io/hashicorp/aws/5.0.0.json",
        "/v1/mirror/h:1/a/b/1.0.json",
    ],
)
def test_pitfall_49_an_unknown_version_of_the_mirror_has_no_archives(url: str, path: str) -> None:
    answer = ask(url, path)
    assert (answer.status, json.loads(answer.body)) == (200, {"archives": {}})


def test_the_mirror_answers_for_the_host_it_is_called_by(url: str) -> None:
    host = url.partition("//")[2]
    document = json.loads(ask(url, f"/v1/mirror/{host}/platform/hello/1.0.0.json").body)
    assert ask(url, document["archives"]["linux_amd64"]["url"]).status == 200


@pytest.mark.pitfall(63)
@pytest.mark.parametrize("path", MISSING)
def test_pitfall_63_what_is_missing_is_no_outage(url: str, path: str) -> None:
    """Renovate gives up on a whole repository when it is told 503."""
    assert ask(url, path).status == 404


def test_links_change_with_their_window_and_tags_with_them() -> None:
    store = MemoryStore()
    fill(store)
    signer = LinkSigner(KEY, ttl=timedelta(hours=1), window=timedelta(minutes=10))
    tags = []
    for now in (1_790_000_000, 1_790_000_001, 1_790_000_600):
        with running(store, clock=lambda now=now: now, signer=signer) as url:
            tags.append(ask(url, f"{MODULE}/1.0.0/download").headers["etag"])
    assert tags[0] == tags[1] != tags[2]


def test_a_key_that_is_not_made_yet_is_a_503_and_may_come_later() -> None:
    from gitopsreg.errors import StorageError

    keys: list[bytes] = []

    def signer() -> LinkSigner:
        if not keys:
            raise StorageError("no link key is made yet")
        return LinkSigner(keys[0])

    with a_registry(signer=signer) as url:
        before = ask(url, f"{MODULE}/1.0.0/download")
        keys.append(KEY)
        after = ask(url, f"{MODULE}/1.0.0/download")
    assert (before.status, after.status) == (503, 204)
    assert "its log says why" in json.loads(before.body)["errors"][0]
    assert "key" not in before.body.decode()
