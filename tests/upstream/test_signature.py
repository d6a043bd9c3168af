import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pysequoia
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gitopsreg.errors import IntegrityError
from gitopsreg.model.declaration import SigningKey
from gitopsreg.upstream.signature import read_key, verify
from tests.releases import a_signer

DATA = b"signed bytes\n"
FILES = Path(__file__).parent / "data" / "openpgp"  # made by make.sh beside them
# The public registry's data, laid out like opentofu/registry, where it lies beside the clone.
REAL_KEYS = Path(__file__).parents[3] / "shared" / "data" / "opentofu-registry-a-m.tar.xz"


def a_key(name: str) -> SigningKey:
    armor = (FILES / f"{name}.asc").read_text()
    return SigningKey(namespace="acme", name=name, fingerprint=read_key(armor).fingerprint, public_key=armor)


def a_signature(name: str) -> bytes:
    return (FILES / f"{name}.sig").read_bytes()


def changed(key: SigningKey, **fields: str) -> SigningKey:
    return SigningKey(**{name: fields.get(name, getattr(key, name)) for name in SigningKey.__slots__})


def refused(reason: str, signature: bytes, *keys: SigningKey, data: bytes = DATA) -> str:
    with pytest.raises(IntegrityError) as caught:
        verify(data, signature, keys)
    assert caught.value.reason == reason
    assert "backtrace" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", ["lasting", "rsa", "dsa", "p256"])
def test_a_good_signature_of_every_kind_of_key_vouches(name: str) -> None:
    assert verify(DATA, a_signature(name), [a_key(name)]).name == name


def test_a_text_mode_signature_vouches() -> None:
    assert verify(DATA, a_signature("lasting-textmode"), [a_key("lasting")]).name == "lasting"


def test_a_signing_subkey_vouches_under_the_primary_key() -> None:
    signer = a_signer()
    key = signer.declared()
    assert verify(DATA, signer.sign(DATA), [key]) is key
    assert read_key(key.public_key).key_id == signer.key_id


def test_the_key_that_signed_is_returned_whatever_its_place() -> None:
    keys = [a_key("rsa"), a_signer().declared(), a_key("lasting")]
    assert verify(DATA, a_signature("lasting"), keys).name == "lasting"


def test_of_two_signatures_in_one_file_either_key_vouches() -> None:
    both = a_signature("lasting") + a_signature("rsa")
    assert verify(DATA, both, [a_key("lasting")]).name == "lasting"
    assert verify(DATA, both, [a_key("rsa")]).name == "rsa"


def test_changed_bytes_are_refused() -> None:
    message = refused("SignatureInvalid", a_signature("lasting"), a_key("lasting"), data=DATA + b" ")
    assert "changed after signing" in message


@pytest.mark.parametrize("from_end", range(1, 62, 6))
def test_a_flipped_bit_in_the_signature_is_refused(from_end: int) -> None:
    broken = bytearray(a_signature("lasting"))
    broken[-from_end] ^= 1
    refused("SignatureInvalid", bytes(broken), a_key("lasting"))


def test_another_key_is_named_beside_the_trusted_ones() -> None:
    key = a_key("rsa")
    message = refused("KeyNotTrusted", a_signature("lasting"), key)
    assert read_key(a_key("lasting").public_key).key_id in message
    assert f'"{read_key(key.public_key).key_id}" (rsa)' in message


def test_without_any_key_nothing_vouches() -> None:
    assert "no declared key" in refused("KeyNotTrusted", a_signature("lasting"))


@pytest.mark.pitfall(32)
def test_pitfall_32_armored_signature_is_refused() -> None:
    signer = a_signer()
    message = refused("SignatureInvalid", signer.sign(DATA, armor=True), signer.declared())
    assert "publish the binary form" in message


@pytest.mark.parametrize(
    "signature",
    [b"", b"hello", b"\xc2\x00", bytes(a_signer().public), a_signature("lasting")[:-3], a_signature("lasting") + b"x"],
    ids=["empty", "text", "empty packet", "a key", "cut short", "with a tail"],
)
def test_what_is_no_signature_is_refused(signature: bytes) -> None:
    refused("SignatureInvalid", signature, a_key("lasting"))


def test_a_signature_over_something_that_is_no_file_is_refused() -> None:
    signer = a_signer()
    revocation = bytes(signer.public.revoke(signer.secret.certifier()))
    assert "gpg --detach-sign" in refused("SignatureInvalid", revocation, signer.declared())


@pytest.mark.pitfall(34)
def test_pitfall_34_signature_from_the_future_is_refused() -> None:
    message = refused("SignatureInvalid", a_signature("lasting-future"), a_key("lasting"))
    assert "2099-06-01T00:00:00Z" in message


@pytest.mark.pitfall(34)
def test_pitfall_34_even_a_minute_ahead_is_the_future() -> None:
    signer = a_signer()
    before = datetime.now(UTC) - timedelta(minutes=1)
    with pytest.raises(IntegrityError, match="in the future"):
        verify(DATA, signer.sign(DATA), [signer.declared()], now=before)


