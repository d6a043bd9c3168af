"""The keys that a registry's key files hold, each read once however many providers it signs for."""

from collections.abc import Callable, Iterable

from gitopsreg.errors import IntegrityError
from gitopsreg.index.model import PublicKey
from gitopsreg.upstream import signature
from gitopsreg.upstream.base import Skipped
from gitopsreg.upstream.opentofu_git_layout import File

MAX_SIZE = 256 * 1024
_MOST_REMEMBERED = 10_000


class KeyFiles:
    """Remembers keys by their blobs, so that all versions share one."""

    def __init__(self) -> None:
        self._known: dict[str, PublicKey | str] = {}

    def knows(self, file: File) -> bool:
        return file.oid in self._known

    def read(
        self, files: Iterable[File], blob: Callable[[str], bytes]
    ) -> tuple[tuple[PublicKey, ...], tuple[Skipped, ...]]:
        """The keys that clients can use, in the order of the files, and the files without one."""
        keys: list[PublicKey] = []
        skipped: list[Skipped] = []
        for file in files:
            found = self._key(file, blob)
            if isinstance(found, str):
                skipped.append(Skipped(ref=file.path, reason=found))
            else:
                keys.append(found)
        return tuple(keys), tuple(skipped)

    def _key(self, file: File, blob: Callable[[str], bytes]) -> PublicKey | str:
        """The key, or why it is none."""
        found = self._known.get(file.oid)
        if found is None:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            found = self._known.setdefault(file.oid, _read(file.oid, blob))
        return found


def _read(oid: str, blob: Callable[[str], bytes]) -> PublicKey | str:
    """Expired keys and such with old self-signatures stay: clients take what they signed in their time."""
    try:
        key = signature.read_key(blob(oid).decode(errors="replace"))
    except IntegrityError as error:
        return str(error)
    return "its owner has revoked it" if key.revoked else PublicKey(key_id=key.key_id, armor=key.armor)
