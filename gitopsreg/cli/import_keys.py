"""Public keys of a registry that is imported: each file becomes one SigningKey, or is left out with the reason."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from gitopsreg.catalog.compose import NewKey
from gitopsreg.cli.importing import LeftOut
from gitopsreg.errors import UpstreamError
from gitopsreg.model.address import ProviderAddress
from gitopsreg.upstream.opentofu_folder import OpentofuFolder
from gitopsreg.upstream.opentofu_git_layout import Entry, File
from gitopsreg.upstream.signature import Key, read_key

_LARGEST = 128 * 1024
_LONGEST_NAME = 63
# keys/<c>/<namespace>/<type>/<file>
_OWN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRing:
    """`keys` are what is declared; `trusted` are the names that each provider has to name, in its upstream's order."""

    keys: tuple[NewKey, ...] = ()
    trusted: dict[ProviderAddress, tuple[str, ...]]
    left_out: tuple[LeftOut, ...] = ()


def read_keys(folder: OpentofuFolder, entries: Iterable[Entry], now: datetime) -> KeyRing:
    """The keys of these packages; those of nobody are not looked for."""
    wanted = {
        entry.address: folder.layout.keys(entry) for entry in entries if isinstance(entry.address, ProviderAddress)
    }
    ring = _Ring(folder, now)
    trusted = {
        address: tuple(filter(None, (ring.name(address.namespace, file) for file in files)))
        for address, files in wanted.items()
    }
    return KeyRing(keys=tuple(ring.keys.values()), trusted=trusted, left_out=tuple(ring.left_out))


class _Ring:
    """Each file is read once for each namespace that trusts it."""

    def __init__(self, folder: OpentofuFolder, now: datetime) -> None:
        self._folder = folder
        self._now = now
        self._names: dict[tuple[str, str], str] = {}
        self.keys: dict[tuple[str, str], NewKey] = {}
        self.left_out: list[LeftOut] = []

    def name(self, namespace: str, file: File) -> str:
        """What the key is called in the namespace, "" when it can't be declared."""
        known = self._names.get((namespace, file.path))
        return self._read(namespace, file) if known is None else known

    def _read(self, namespace: str, file: File) -> str:
        try:
            key = read_key(self._folder.read(file, limit=_LARGEST).decode().replace("\r\n", "\n"))
        except UnicodeDecodeError:
            return self._leave_out(namespace, file, "it is no text")
        except UpstreamError as error:
            return self._leave_out(namespace, file, str(error))
        if key.revoked:
            return self._leave_out(namespace, file, "its owner has revoked it")
        name = _called(file, key, {taken for place, taken in self.keys if place == namespace})
        self.keys[namespace, name] = _declared(namespace, name, file, key, self._now)
        self._names[namespace, file.path] = name
        return name

    def _leave_out(self, namespace: str, file: File, why: str) -> str:
        self.left_out.append(LeftOut(file.path, why))
        self._names[namespace, file.path] = ""
        return ""


def _provider(file: File) -> str:
    """The provider whose key it is, "" for one of the namespace."""
    parts = file.path.split("/")
    return parts[-2].lower() if len(parts) > _OWN else ""


def _called(file: File, key: Key, taken: set[str]) -> str:
    """As the file is called, after its provider if it is one's own; told apart by the fingerprint when taken."""
    stem = file.path.rpartition("/")[2].rpartition(".")[0]
    called = f"{_provider(file)}-{stem}" if _provider(file) else stem
    name = re.sub(r"[^0-9a-z]+", "-", called.lower()).strip("-")[:_LONGEST_NAME].rstrip("-") or "key"
    if name not in taken:
        return name
    tail = f"-{key.fingerprint[-16:].lower()}"
    return name[: _LONGEST_NAME - len(tail)] + tail


def _declared(namespace: str, name: str, file: File, key: Key, now: datetime) -> NewKey:
    status, note = _standing(key, now)
    return NewKey(
        namespace=namespace,
        name=name,
        fingerprint=key.fingerprint,
        armor=key.armor,
        status=status,
        note=note,
        providers=(_provider(file),) if _provider(file) else (),
    )


def _standing(key: Key, now: datetime) -> tuple[str, str]:
    """(status, a note). Clients go on trusting an outdated key, so it is declared; we verify nothing with it."""
    if key.expired_at and key.expired_at <= now:
        return "retired", f"It expired on {key.expired_at:%Y-%m-%d}: what it signed before stays good."
    if key.outdated:
        return "active", "Its self-signatures use SHA-1: good for delivery by reference, refused where we verify."
    return "active", ""