def test_an_expired_signature_is_refused() -> None:
    assert "expired on 2020-07-01" in refused("SignatureInvalid", a_signature("lasting-expiring"), a_key("lasting"))


def test_a_broken_hash_is_refused() -> None:
    assert "SHA512" in refused("SignatureInvalid", a_signature("rsa-sha1"), a_key("rsa"))


def test_an_expired_key_vouches_for_what_it_signed_in_time() -> None:
    key = a_key("expired")
    assert read_key(key.public_key).expired_at == datetime(2020, 12, 31, tzinfo=UTC)
    assert verify(DATA, a_signature("expired-signed-in-time"), [key]) is key


def test_an_expired_key_does_not_vouch_for_what_it_signed_later() -> None:
    message = refused("KeyExpired", a_signature("expired-signed-too-late"), a_key("expired"))
    assert "2020-12-31" in message
    assert "2023-06-01" in message


def test_a_key_declared_revoked_does_not_vouch() -> None:
    key = changed(a_key("lasting"), status="revoked")
    assert "declared revoked" in refused("KeyRevoked", a_signature("lasting"), key)


def test_a_retired_key_still_vouches() -> None:
    key = changed(a_key("lasting"), status="retired")
    assert verify(DATA, a_signature("lasting"), [key]) is key


def test_a_key_revoked_by_its_owner_does_not_vouch() -> None:
    signer = a_signer()
    key = changed(signer.declared(), public_key=signer.revoked_by_owner())
    assert read_key(key.public_key).revoked
    assert "revoked by its owner" in refused("KeyRevoked", signer.sign(DATA), key)


def test_a_second_key_vouches_though_the_first_signer_is_revoked() -> None:
    old, new = a_signer("old"), a_signer("new")
    both = old.sign(DATA) + new.sign(DATA)
    assert verify(DATA, both, [changed(old.declared(), status="revoked"), new.declared()]).name == "new"


def test_a_key_bound_by_sha1_can_be_read_but_not_vouch() -> None:
    key = a_key("sha1bound")
    assert read_key(key.public_key).outdated
    assert "SHA-1 self-signatures" in refused("KeyNotTrusted", a_signature("sha1bound"), key)


def test_a_fingerprint_that_is_not_the_keys_own_is_refused_loudly() -> None:
    key = changed(a_key("lasting"), fingerprint="0" * 40)
    message = refused("KeyNotTrusted", a_signature("lasting"), key)
    assert '"' + "0" * 40 + '"' in message
    assert a_key("lasting").fingerprint in message


def test_a_fingerprint_may_be_written_in_groups_and_any_case() -> None:
    fingerprint = a_key("lasting").fingerprint.lower()
    grouped = " ".join(fingerprint[at : at + 4] for at in range(0, 40, 4))
    assert verify(DATA, a_signature("lasting"), [changed(a_key("lasting"), fingerprint=grouped)]).name == "lasting"


