"""A bundle that is torn, altered or made by somebody else: refused, and nothing is served."""

import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gitopsreg.errors import BundleRefused, ConfigError
from gitopsreg.index.head import read_head
from gitopsreg.model.digest import Sha256
from gitopsreg.offline import bundle as listed
from gitopsreg.offline.bundle import Member
from gitopsreg.storage.base import BlobStore
from gitopsreg.storage.memory import MemoryStore
from tests.offline.bundles import (
    SIGNER,
    Entries,
    a_bundle,
    entries,
    imported,
    put_together,
    signed,
    trusted,
)
from tests.offline.sites import a_store


def everything(store: BlobStore) -> dict[str, bytes]:
    """But what is each store's own."""
    own = ("index/head", "private/", "status/")
    return {key: store.get(key) for key in store.keys("") if not key.startswith(own)}


def altered(change: Callable[[Entries], None], folder: Path) -> bytes:
    found = entries(a_bundle(a_store(), folder))
    change(found)
    return put_together(found)


def flip(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


ALTERED: dict[str, Callable[[Entries], None]] = {
    "list": lambda found: found.__setitem__(0, (found[0][0], found[0][1].replace(b"main@", b"evil@"))),
    "signature": lambda found: found.__setitem__(1, (found[1][0], flip(found[1][1]))),
    "no signature": lambda found: found.__delitem__(1),
    "signature of nothing": lambda found: found.__setitem__(1, (found[1][0], b"")),
    "content": lambda found: found.__setitem__(-1, (found[-1][0], flip(found[-1][1]))),
    "shorter": lambda found: found.__setitem__(-1, (found[-1][0], found[-1][1][:-1])),
    "longer": lambda found: found.__setitem__(-1, (found[-1][0], found[-1][1] + b"x")),
    "missing": lambda found: found.__delitem__(-1),
    "missing in the middle": lambda found: found.__delitem__(4),
    "twice": lambda found: found.append(found[-1]),
    "unexpected": lambda found: found.append(("content/x", b"x")),
    "another order": lambda found: found.insert(2, found.pop()),
    "a path that leads outside": lambda found: found.__setitem__(-1, ("../../x", found[-1][1])),
    "no list": lambda found: found.__delitem__(0),
    "a huge signature": lambda found: found.__setitem__(1, (found[1][0], b"x" * (listed.MAX_SIGNATURE + 1))),
}


@pytest.mark.parametrize("what", ALTERED)
def test_an_altered_bundle_is_refused(tmp_path: Path, what: str) -> None:
    target = MemoryStore()
    with pytest.raises(BundleRefused):
        imported(altered(ALTERED[what], tmp_path), target, trusted(tmp_path))
    assert read_head(target) is None
    for key, value in everything(target).items():
        assert Sha256.of(value).hex == key.rpartition("/")[2]


@pytest.mark.parametrize("size", [0, 100, 511, 512, 700, 3000, -1, -512, -1024, -1500])
def test_a_torn_file_is_refused(tmp_path: Path, size: int) -> None:
    target = MemoryStore()
    with pytest.raises(BundleRefused):
        imported(a_bundle(a_store(), tmp_path)[:size], target, trusted(tmp_path))
    assert read_head(target) is None


def test_what_is_behind_the_end_is_zeros_or_refused(tmp_path: Path) -> None:
    data, verify = a_bundle(a_store(), tmp_path), trusted(tmp_path)
    with pytest.raises(BundleRefused, match="behind its end"):
        imported(data + b"x", MemoryStore(), verify)
    assert imported(data + bytes(9000), MemoryStore(), verify).changed


def test_another_key_is_not_trusted(tmp_path: Path) -> None:
    with pytest.raises(BundleRefused, match="which is not trusted: it should be one of"):
        imported(a_bundle(a_store(), tmp_path), MemoryStore(), trusted(tmp_path, "stranger"))


def test_nobody_vouches_only_on_request(tmp_path: Path) -> None:
    found = entries(a_bundle(a_store(), tmp_path))
    del found[1]
    with pytest.raises(BundleRefused, match="is not signed"):
        imported(put_together(found), MemoryStore(), trusted(tmp_path))
    assert imported(put_together(found), MemoryStore(), None).changed


MEMBERS: dict[str, dict[str, Any]] = {
    "the pointer": {"key": "index/head"},
    "a secret": {"key": "private/link-key"},
    "status": {"key": "status/registry"},
    "outside": {"key": "../../blobs/x"},
    "another digest": {"key": "blobs/" + "a" * 64},
    "another size": {"size": -1},
    "a document of a back end": {"backend": "archive", "key": "index/roots/{hex}"},
}


@pytest.mark.parametrize("what", MEMBERS)
def test_also_a_signed_list_names_contents_only(tmp_path: Path, what: str) -> None:
    found = entries(a_bundle(a_store(), tmp_path))
    bundle = listed.decode(found[0][1])
    values: dict[str, Any] = {"backend": "", "key": "blobs/{hex}", "sha256": Sha256.of(b"x"), "size": 1} | MEMBERS[what]
    member = Member(**(values | {"key": str(values["key"]).format(hex=Sha256.of(b"x").hex)}))
    odd = replace(bundle, members=(*bundle.members, member))
    target = MemoryStore()
    with pytest.raises(BundleRefused, match="not a list of a bundle"):
        imported(signed(odd, [*found[2:], (listed.content_name(member.blob), b"x")]), target, trusted(tmp_path))
    assert list(target.keys("")) == []


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"format":2}', b'{"format":1}', b'{"format":true}', b"[" * 9999])
def test_a_list_that_is_none(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(BundleRefused):
        imported(signed(data, []), MemoryStore(), trusted(tmp_path))


def test_a_content_listed_twice_is_refused(tmp_path: Path) -> None:
    found = entries(a_bundle(a_store(), tmp_path))
    bundle = listed.decode(found[0][1])
    twice = replace(bundle, members=(*bundle.members, bundle.members[-1]))
    with pytest.raises(BundleRefused, match="listed twice"):
        imported(signed(twice, found[2:]), MemoryStore(), trusted(tmp_path))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.XHDTYPE, tarfile.CHRTYPE])
def test_only_plain_files(tmp_path: Path, kind: bytes) -> None:
    """The extensions of the format, too: whoever reads them keeps in memory what the file wants."""
    odd = tarfile.TarInfo("bundle.json")
    odd.type, odd.linkname = kind, "/etc/passwd"
    data = odd.tobuf(tarfile.USTAR_FORMAT) + a_bundle(a_store(), tmp_path)
    with pytest.raises(BundleRefused, match="no plain file"):
        imported(data, MemoryStore(), trusted(tmp_path))


def test_only_public_keys_are_trusted(tmp_path: Path) -> None:
    from gitopsreg.offline.trust import trusting

    path = tmp_path / "key.asc"
    for text in ("", "no key", str(SIGNER.secret), "ä"):
        path.write_text(text)
        with pytest.raises(ConfigError, match="can't be trusted"):
            trusting([path])
    with pytest.raises(ConfigError, match="can't be read"):
        trusting([tmp_path / "none.asc"])
