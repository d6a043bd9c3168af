"""Who vouches for these bytes: OpenPGP keys and detached signatures. The only door to pysequoia; signs nothing.

Decision: we accept what both clients accept, less what is broken: SHA-1 and MD5 signatures, keys bound by SHA-1 alone,
and signatures made after their key had expired are refused. A signature made while its key was valid stays good.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pysequoia
from pysequoia.packet import HashAlgorithm, Packet, PacketPile, SignatureType, Tag

from gitopsreg.errors import IntegrityError
from gitopsreg.model.declaration import SigningKey

_BLOCK = re.compile(r"-----BEGIN PGP PUBLIC KEY BLOCK-----.*?-----END PGP PUBLIC KEY BLOCK-----", re.DOTALL)
# The layout that clients insist on; the library below would also read an armor whose line ends were lost.
_LAYOUT = re.compile(
    r"-----BEGIN PGP PUBLIC KEY BLOCK-----[^\S\n]*\n(?:[A-Za-z-]+:[^\n]*\n)*[^\S\n]*\n"
    r"(?:[0-9A-Za-z+/]{1,95}={0,2}[^\S\n]*\n)+(?:=[0-9A-Za-z+/]{4}[^\S\n]*\n)?[^\S\n]*"
    r"-----END PGP PUBLIC KEY BLOCK-----"
)
_SECRET = (Tag.SecretKey, Tag.SecretSubkey)
_KEYS = (Tag.PublicKey, Tag.PublicSubkey)
_BROKEN_HASHES = (HashAlgorithm.MD5, HashAlgorithm.SHA1, HashAlgorithm.RipeMD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A readable public key. Hex digits are upper case; `key_id` is the primary key's, also when a sub-key signs.

    `outdated` is a key whose own self-signatures no longer count (SHA-1 only): it can be read but not vouch.
    """

    fingerprint: str
    key_id: str
    armor: str
    revoked: bool
    outdated: bool
    expired_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signer:
    """A declared key beside what its armor holds; the sets are fingerprints of the primary key and sub-keys."""

    declared: SigningKey
    key: Key
    cert: pysequoia.Cert
    fingerprints: frozenset[str]
    revoked: frozenset[str]


def read_key(armor: str) -> Key:
    """The one public key in one armor block; raises IntegrityError (KeyNotTrusted) for anything else."""
    return _read(armor)[0]


def verify(data: bytes, signature: bytes, keys: Sequence[SigningKey], *, now: datetime | None = None) -> SigningKey:
    """The declared key that made this detached signature over exactly these bytes.

    Raises IntegrityError: SignatureInvalid, KeyNotTrusted, KeyRevoked, KeyExpired. `now` is the present by default
    (the library below reads the clock too); clients refuse a signature from the future, so we do.
    """
    signers = [_signer(declared) for declared in keys]
    packets = _signature_packets(signature)
    failures = []
    for signer in signers:
        made = [packet for packet in packets if _issuer(packet) in _names(signer.fingerprints)]
        failure = _failure(data, made, signer, now or datetime.now(UTC))
        if made and failure is None:
            return signer.declared
        if failure is not None:
            failures.append(failure)
    raise failures[0] if failures else _unknown(packets, signers)


def _failure(data: bytes, made: Sequence[Packet], signer: _Signer, now: datetime) -> IntegrityError | None:
    """Why what this key signed does not vouch. Clients give up at a key's first bad signature, so all must be good."""
    try:
        for packet in made:
            _check(data, packet, signer, now)
    except IntegrityError as error:
        return error
    return None


def _check(data: bytes, packet: Packet, signer: _Signer, now: datetime) -> None:
    try:
        problem = _key_problem(packet, signer) or _signature_problem(packet, now)
    except RuntimeError as error:  # the library refuses to name a type or hash that it does not know
        raise IntegrityError(
            f"the signature is of a kind that clients don't know ({_first_line(error)}): "
            "make it with gpg --detach-sign",
            reason="SignatureInvalid",
        ) from error
    if problem:
        reason, message = problem
        raise IntegrityError(message, reason=reason)
    try:
        pysequoia.verify(bytes=data, store=lambda _: [signer.cert], signature=pysequoia.Sig.from_bytes(bytes(packet)))
    except RuntimeError as error:
        raise IntegrityError(
            f'the signature by key "{signer.key.key_id}" ({signer.declared.name}) does not fit the signed bytes: '
            "the file was changed after signing, or the key may not sign; sign the file again",
            reason="SignatureInvalid",
        ) from error


