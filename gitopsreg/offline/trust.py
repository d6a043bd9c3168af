"""Whom an import believes: public keys from files that the operator chose. There is no trust on first use."""

from collections.abc import Sequence
from pathlib import Path

from gitopsreg.errors import BundleRefused, ConfigError, IntegrityError
from gitopsreg.model.declaration import SigningKey
from gitopsreg.offline.unpack import Verify
from gitopsreg.upstream.signature import read_key, verify


def trusting(files: Sequence[Path]) -> Verify:
    """Vouches for what one of these keys signed. Raises ConfigError for a file that holds no public key."""
    keys = [_key(path) for path in files]

    def check(data: bytes, signature: bytes) -> None:
        try:
            verify(data, signature, keys)
        except IntegrityError as error:
            raise BundleRefused(f"the bundle is not trusted: {error}") from error

    return check


def _key(path: Path) -> SigningKey:
    try:
        key = read_key(path.read_text(encoding="ascii"))
    except OSError as error:
        raise ConfigError(f'the public key "{path}" can\'t be read: {error.strerror}') from error
    except (UnicodeDecodeError, IntegrityError) as error:
        raise ConfigError(f'"{path}" can\'t be trusted: {error}') from error
    return SigningKey(namespace="", name=path.name, fingerprint=key.fingerprint, public_key=key.armor)
