"""Questions over TLS and without it: who gets the token. What else an Asker does is tried in test_module_registry."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import trustme

from gitopsreg.errors import UpstreamUnavailable
from gitopsreg.transport.http_json import Asker
from gitopsreg.upstream.module_registry import ModuleRegistry
from tests.foreign_registry import ForeignRegistry, foreign_registry, serving

MODULES = {"acme/vpc/aws": {"1.0.0": "git::https://git.example.com/acme/vpc.git?ref=v1.0.0"}}
_WELL_KNOWN = "/.well-known/terraform.json"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def asker(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Asker]:
    """It trusts the authority, and has a token for everybody."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with Asker(token=lambda _: "s3cret", allow_local=True) as asker:
        yield asker


@contextmanager
def encrypted(authority: trustme.CA, **how: object) -> Iterator[ForeignRegistry]:
    registry = ForeignRegistry(MODULES, **how)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    registry.socket = context.wrap_socket(registry.socket, server_side=True)
    with serving(registry):
        yield registry


def https(registry: ForeignRegistry) -> str:
    return registry.url.replace("http:", "https:")


def given(registry: ForeignRegistry) -> list[str | None]:
    return [token for _, token in registry.asked]


def test_a_token_never_follows_to_where_all_can_read_it(authority: trustme.CA, asker: Asker) -> None:
    with foreign_registry(MODULES) as plain, encrypted(authority, moved_to=plain.url) as registry:
        assert asker.get(https(registry) + "/x").status == 404
        assert given(registry) == ["Bearer s3cret"]
        assert given(plain) == [None]


def test_nor_to_where_discovery_sends_it_in_the_clear(authority: trustme.CA, asker: Asker) -> None:
    with foreign_registry(MODULES) as plain:
        base = f"{plain.url}/api/modules/"
        with encrypted(authority, discovery={"modules.v1": base}) as registry:
            assert ModuleRegistry.at(asker.get, https(registry)).versions("acme/vpc/aws") == ("1.0.0",)
            assert given(registry) == ["Bearer s3cret"]
            assert given(plain) == [None]


def test_it_follows_with_encryption_and_where_there_never_was_any(authority: trustme.CA, asker: Asker) -> None:
    with encrypted(authority) as target, encrypted(authority, moved_to=https(target)) as registry:
        asker.get(https(registry) + "/x")
        assert given(target) == ["Bearer s3cret"]
    with Asker(token=lambda _: "s3cret", allow_local=True) as another, foreign_registry(MODULES) as plain:
        another.get(plain.url + _WELL_KNOWN)
        assert given(plain) == ["Bearer s3cret"]


def test_what_is_wrong_with_the_encryption_is_said(authority: trustme.CA, asker: Asker) -> None:
    with foreign_registry(MODULES) as plain, pytest.raises(UpstreamUnavailable, match="speaks no TLS") as caught:
        asker.get(https(plain) + "/x")
    assert caught.value.reason == "TLSFailed"
    with encrypted(trustme.CA()) as registry, pytest.raises(UpstreamUnavailable, match="certificate") as caught:
        asker.get(https(registry) + "/x")
    assert caught.value.reason == "TLSFailed"


def test_tls_that_can_not_be_agreed_on_is_not_called_none(authority: trustme.CA, asker: Asker) -> None:
    registry = ForeignRegistry(MODULES)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode, context.maximum_version = ssl.CERT_REQUIRED, ssl.TLSVersion.TLSv1_2
    registry.socket = context.wrap_socket(registry.socket, server_side=True)
    with serving(registry), pytest.raises(UpstreamUnavailable, match=r"no agreement on TLS .*handshake") as caught:
        asker.get(https(registry) + "/x")
    assert caught.value.reason != "TLSFailed"


def test_a_host_that_was_only_led_to_is_not_told_in_the_clear_later(authority: trustme.CA, asker: Asker) -> None:
    with encrypted(authority) as there, foreign_registry(MODULES) as plain:
        there_by_name = https(there).replace("127.0.0.1", "localhost")
        with foreign_registry(MODULES, moved_to=there_by_name) as first, suppress(UpstreamUnavailable):
            asker.get(first.url + "/x")
        asker.get(plain.url.replace("127.0.0.1", "localhost") + "/x")
        assert given(plain) == [None]