def _key_problem(packet: Packet, signer: _Signer) -> tuple[str, str] | None:
    named = f'key "{signer.key.key_id}" ({signer.declared.name})'
    made = packet.signature_created
    if signer.declared.status == "revoked":
        return "KeyRevoked", f"{named} made the signature and is declared revoked: sign again with an active key"
    if signer.key.revoked or _issuer(packet) in _names(signer.revoked):
        return "KeyRevoked", f"{named} made the signature and is revoked by its owner: sign again with another key"
    if signer.key.outdated:
        return "KeyNotTrusted", (
            f"{named} made the signature but is bound by SHA-1 self-signatures, which no longer count: renew them "
            "(gpg --cert-digest-algo SHA512 --quick-set-expire ...) and declare the key as exported then"
        )
    if made and signer.key.expired_at and made >= signer.key.expired_at:
        return "KeyExpired", (
            f"{named} expired on {signer.key.expired_at:%Y-%m-%d} and signed on {made:%Y-%m-%d}: extend the key, "
            "declare it as exported then, or sign with another key"
        )
    return None


def _signature_problem(packet: Packet, now: datetime) -> tuple[str, str] | None:
    made, ends = packet.signature_created, packet.signature_expiration_time
    if packet.signature_type not in (SignatureType.Binary, SignatureType.Text):
        return "SignatureInvalid", "the signature is not one over a file: make it with gpg --detach-sign"
    if packet.hash_algorithm in _BROKEN_HASHES:
        return "SignatureInvalid", "the signature uses a broken hash (SHA-1 or older): sign with --digest-algo SHA512"
    if made is None or made > now:
        when = f"in the future ({made:%Y-%m-%dT%H:%M:%SZ})" if made else "at no stated time"
        return "SignatureInvalid", f"the signature was made {when}, which clients refuse: mend the signer's clock"
    if ends and ends <= now:
        return (
            "SignatureInvalid",
            f"the signature expired on {ends:%Y-%m-%d}, so clients refuse it: sign without an end",
        )
    return None


def _unknown(packets: list[Packet], signers: list[_Signer]) -> IntegrityError:
    made_by = " and ".join(f'"{(_issuer(packet) or "unknown")[-16:].upper()}"' for packet in packets)
    tried = ", ".join(f'"{signer.key.key_id}" ({signer.declared.name})' for signer in signers)
    right = f"it should be one of {tried}" if tried else "no declared key covers this version"
    return IntegrityError(
        f"the signature was made by key {made_by}, which is not trusted: {right}", reason="KeyNotTrusted"
    )


def _signature_packets(signature: bytes) -> list[Packet]:
    """The signatures of a binary `.sig`: one, or several one after another; nothing else."""
    if signature.lstrip().startswith(b"-----BEGIN PGP"):
        raise IntegrityError(
            "the signature is ASCII-armored, which clients can't read: publish the binary form "
            "(gpg --detach-sign without --armor, or gpg --dearmor)",
            reason="SignatureInvalid",
        )
    packets = _packets(signature, "SignatureInvalid", "the signature")
    if not packets or any(packet.tag != Tag.Signature for packet in packets):
        raise IntegrityError(
            "the signature file holds no detached OpenPGP signature: make it with gpg --detach-sign",
            reason="SignatureInvalid",
        )
    return packets


def _signer(declared: SigningKey) -> _Signer:
    try:
        key, cert, packets = _read(declared.public_key)
    except IntegrityError as error:
        raise IntegrityError(f'signing key "{declared.name}": {error}', reason=error.reason) from error
    wanted = "".join(declared.fingerprint.split()).upper()
    if wanted != key.fingerprint:
        raise IntegrityError(
            f'signing key "{declared.name}" declares the fingerprint "{wanted}", but its public key has '
            f'"{key.fingerprint}": find out which is right before changing either',
            reason="KeyNotTrusted",
        )
    return _Signer(
        declared=declared,
        key=key,
        cert=cert,
        fingerprints=frozenset(packet.fingerprint or "" for packet in packets if packet.tag in _KEYS),
        revoked=frozenset(_revoked_subkeys(packets)),
    )


