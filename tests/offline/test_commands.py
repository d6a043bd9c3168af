"""`gitopsreg export` and `gitopsreg bundle`, as a person types them."""

from pathlib import Path

import pytest

from tests.cli.catalogs import a_catalog
from tests.cli.shell import Ran, gitopsreg, on_terminal
from tests.offline.gnupg import gnupg
from tests.releases import a_signer


@pytest.fixture
def store(tmp_path: Path) -> Path:
    catalog = a_catalog(tmp_path / "catalog")
    done = gitopsreg("reconcile", "--catalog", catalog, "--store", tmp_path / "store", "--cache", tmp_path / "cache")
    assert done.code == 0, done.stderr
    return tmp_path / "store"


def export(store: Path, folder: Path, *more: str) -> Ran:
    return gitopsreg("export", "--static", folder, "--store", store, "--public-url", "https://r.example.com", *more)


def test_an_export_says_what_it_did(store: Path, tmp_path: Path) -> None:
    done = export(store, tmp_path / "out")
    assert done.code == 0, done.stderr
    assert "0 removed." in done.stdout
    assert str(tmp_path / "out/www") in done.stdout
    again = export(store, tmp_path / "out", "--output", "json").json
    assert (again["written"], again["removed"], again["files"] > 4) == (0, 0, True)
    assert again["snapshot"].startswith("sha256:")


def test_a_person_sees_progress_and_then_only_the_result(store: Path, tmp_path: Path) -> None:
    arguments = ("--static", tmp_path / "out", "--store", store, "--public-url", "https://r.example.com")
    code, seen = on_terminal("export", *arguments)
    assert code == 0
    assert "Exporting" in seen
    assert "nginx" in seen.splitlines()[-1]


def test_an_export_that_can_not_be(store: Path, tmp_path: Path) -> None:
    assert "no public_url is given" in gitopsreg("export", "--static", tmp_path / "x", "--store", store).stderr
    empty = export(tmp_path / "empty", tmp_path / "x")
    assert (empty.code, "nothing has been published" in empty.stderr) == (3, True)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/file").touch()
    foreign = export(store, tmp_path / "mine")
    assert (foreign.code, "holds no export" in foreign.stderr) == (2, True)


def keys(folder: Path) -> tuple[Path, Path]:
    """(secret, public)."""
    secret, public = folder / "secret.asc", folder / "public.asc"
    secret.write_text(str(a_signer("registry").secret))
    public.write_text(str(a_signer("registry").public))
    return secret, public


def test_a_bundle_there_and_back(store: Path, tmp_path: Path) -> None:
    secret, public = keys(tmp_path)
    file, target = tmp_path / "bundle.tar", tmp_path / "target"
    made = gitopsreg("bundle", "export", file, "--sign-key", secret, "--store", store, "--output", "json")
    assert made.code == 0, made.stderr
    assert (made.json["signed"], made.json["size"]) == (True, file.stat().st_size)
    done = gitopsreg("bundle", "import", file, "--trust", public, "--store", target)
    assert done.code == 0, done.stderr
    assert "Published" in done.stdout
    again = gitopsreg("bundle", "import", file, "--trust", public, "--store", target, "--output", "json")
    assert (again.code, again.json["changed"], again.json["snapshot"]) == (0, False, made.json["snapshot"])
    assert gitopsreg("history", "--store", target, "--output", "json").json["snapshots"]


def test_a_key_with_a_passphrase(store: Path, tmp_path: Path) -> None:
    with gnupg(tmp_path / "gnupg", "open sesame") as gpg:
        gpg("--quick-gen-key", "a <a@example.com>", "ed25519", "sign")
        (tmp_path / "secret.asc").write_bytes(gpg("--armor", "--export-secret-keys"))
        (tmp_path / "public.asc").write_bytes(gpg("--armor", "--export"))
    signing = ("bundle", "export", tmp_path / "b.tar", "--store", store, "--sign-key", tmp_path / "secret.asc")
    for arguments, value, message in (
        ((), "", "name the variable"),
        (("--passphrase-env", "PASS"), "", 'the variable "PASS" is not set'),
        (("--passphrase-env", "PASS"), "shut", "passphrase is wrong"),
    ):
        refused = gitopsreg(*signing, *arguments, PASS=value)
        assert (refused.code, message in refused.stderr, "shut" in refused.stderr) == (2, True, False)
    assert gitopsreg(*signing, "--passphrase-env", "PASS", PASS="open sesame").code == 0
    trust = ("--trust", tmp_path / "public.asc", "--store", tmp_path / "target")
    assert gitopsreg("bundle", "import", tmp_path / "b.tar", *trust).code == 0


def test_without_a_signature_only_when_said(store: Path, tmp_path: Path) -> None:
    file, target = tmp_path / "bundle.tar", tmp_path / "target"
    _, public = keys(tmp_path)
    assert gitopsreg("bundle", "export", file, "--store", store).code == 2
    assert gitopsreg("bundle", "export", file, "--store", store, "--unsigned").code == 0
    assert gitopsreg("bundle", "import", file, "--store", target).code == 2
    refused = gitopsreg("bundle", "import", file, "--store", target, "--trust", public)
    assert (refused.code, "is not signed" in refused.stderr) == (1, True)
    done = gitopsreg("bundle", "import", file, "--store", target, "--unsigned")
    assert (done.code, "nobody vouches" in done.stderr) == (0, True)


def test_what_is_no_bundle(tmp_path: Path) -> None:
    _, public = keys(tmp_path)
    for data in (b"", b"x" * 2000):
        (tmp_path / "file").write_bytes(data)
        refused = gitopsreg("bundle", "import", tmp_path / "file", "--trust", public, "--store", tmp_path / "target")
        assert refused.code == 1
        assert "bundle" in refused.stderr
    missing = gitopsreg("bundle", "import", tmp_path / "none", "--trust", public, "--store", tmp_path / "target")
    assert (missing.code, "can't be read" in missing.stderr) == (2, True)
