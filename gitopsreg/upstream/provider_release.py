"""The gate every provider version passes: signature first, then every platform's zip, all of them or none.

Takes files by name, wherever they lie; knows no forge, no Git, no network, and publishes nothing itself.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Self

from gitopsreg.errors import IntegrityError, InvalidName, quoted
from gitopsreg.index.model import Blob, Content, ProviderBuild, PublicKey
from gitopsreg.model.address import Platform
from gitopsreg.model.declaration import ProviderDeclaration, SigningKey
from gitopsreg.model.digest import Sha256
from gitopsreg.model.version import Version
from gitopsreg.upstream import checksums, manifest, provider_zip, signature
from gitopsreg.upstream.base import Payload
from gitopsreg.upstream.checksums import Checksums
from gitopsreg.upstream.provider_zip import Inspected
from gitopsreg.upstream.spool import Spool

MAX_SIGNATURE = 64 * 1024
# Zips that are looked into at once.
_LOOKING = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseFile:
    """One file of a release; `size` is what its host says, `open` yields all of it, each time anew."""

    name: str
    size: int
    open: Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedRelease:
    """All that `ProviderVersion` needs. `keys`: the one that signed first, then the others that may sign this version.

    `payloads` can be opened until `close`, which is also what leaving the `with` block does; `notes` are for people.
    """

    protocols: tuple[str, ...]
    builds: tuple[ProviderBuild, ...]
    checksums: Blob
    checksums_filename: str
    signature: Blob
    keys: tuple[PublicKey, ...]
    payloads: tuple[Payload, ...]
    notes: tuple[str, ...] = ()
    _spools: ExitStack = field(default_factory=ExitStack, repr=False, compare=False)

    def close(self) -> None:
        self._spools.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def verify(declaration: ProviderDeclaration, version: Version, files: Mapping[str, ReleaseFile]) -> VerifiedRelease:
    """Raises IntegrityError, each thing that is wrong with its own reason and message; StorageError for a full disk.

    What a file's `open` raises comes through.
    """
    return _Gate(declaration, version, files).pass_through()


class _Gate:
    """One release on its way through; the methods are the steps, in this order."""

    def __init__(self, declaration: ProviderDeclaration, version: Version, files: Mapping[str, ReleaseFile]) -> None:
        self.declaration = declaration
        self.version = version
        self.files = files
        self.prefix = f"terraform-provider-{declaration.address.type}_{version}_"
        self.sums_name = f"{self.prefix}SHA256SUMS"

    def pass_through(self) -> VerifiedRelease:
        sums_bytes, signature_bytes, keys = self._vouched()
        sums = checksums.parse(sums_bytes)
        self._check_pin(sums)
        platforms = self._platforms(sums)
        protocols = self._protocols(sums)
        with ExitStack() as spools:
            builds, payloads = self._builds(sums, platforms, spools)
            parts = [_in_memory(sums_bytes), _in_memory(signature_bytes)]
            return VerifiedRelease(
                protocols=protocols,
                builds=builds,
                checksums=parts[0].blob,
                checksums_filename=self.sums_name,
                signature=parts[1].blob,
                keys=keys,
                payloads=tuple({payload.blob: payload for payload in (*parts, *payloads)}.values()),
                notes=_notes(builds),
                _spools=spools.pop_all(),
            )

    def _vouched(self) -> tuple[bytes, bytes, tuple[PublicKey, ...]]:
        """SHA256SUMS and its signature, which one of the declared keys made."""
        signature_name = f"{self.sums_name}.sig"
        missing = [name for name in (self.sums_name, signature_name) if name not in self.files]
        if missing:
            raise IntegrityError(self._not_there(missing), reason="IncompleteRelease")
        sums = self._read(self.sums_name, checksums.MAX_SIZE)
        signed = self._read(signature_name, MAX_SIGNATURE)
        covering = [key for key in self.declaration.keys if key.covers(self.declaration.address, self.version)]
        if not covering:
            raise IntegrityError(
                f'no signing key is declared for version "{self.version}" of "{self.declaration.address.path}": '
                "declare a SigningKey whose scope covers it and name it in verify.keys",
                reason="KeyNotTrusted",
            )
        vouching = signature.verify(sums, signed, covering)
        return sums, signed, tuple(_served_keys(vouching, covering))

    def _not_there(self, missing: list[str]) -> str:
        names = " and ".join(quoted(name) for name in missing)
        message = f"the release has no {names}: publish SHA256SUMS and its detached binary signature beside the zips"
        if self.sums_name in self.files and f"{self.sums_name}.asc" in self.files:
            return f'{message} (there is an ASCII-armored ".asc": gpg --dearmor turns it into the binary form)'
        return message

    def _check_pin(self, sums: Checksums) -> None:
        """A provider's content is what its checksums say, so a pinned digest is that of SHA256SUMS."""
        pinned = next((pin.sha256 for pin in self.declaration.versions.pins if pin.version == self.version), None)
        found = Sha256.of(sums.data)
        if pinned is not None and pinned != found:
            raise IntegrityError(
                f'"{self.sums_name}" is "{found}", the catalog pins "{pinned}": find out who changed it',
                reason="PinMismatch",
            )

    def _platforms(self, sums: Checksums) -> tuple[Platform, ...]:
        """What is published: all of SHA256SUMS or just what the catalog requires, and complete either way."""
        required = self.declaration.platforms
        if self.declaration.completeness == "required-platforms":
            wanted = tuple(sorted(set(required)))
            if not wanted:
                raise IntegrityError(
                    'completeness "required-platforms" needs platforms: list them in spec.platforms',
                    reason="IncompleteRelease",
                )
            listed = {platform for platform in wanted if self._zip_name(platform) in sums.digests}
        else:
            self._check_unlisted(sums)
            listed = {self._platform_of(name) for name in sums.digests if name.endswith(".zip")}
            wanted = tuple(sorted({*listed, *required}))
        self._check_complete(wanted, listed)
        return wanted

    def _check_complete(self, wanted: tuple[Platform, ...], listed: set[Platform]) -> None:
        if not wanted:
            raise IntegrityError(
                f'"{self.sums_name}" lists no zip: expected names like "{self.prefix}linux_amd64.zip"',
                reason="IncompleteRelease",
            )
        unsigned = [str(platform) for platform in wanted if platform not in listed]
        absent = [str(item) for item in wanted if item in listed and self._zip_name(item) not in self.files]
        problems = []
        if unsigned:
            problems.append(f"{_listing(unsigned)} is required by the catalog but not in SHA256SUMS")
        if absent:
            problems.append(f"{_listing(absent)} is in SHA256SUMS but its zip is not there")
        if problems:
            raise IntegrityError(
                f"the release is incomplete, so no platform of it is published: {'; '.join(problems)}; "
                "a client on a missing platform would fail instead of taking an older version",
                reason="IncompleteRelease",
            )

    def _check_unlisted(self, sums: Checksums) -> None:
        unlisted = [name for name in self.files if name.startswith(self.prefix) and name.endswith(".zip")]
        unlisted = sorted(name for name in unlisted if name not in sums.digests)
        if unlisted:
            raise IntegrityError(
                f"{_listing(unlisted)} is there but not in SHA256SUMS: list it and sign again, or remove it",
                reason="IncompleteRelease",
            )

    def _platform_of(self, name: str) -> Platform:
        """The platform in a zip's name, which must be of this provider and this version."""
        found = re.fullmatch(re.escape(self.prefix) + r"([^_]+_[^_]+)\.zip", name)
        try:
            return Platform.parse(found[1] if found else "")
        except InvalidName as error:
            raise IntegrityError(
                f'SHA256SUMS lists {quoted(name)}, which is no zip of version "{self.version}": expected names like '
                f'"{self.prefix}linux_amd64.zip", all lower case',
                reason="ChecksumsInvalid",
            ) from error

    def _protocols(self, sums: Checksums) -> tuple[str, ...]:
        """From the release's manifest; from the catalog when the release never had one."""
        name = f"{self.prefix}manifest.json"
        listed = sums.digests.get(name)
        if name not in self.files:
            if listed is None:
                return self.declaration.protocols
            raise IntegrityError(
                f'"{name}" is in SHA256SUMS but not there: publish it, it says which protocols the provider speaks',
                reason="IncompleteRelease",
            )
        data = self._read(name, manifest.MAX_SIZE)
        if listed is not None:
            _check_digest(name, Sha256.of(data), listed)
        return manifest.protocols(data, name)

    def _builds(
        self, sums: Checksums, platforms: tuple[Platform, ...], spools: ExitStack
    ) -> tuple[tuple[ProviderBuild, ...], list[Payload]]:
        """A zip is looked into while the next comes in; which error is raised does not depend on who is faster."""
        spooled: list[Spool] = []
        looks: list[Future[Inspected]] = []
        with ThreadPoolExecutor(_LOOKING) as pool:
            for platform in platforms:
                if len(looks) >= _LOOKING:
                    looks[-_LOOKING].result()
                spooled.append(spools.enter_context(self._spool(self._zip_name(platform), sums)))
                looks.append(pool.submit(self._look, spooled[-1], platform))
            builds = tuple(map(self._build, platforms, spooled, (look.result() for look in looks)))
        return builds, [Payload(blob=spool.blob, open=spool.chunks) for spool in spooled]

    def _look(self, spool: Spool, platform: Platform) -> Inspected:
        with spool.file() as file:
            name, kind = self._zip_name(platform), self.declaration.address.type
            return provider_zip.inspect(file, name=name, provider_type=kind, platform=platform)

    def _build(self, platform: Platform, spool: Spool, inspected: Inspected) -> ProviderBuild:
        return ProviderBuild(platform=platform, filename=self._zip_name(platform), zip=spool.blob, h1=inspected.h1)

    def _spool(self, name: str, sums: Checksums) -> Spool:
        file = self.files[name]
        _check_size(file, provider_zip.MAX_SIZE)
        spool = Spool(file.open(), name=name, limit=provider_zip.MAX_SIZE)
        _check_digest(name, spool.blob.sha256, sums.digests[name])
        return spool

    def _read(self, name: str, limit: int) -> bytes:
        _check_size(self.files[name], limit)
        data = bytearray()
        for piece in self.files[name].open():
            data += piece
            if len(data) > limit:
                raise _too_large(name, limit)
        return bytes(data)

    def _zip_name(self, platform: Platform) -> str:
        return f"{self.prefix}{platform}.zip"


