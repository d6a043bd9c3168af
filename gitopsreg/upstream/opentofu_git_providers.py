"""One provider's file: versions with their protocols, platforms, URLs and shasums, and warnings. Fetches nothing."""

import re
from collections.abc import Callable
from functools import lru_cache, partial
from itertools import pairwise
from operator import attrgetter
from typing import Any

from gitopsreg.errors import InvalidName, quoted
from gitopsreg.index.model import Origin, ProviderBuild, ProviderVersion, PublicKey, Remote
from gitopsreg.model.address import Platform
from gitopsreg.model.digest import Sha256
from gitopsreg.model.version import Version
from gitopsreg.upstream.opentofu_git_layout import Entry
from gitopsreg.upstream.opentofu_git_listing import Listed, Listing, Source, collect
from gitopsreg.upstream.opentofu_git_reading import (
    SHORT_URL,
    document,
    facts_digest,
    mapping,
    text,
    url,
    version_of,
    versions_in,
    warnings_in,
)

_MOST_TARGETS = 200
_BY_PLATFORM = attrgetter("platform.os", "platform.arch")
_PROTOCOL = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,4})?")
_MOST_PROTOCOLS = 10
_FILENAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+~-]{0,254}")

KeysOf = Callable[[Version], tuple[PublicKey, ...]]


def read_provider(data: bytes, entry: Entry, source: Source, keys_of: KeysOf, *, allow_http: bool = False) -> Listing:
    """Raises IntegrityError for a file that is no such list; a version that can't be served is skipped whole, also for
    one bad platform: a client there would fail instead of taking an older version. `keys_of` gives () for a
    version that none may sign.
    """
    path = entry.file.path
    read = document(data, path)
    reader = _Reader(path, source, keys_of, allow_http=allow_http)
    listed, skipped = collect(versions_in(read, path), reader.listed)
    return Listing(listed=listed, skipped=tuple(skipped), warnings=warnings_in(read, path))


class _Reader:
    """Reads the versions of one file; `path` is where the file lies."""

    def __init__(self, path: str, source: Source, keys_of: KeysOf, *, allow_http: bool) -> None:
        self._path = path
        self._source = source
        self._keys_of = keys_of
        self._url = partial(url, allow_http=allow_http)

    def listed(self, read: dict[str, Any]) -> Listed:
        """Raises InvalidName."""
        tag = text(read, "version")
        version, protocols = version_of(tag), _protocols(read)
        sums, signature = self._url(read, "shasums_url"), self._url(read, "shasums_signature_url")
        builds = self._builds(read, sums.rpartition("/")[0] + "/")
        origin = Origin(
            url=self._source.url,
            ref=self._path,
            commit=self._source.commit,
            tree=facts_digest((*protocols, sums, signature, *map(_fact, builds))),
            path=self._path,
        )
        record = ProviderVersion(
            version=version,
            published=self._source.time,
            origin=origin,
            protocols=protocols,
            builds=builds,
            checksums=Remote(sums),
            checksums_filename=_filename(sums.partition("?")[0].rpartition("/")[2]),
            signature=Remote(signature),
            keys=self._keys_of(version),
        )
        return Listed(tag=tag, record=record)

    def _builds(self, read: dict[str, Any], beside: str) -> tuple[ProviderBuild, ...]:
        """`beside` is a URL's start that is known to be good: where files of one release usually are."""
        targets = read.get("targets")
        if not isinstance(targets, list) or not targets:
            raise InvalidName("it has no targets: there is no platform that could install it")
        if len(targets) > _MOST_TARGETS:
            raise InvalidName(f"it has {len(targets):,} targets: {_MOST_TARGETS} at most")
        builds = [self._build(mapping(target, "a target"), beside) for target in targets]
        builds.sort(key=_BY_PLATFORM)
        for one, other in pairwise(builds):
            if _BY_PLATFORM(one) == _BY_PLATFORM(other):
                raise InvalidName(f"it has two targets for {one.platform}")
        return tuple(builds)

    def _build(self, target: dict[str, Any], beside: str) -> ProviderBuild:
        filename = _filename(text(target, "filename"))
        found = text(target, "download_url")
        if found != beside + filename or len(found) > SHORT_URL:
            found = self._url(target, "download_url")
        return ProviderBuild(
            platform=_platform(text(target, "os"), text(target, "arch")),
            filename=filename,
            zip=Remote(found, Sha256(text(target, "shasum").lower())),
        )


@lru_cache(maxsize=1024)
def _platform(os: str, arch: str) -> Platform:
    return Platform(os, arch)


def _protocols(read: dict[str, Any]) -> tuple[str, ...]:
    found = read.get("protocols")
    if not isinstance(found, list) or not found or len(found) > _MOST_PROTOCOLS:
        raise InvalidName(f'"protocols" must be a list of one to {_MOST_PROTOCOLS} strings, like ["5.0"]')
    for protocol in found:
        if not isinstance(protocol, str) or not _PROTOCOL.fullmatch(protocol):
            raise InvalidName(f'"protocols" holds {quoted(str(protocol))}, where "5.0" or "6.0" would be right')
    return _shared(tuple(found))


@lru_cache(maxsize=1024)
def _shared(protocols: tuple[str, ...]) -> tuple[str, ...]:
    """Thousands of versions speak the same ones."""
    return protocols


def _filename(name: str) -> str:
    if not _FILENAME.fullmatch(name):
        raise InvalidName(f"{quoted(name)} is no plain file name")
    return name


def _fact(build: ProviderBuild) -> str:
    """What is said of one platform; this text is part of a digest that was published, and may not change."""
    zipped, platform = build.zip, build.platform
    assert isinstance(zipped, Remote)  # noqa: S101 - made right above
    return f"{platform.os}_{platform.arch} {build.filename} {zipped.url} {zipped.sha256}"
