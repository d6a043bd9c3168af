"""Signing with an OpenPGP secret key from a file. The other door to pysequoia: `upstream/signature` only verifies."""

import pysequoia

from gitopsreg.errors import ConfigError


class SecretKey:
    """A key that can sign; it is never written anywhere."""

    def __init__(self, armor: bytes, *, name: str, passphrase: str | None = None) -> None:
        """`name` is what messages call it. Raises ConfigError for what can't sign."""
        try:
            self._signer = pysequoia.Tsk.from_bytes(armor).signer(passphrase)
        except RuntimeError as error:
            raise ConfigError(_explained(name, str(error), locked=passphrase is None)) from None

    def sign(self, data: bytes) -> bytes:
        """A binary detached signature."""
        made: bytes = pysequoia.sign(self._signer, data, mode=pysequoia.SignatureMode.DETACHED, armor=False)
        return made


def _explained(name: str, error: str, *, locked: bool) -> str:
    if locked and "encrypted" in error:
        return f'the secret key "{name}" has a passphrase: name the variable that holds it with --passphrase-env NAME'
    if not locked:
        return f'the secret key "{name}" can\'t be used: the passphrase is wrong, or it is no armored secret key'
    right = "give the output of gpg --armor --export-secret-keys, of a key that has not expired"
    return f'"{name}" holds no secret key that can sign: {right}'
