"""Addresses, sockets, certificates."""

import socket
from pathlib import Path

import pytest
import trustme

from gitopsreg.errors import ConfigError
from gitopsreg.server.listen import Listen, open_sockets, tls_context


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [("127.0.0.1:8080", "127.0.0.1", 8080), ("[::1]:0", "::1", 0), (":80", "", 80), ("localhost:1", "localhost", 1)],
)
def test_an_address_is_host_and_port(text: str, host: str, port: int) -> None:
    listen = Listen.parse(text)
    assert (listen.host, listen.port) == (host, port)


@pytest.mark.parametrize("text", ["", "8080", "::1:8080", "a:b", "a:", "a:65536", "a:-1", "[::1]", "a:١"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r'write "host:port", like "127\.0\.0\.1:8080" or "\[::1\]:8080"'):
        Listen.parse(text)


def test_a_certificate_needs_its_key() -> None:
    with pytest.raises(ConfigError, match="belong together"):
        Listen.parse("127.0.0.1:0", cert=Path("cert.pem"))


def test_a_free_port_is_found_and_told() -> None:
    listen = Listen.parse("127.0.0.1:0")
    [opened] = open_sockets(listen)
    with opened:
        assert listen.url([opened]) == f"http://127.0.0.1:{opened.getsockname()[1]}"


@pytest.mark.parametrize("text", ["localhost:0", ":0"])
def test_every_address_of_a_host_has_the_same_port(text: str) -> None:
    sockets = open_sockets(Listen.parse(text))
    try:
        assert len({each.getsockname()[1] for each in sockets}) == 1
    finally:
        for each in sockets:
            each.close()


def test_a_port_in_use_is_said_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=f'can\'t listen on "127.0.0.1:{port}": the port is already in use'):
            open_sockets(Listen("127.0.0.1", port))


@pytest.mark.parametrize(
    ("host", "message"),
    [("host.invalid", "the host is not known"), ("192.0.2.1", "does not have that address")],
)
def test_a_host_that_is_not_ours_is_said_in_words(host: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        open_sockets(Listen(host, 0))


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def _files(authority: trustme.CA, folder: Path) -> tuple[Path, Path]:
    issued = authority.issue_cert("localhost")
    cert, key = folder / "cert.pem", folder / "key.pem"
    issued.cert_chain_pems[0].write_to_path(cert)
    issued.private_key_pem.write_to_path(key)
    return cert, key


def test_a_certificate_with_its_key_is_taken(authority: trustme.CA, tmp_path: Path) -> None:
    cert, key = _files(authority, tmp_path)
    assert tls_context(Listen("", 0, cert, key)) is not None
    assert Listen("", 0, cert, key).scheme == "https"


def test_files_that_can_not_be_read_are_named(authority: trustme.CA, tmp_path: Path) -> None:
    cert, key = _files(authority, tmp_path)
    with pytest.raises(ConfigError, match=r'can\'t read the TLS certificate ".*/none\.pem": No such file'):
        tls_context(Listen("", 0, tmp_path / "none.pem", key))
    with pytest.raises(ConfigError, match=r'can\'t read the TLS key ".*": Is a directory'):
        tls_context(Listen("", 0, cert, tmp_path))


def test_files_that_do_not_fit_are_refused(authority: trustme.CA, tmp_path: Path) -> None:
    cert, key = _files(authority, tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    _, wrong = _files(authority, other)
    for pair in ((cert, wrong), (key, cert)):
        with pytest.raises(ConfigError, match="belong together"):
            tls_context(Listen("", 0, *pair))


def test_a_key_with_a_password_is_refused_without_asking(authority: trustme.CA, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
        load_pem_private_key,
    )

    cert, key = _files(authority, tmp_path)
    private = load_pem_private_key(key.read_bytes(), None)
    encryption = BestAvailableEncryption(b"password")
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    with pytest.raises(ConfigError, match="without a password"):
        tls_context(Listen("", 0, cert, key))