def _served_keys(vouching: SigningKey, covering: list[SigningKey]) -> Iterator[PublicKey]:
    """One list entry a key, since clients read only the first block of an entry; revoked ones are not handed out."""
    for declared in (vouching, *(key for key in covering if key is not vouching and key.status != "revoked")):
        key = signature.read_key(declared.public_key)
        if not key.revoked:
            yield PublicKey(key_id=key.key_id, armor=key.armor)


def _check_digest(name: str, found: Sha256, listed: Sha256) -> None:
    if found != listed:
        raise IntegrityError(
            f'"{name}" has the sha256 "{found.hex}", but SHA256SUMS says "{listed.hex}": the file was changed or cut '
            "short after the checksums were made; upload the right one",
            reason="ChecksumMismatch",
        )


def _check_size(file: ReleaseFile, limit: int) -> None:
    if file.size > limit:
        raise _too_large(file.name, limit)


def _too_large(name: str, limit: int) -> IntegrityError:
    return IntegrityError(f'"{name}" is larger than the {limit} bytes that are allowed', reason="TooLarge")


def _notes(builds: tuple[ProviderBuild, ...]) -> tuple[str, ...]:
    first: dict[Content, ProviderBuild] = {}
    return tuple(
        f'"{build.filename}" is byte for byte "{first[build.zip].filename}": was one of them packed by mistake?'
        for build in builds
        if first.setdefault(build.zip, build) is not build
    )


def _in_memory(data: bytes) -> Payload:
    return Payload(blob=Blob(Sha256.of(data), len(data)), open=partial(iter, (data,)))


def _listing(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