def _read(armor: str) -> tuple[Key, pysequoia.Cert, list[Packet]]:
    block = _single_block(armor)
    packets = _packets(block.encode(), "KeyNotTrusted", "the public key")
    if any(packet.tag in _SECRET for packet in packets):
        raise _private_key_given()
    primaries = [packet for packet in packets if packet.tag == Tag.PublicKey]
    if len(primaries) != 1:
        raise IntegrityError(
            f"the armor holds {len(primaries)} public keys: declare each as its own SigningKey", reason="KeyNotTrusted"
        )
    try:
        cert = pysequoia.Cert.from_bytes(block.encode())
    except RuntimeError as error:
        raise IntegrityError(f"the public key can't be read: {_first_line(error)}", reason="KeyNotTrusted") from error
    if len(cert.fingerprint) != 40:
        raise IntegrityError(
            f'"{cert.fingerprint.upper()}" is a version 6 key, which clients can\'t read: use a version 4 key',
            reason="KeyNotTrusted",
        )
    return _key(cert, block), cert, packets


def _key(cert: pysequoia.Cert, block: str) -> Key:
    fingerprint = cert.fingerprint.upper()
    try:
        expired_at, outdated = cert.expiration, False
    except RuntimeError:  # no self-signature that counts today
        expired_at, outdated = None, True
    return Key(
        fingerprint=fingerprint,
        key_id=fingerprint[-16:],
        armor=block + "\n",
        revoked=cert.is_revoked,
        outdated=outdated,
        expired_at=expired_at,
    )


def _single_block(armor: str) -> str:
    """Clients read the first block of a string and no other, so a second one would be silently lost."""
    if "PRIVATE KEY BLOCK" in armor:
        raise _private_key_given()
    blocks = _BLOCK.findall(armor)
    if len(blocks) != 1:
        found = f"{len(blocks)} armor blocks, of which clients read only the first" if blocks else "no public key block"
        raise IntegrityError(
            f"the key text holds {found}: give exactly one, from -----BEGIN PGP PUBLIC KEY BLOCK----- to its END line",
            reason="KeyNotTrusted",
        )
    block: str = blocks[0].replace("\r\n", "\n")
    if not _LAYOUT.fullmatch(block):
        raise IntegrityError(
            "the public key block lost its line ends or its blank line, so clients can't read it: keep it as gpg "
            'printed it (in YAML: a block scalar, "publicKey: |")',
            reason="KeyNotTrusted",
        )
    return block


def _private_key_given() -> IntegrityError:
    return IntegrityError(
        "a PRIVATE KEY was given where a public key belongs: it must be treated as leaked, so revoke it and make a new "
        "one; declare the output of gpg --armor --export",
        reason="KeyNotTrusted",
    )


def _packets(data: bytes, reason: str, what: str) -> list[Packet]:
    try:
        return [packet for packet in PacketPile.from_bytes(data) if _is_known(packet)]
    except RuntimeError as error:
        raise IntegrityError(f"{what} can't be read as OpenPGP: {_first_line(error)}", reason=reason) from error


def _is_known(packet: Packet) -> bool:
    """Packets of kinds that nobody has defined are passed over, as RFC 9580 4.3 lets readers do."""
    try:
        return packet.tag is not None
    except RuntimeError:
        return False


def _revoked_subkeys(packets: Iterable[Packet]) -> Iterable[str]:
    """Sub-keys that a revocation follows: clients skip such keys whatever the revocation says."""
    current = ""
    for packet in packets:
        if packet.tag in _KEYS:
            current = packet.fingerprint or ""
        elif _revokes_subkey(packet):
            yield current


def _revokes_subkey(packet: Packet) -> bool:
    """Not what is no signature, nor what is one of a type that nobody has defined."""
    try:
        return bool(packet.signature_type == SignatureType.SubkeyRevocation)
    except RuntimeError:
        return False


def _issuer(packet: Packet) -> str | None:
    return packet.issuer_fingerprint or packet.issuer_key_id


def _names(fingerprints: frozenset[str]) -> frozenset[str]:
    """What a signature may call these keys: by fingerprint or by key id."""
    return fingerprints | {fingerprint[-16:] for fingerprint in fingerprints}


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].strip().rstrip(".") or "unreadable"
