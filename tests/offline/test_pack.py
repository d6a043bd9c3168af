"""What a bundle holds, and that it holds it the same way each time."""

import tarfile
from hashlib import sha256
from pathlib import Path

import pytest

from gitopsreg.errors import ConfigError, StorageError
from gitopsreg.index.contents import places
from gitopsreg.index.keys import LINK_KEY
from gitopsreg.index.repository import load
from gitopsreg.model.digest import Sha256
from gitopsreg.offline import bundle as listed
from gitopsreg.offline import pack
from gitopsreg.offline.secret_key import SecretKey
from tests.offline.bundles import SIGNER, a_bundle, entries, head_of
from tests.offline.gnupg import gnupg
from tests.offline.sites import a_store
from tests.protocol.samples import a_provider, old
from tests.server.house import publish_packages, stored_provider


def test_another_reader_of_tar_files_finds_the_same(tmp_path: Path) -> None:
    data = a_bundle(a_store(), tmp_path)
    with tarfile.open(tmp_path / "bundle.tar") as tar:
        members = tar.getmembers()
        found = [(member.name, tar.extractfile(member).read()) for member in members]  # type: ignore[union-attr]
    assert found == entries(data)
    assert [name for name, _ in found][:2] == ["bundle.json", "bundle.json.sig"]
    assert all(name == f"content/{sha256(content).hexdigest()}" for name, content in found[2:])
    assert {(member.mtime, member.uid, member.uname, member.mode) for member in members} == {(0, 0, "", 0o644)}


def test_the_same_snapshot_gives_the_same_bytes(tmp_path: Path) -> None:
    store = a_store()
    first, second = (entries(a_bundle(store, tmp_path)) for _ in range(2))
    assert first[0] == second[0]
    assert first[2:] == second[2:]


def test_it_holds_the_snapshot_and_no_secret(tmp_path: Path) -> None:
    store = a_store()
    store.put(LINK_KEY, b"k" * 32)
    store.put("status/registry", b"{}")
    bundle = listed.decode(entries(a_bundle(store, tmp_path))[0][1])
    keys = {member.key for member in bundle.members}
    assert {key.rpartition("/")[0] for key in keys} == {"index/roots", "index/shards", "index/packages", "blobs"}
    assert keys >= {place.key for place in places(load(store, bundle.root))}
    assert bundle.hostname == "registry.example.com"


def test_an_older_snapshot_and_only_what_is_new(tmp_path: Path) -> None:
    store = a_store()
    before = head_of(store).root
    publish_packages(store, old(), a_provider(stored_provider(store)))
    whole = listed.decode(entries(a_bundle(store, tmp_path))[0][1])
    assert whole.ancestors == (before,)
    assert listed.decode(entries(a_bundle(store, tmp_path, root=before))[0][1]).root == before
    delta = listed.decode(entries(a_bundle(store, tmp_path, since=before))[0][1])
    assert delta.since == before
    kinds = [member.key.rpartition("/")[0] for member in delta.members]
    assert sorted(kinds) == ["index/roots", "index/shards"]


def test_a_snapshot_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="gitopsreg history"):
        a_bundle(a_store(), tmp_path, root=Sha256.of(b"other"))


@pytest.mark.parametrize("data", [b"other", b"", None])
def test_altered_or_missing_bytes_leave_no_file(tmp_path: Path, data: bytes | None) -> None:
    store = a_store()
    bundle = pack.pack({"": store}, head_of(store).root)
    blob = next(member for member in bundle.members if member.key.startswith("blobs/"))
    store.delete(blob.key)
    if data is not None:
        store.put(blob.key, data)
    with pytest.raises(StorageError, match=r"torn or altered|not stored"):
        pack.write(bundle, {"": store}, tmp_path / "bundle.tar", SIGNER.sign)
    assert list(tmp_path.iterdir()) == []


def test_a_back_end_that_is_not_given_is_named(tmp_path: Path) -> None:
    store = a_store()
    bundle = pack.pack({"": store}, head_of(store).root)
    with pytest.raises(ConfigError, match="back end"):
        pack.write(bundle, {}, tmp_path / "bundle.tar", SIGNER.sign)


def test_what_we_sign_gpg_verifies(tmp_path: Path) -> None:
    data = b"signed"
    made = SecretKey(str(SIGNER.secret).encode(), name="key").sign(data)
    (tmp_path / "key.asc").write_text(str(SIGNER.public))
    (tmp_path / "data").write_bytes(data)
    (tmp_path / "data.sig").write_bytes(made)
    with gnupg(tmp_path / "gnupg") as gpg:
        gpg("--import", tmp_path / "key.asc")
        gpg("--verify", tmp_path / "data.sig", tmp_path / "data")


@pytest.mark.parametrize(
    ("armor", "passphrase", "message"),
    [
        (b"", None, "no secret key that can sign"),
        (str(SIGNER.public).encode(), None, "no secret key that can sign"),
        (b"", "wrong", "passphrase is wrong"),
    ],
)
def test_what_can_not_sign(armor: bytes, passphrase: str | None, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SecretKey(armor, name="secret.asc", passphrase=passphrase)