class TestReadKey:
    def test_what_a_key_says(self) -> None:
        key = read_key((FILES / "rsa.asc").read_text())
        assert len(key.fingerprint) == 40
        assert key.fingerprint == key.fingerprint.upper()
        assert key.key_id == key.fingerprint[-16:]
        assert not key.revoked
        assert not key.outdated
        assert key.expired_at is None

    def test_text_around_the_block_is_left_out(self) -> None:
        armor = (FILES / "rsa.asc").read_text()
        assert read_key(f"Our key:\n{armor}bye\n").armor == armor

    def test_windows_line_ends_are_read(self) -> None:
        armor = (FILES / "rsa.asc").read_text()
        assert read_key(armor.replace("\n", "\r\n")).fingerprint == read_key(armor).fingerprint

    @pytest.mark.pitfall(33)
    def test_pitfall_33_two_armor_blocks_in_one_string_are_refused(self) -> None:
        both = (FILES / "rsa.asc").read_text() + (FILES / "lasting.asc").read_text()
        with pytest.raises(IntegrityError, match="2 armor blocks") as caught:
            read_key(both)
        assert caught.value.reason == "KeyNotTrusted"

    def test_two_keys_in_one_block_are_refused(self) -> None:
        both = bytes(a_signer("one").public) + bytes(a_signer("two").public)
        with pytest.raises(IntegrityError, match="own SigningKey"):
            read_key(pysequoia.armor(both, pysequoia.ArmorKind.PublicKey))

    def test_a_private_key_is_refused_loudly(self) -> None:
        with pytest.raises(IntegrityError, match="PRIVATE KEY was given"):
            read_key(str(a_signer().secret))

    def test_a_private_key_under_a_public_label_is_refused_loudly(self) -> None:
        disguised = pysequoia.armor(bytes(a_signer().secret), pysequoia.ArmorKind.PublicKey)
        with pytest.raises(IntegrityError, match="PRIVATE KEY was given"):
            read_key(disguised)

    def test_a_key_that_clients_can_not_read_is_refused(self) -> None:
        secret = pysequoia.Tsk.generate("new <new@example.com>", profile=pysequoia.Profile.RFC9580)
        with pytest.raises(IntegrityError, match="version 6"):
            read_key(str(secret.extract_certificate()))

    @pytest.mark.parametrize(("there", "instead"), [("\n", " "), ("\n", "\\n"), ("\n\n", "\n"), ("\n", "")])
    def test_an_armor_that_lost_its_line_ends_is_refused(self, there: str, instead: str) -> None:
        with pytest.raises(IntegrityError, match="lost its line ends"):
            read_key((FILES / "rsa.asc").read_text().replace(there, instead))

    def test_a_damaged_armor_is_refused(self) -> None:
        lines = (FILES / "rsa.asc").read_text().splitlines(keepends=True)
        with pytest.raises(IntegrityError):
            read_key("".join(lines[:4] + lines[6:]))

    @pytest.mark.parametrize("text", ["", "hello", a_signer().sign(DATA, armor=True).decode()], ids=["", "text", "sig"])
    def test_what_is_no_key_is_refused(self, text: str) -> None:
        with pytest.raises(IntegrityError, match="no public key block"):
            read_key(text)

    @given(st.binary(max_size=200))
    @example(b"\xbf")
    @settings(max_examples=50, deadline=None)
    def test_any_bytes_in_armor_are_refused_with_our_error(self, data: bytes) -> None:
        with pytest.raises(IntegrityError):
            read_key(pysequoia.armor(data, pysequoia.ArmorKind.PublicKey))


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_any_bytes_as_a_signature_are_refused_with_our_error(data: bytes) -> None:
    with pytest.raises(IntegrityError):
        verify(DATA, data, [a_key("lasting")])


def replaced(data: bytes, place: int, byte: int) -> bytes:
    return data[:place] + bytes([byte]) + data[place + 1 :]


@pytest.mark.parametrize(("place", "what"), [(4, "Unknown signature type"), (6, "Unknown hash algorithm")])
def test_a_signature_of_an_unknown_kind_is_refused_in_one_line(place: int, what: str) -> None:
    message = refused("SignatureInvalid", replaced(a_signature("rsa"), place, 0x7F), a_key("rsa"))
    assert what in message
    assert "\n" not in message


def damaged(data: bytes, at: float, byte: int) -> bytes:
    return replaced(data, min(int(at * len(data)), len(data) - 1), byte)


def armored(data: bytes) -> str:
    return pysequoia.armor(data, pysequoia.ArmorKind.PublicKey)


KEYS = st.sampled_from(["lasting", "rsa", "dsa", "p256"])
WHERE = st.floats(0, 1)
BYTES = st.sampled_from([0, 1, 3, 0x7F, 0xFF]) | st.integers(0, 255)


@given(KEYS, WHERE, BYTES)
@settings(max_examples=300, deadline=None)
def test_a_damaged_signature_vouches_or_is_refused_with_our_error(name: str, at: float, byte: int) -> None:
    message = ""
    try:
        verify(DATA, damaged(a_signature(name), at, byte), [a_key(name)])
    except IntegrityError as error:
        message = str(error)
    assert "\n" not in message


@given(KEYS, WHERE, BYTES)
@settings(max_examples=300, deadline=None)
def test_a_damaged_key_is_read_or_refused_with_our_error(name: str, at: float, byte: int) -> None:
    whole = pysequoia.Cert.from_bytes(a_key(name).public_key.encode())
    armor = armored(damaged(bytes(whole), at, byte))
    message = ""
    try:
        key = changed(a_key(name), public_key=armor, fingerprint=read_key(armor).fingerprint)
        verify(DATA, a_signature(name), [key])
    except IntegrityError as error:
        message = str(error)
    assert "\n" not in message


def test_a_key_with_a_signature_of_an_unknown_type_beside_its_own_vouches() -> None:
    whole = bytes(pysequoia.Cert.from_bytes(a_key("rsa").public_key.encode()))
    own = whole.index(b"\xc2\xc1\x0e\x04\x13")  # the packet's tag, its length, version 4, a certification
    armor = armored(whole + replaced(whole[own:], 4, 0x7F))
    assert verify(DATA, a_signature("rsa"), [changed(a_key("rsa"), public_key=armor)]).name == "rsa"


@pytest.mark.skipif(not REAL_KEYS.exists(), reason="the public registry's data is not beside this clone")
def test_every_key_of_a_public_registry_can_be_read() -> None:
    read = []
    with tarfile.open(REAL_KEYS) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.name.startswith("keys/") and member.isfile() else None
            if content:
                read.append(read_key(content.read().decode()))
    assert len(read) > 50
    assert sum(key.outdated for key in read) < len(read) / 10
