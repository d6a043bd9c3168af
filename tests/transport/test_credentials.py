from pathlib import Path

import pytest

from gitopsreg.errors import UpstreamUnavailable
from gitopsreg.transport.credentials import CredentialsFile, Login


@pytest.fixture
def file(tmp_path: Path) -> CredentialsFile:
    path = tmp_path / "credentials"
    path.write_text(
        "# not a login\n"
        "https://robot:t%40ken%2F1@git.example.com\n"
        "https://other:second@git.example.com\n"
        "http://plain:secret@git.example.com:8080/some/path\n"
        "https://no-password@git.example.org\n"
        "https://[broken\n"
    )
    return CredentialsFile(path)


def test_a_login_belongs_to_scheme_host_and_port(file: CredentialsFile) -> None:
    assert file.login("https://git.example.com/acme/vpc.git") == Login("robot", "t@ken/1")
    assert file.login("https://GIT.example.com:443/x") == Login("robot", "t@ken/1")
    assert file.login("http://git.example.com:8080/x") == Login("plain", "secret")
    for other in (
        "http://git.example.com/",
        "https://git.example.com:8443/",
        "https://example.com/",
        "https://git.example.org/",
    ):
        assert file.login(other) is None


def test_a_secret_is_scrubbed_and_never_shown(file: CredentialsFile) -> None:
    assert file.scrub("a t@ken/1 and secret here") == "a *** and *** here"
    assert "t@ken" not in repr(file.login("https://git.example.com/x"))


def test_the_file_is_read_anew(file: CredentialsFile) -> None:
    assert file.path
    file.path.write_text("https://robot:rotated@git.example.com\n")
    assert file.login("https://git.example.com/x") == Login("robot", "rotated")


def test_no_file_has_no_login() -> None:
    assert CredentialsFile(None).login("https://git.example.com/x") is None


def test_a_missing_file_is_said_so(tmp_path: Path) -> None:
    file = CredentialsFile(tmp_path / "none")
    with pytest.raises(UpstreamUnavailable, match="can't be read"):
        file.login("https://git.example.com/x")
    assert file.scrub("text") == "text"
