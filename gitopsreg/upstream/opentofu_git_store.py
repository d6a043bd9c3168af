"""Packages of a registry in Git, copied into our store: what their files name is fetched, verified and kept."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from gitopsreg.errors import IntegrityError, UpstreamError, UpstreamUnavailable, quoted
from gitopsreg.index.model import ProviderVersion, PublicKey, Remote
from gitopsreg.model.declaration import GitSource, ModuleDeclaration, ProviderDeclaration, SigningKey
from gitopsreg.model.digest import Sha256
from gitopsreg.transport.http_download import Downloads
from gitopsreg.transport.remotes import Remotes
from gitopsreg.upstream import checksums, manifest, provider_zip
from gitopsreg.upstream.base import Discovery, Found, Release
from gitopsreg.upstream.git_tags import GitTags
from gitopsreg.upstream.opentofu_git_package import ReferencedPackage
from gitopsreg.upstream.provider_release import MAX_SIGNATURE, ReleaseFile, VerifiedRelease, verify
from gitopsreg.upstream.signature import read_key

_TAGS = "refs/tags/"

Outcome = tuple[Found, Release | UpstreamError]


class StoredModule:
    """An Upstream. Versions are those of `listed`; their content is that of the tags of the module's repository."""

    def __init__(
        self, listed: ReferencedPackage, declaration: ModuleDeclaration, url: str, remotes: Remotes, cache: Path
    ) -> None:
        self._listed = listed
        self._url = url
        self._remotes = remotes
        self._timeout = declaration.timeout
        self._tags = GitTags(declaration, GitSource(url=url), remotes, cache)

    def discover(self) -> Discovery:
        return self._listed.discover()

    def releases(self, wanted: Sequence[Found]) -> Iterator[Outcome]:
        if not wanted:
            return
        refs = self._remotes.refs(self._url, timeout=self._timeout)
        tagged: list[Found] = []
        for found in wanted:
            try:
                tagged.append(replace(found, commit=_commit(found, refs)))
            except UpstreamError as error:
                yield found, error
        by_version = {found.version: found for found in wanted}
        for item, outcome in self._tags.releases(tagged):
            found = by_version[item.version]
            yield found, _as_found(outcome, found) if isinstance(outcome, Release) else outcome


def _commit(found: Found, refs: Mapping[str, str]) -> str:
    """What the tag points to, which must be what the registry recorded, if it did."""
    commit = refs.get(_TAGS + found.ref)
    if commit is None:
        raise UpstreamUnavailable(f"its repository has no tag {quoted(found.ref)}", reason="NotFound")
    if found.commit and commit != found.commit:
        raise IntegrityError(
            f'tag {quoted(found.ref)} points to "{commit}", where the registry records "{found.commit}": '
            "find out who moved it",
            reason="PinMismatch",
        )
    return commit


def _as_found(release: Release, found: Found) -> Release:
    """A later look compares what the registry records, not what was packed."""
    return replace(release, record=replace(release.record, origin=replace(release.record.origin, tree=found.tree)))


class StoredProvider:
    """An Upstream. Files are fetched from the URLs that the registry records and pass the gate that all releases pass;
    the registry's keys vouch where the catalog names none.
    """

    def __init__(self, listed: ReferencedPackage, declaration: ProviderDeclaration, *, allow_local: bool) -> None:
        self._listed = listed
        self._declaration = declaration
        self._allow_local = allow_local

    def discover(self) -> Discovery:
        return self._listed.discover()

    def releases(self, wanted: Sequence[Found]) -> Iterator[Outcome]:
        with Downloads(allow_local=self._allow_local) as downloads:
            for found, outcome in self._listed.releases(wanted):
                if not isinstance(outcome, Release) or not isinstance(outcome.record, ProviderVersion):
                    yield found, outcome
                    continue
                try:
                    verified = self._verified(outcome.record, downloads)
                except UpstreamError as error:
                    yield found, error
                    continue
                with verified:
                    record = _stored(outcome.record, verified)
                    yield found, Release(record=record, payloads=verified.payloads)

    def _verified(self, record: ProviderVersion, downloads: Downloads) -> VerifiedRelease:
        """Raises what `verify` raises, and UpstreamUnavailable."""
        fetch = partial(_file, downloads, timeout=self._declaration.timeout)
        sums_url, signature_url = _url(record.checksums), _url(record.signature)
        sums = b"".join(fetch(record.checksums_filename, sums_url, limit=checksums.MAX_SIZE).open())
        listed = checksums.parse(sums).digests
        _check_agreement(record, listed)
        files = [
            ReleaseFile(name=record.checksums_filename, size=len(sums), open=lambda: iter((sums,))),
            fetch(f"{record.checksums_filename}.sig", signature_url, limit=MAX_SIGNATURE),
            *(fetch(build.filename, _url(build.zip), limit=provider_zip.MAX_SIZE) for build in record.builds),
        ]
        name = f"{record.checksums_filename.removesuffix('SHA256SUMS')}manifest.json"
        if name in listed:  # the registry does not record where it is: beside its list, as all of them are
            beside = f"{sums_url.rpartition('/')[0]}/{name}"
            files.append(fetch(name, beside, limit=manifest.MAX_SIZE))
        return verify(self._as_recorded(record), record.version, {file.name: file for file in files})

    def _as_recorded(self, record: ProviderVersion) -> ProviderDeclaration:
        """The platforms that the registry has are those that are wanted: releases may have some that it never lists."""
        keys = self._declaration.keys or tuple(map(_signing_key, record.keys))
        return replace(
            self._declaration,
            protocols=record.protocols,
            platforms=tuple(build.platform for build in record.builds),
            completeness="required-platforms",
            keys=keys,
        )


def _file(downloads: Downloads, name: str, url: str, *, limit: int, timeout: timedelta) -> ReleaseFile:
    """Its host says its size when it is fetched, and it is bounded then."""
    return ReleaseFile(name=name, size=0, open=lambda: downloads.pieces(url, limit=limit, timeout=timeout))


def _check_agreement(record: ProviderVersion, listed: Mapping[str, Sha256]) -> None:
    """Before anything large is fetched. Raises IntegrityError."""
    for build in record.builds:
        recorded, signed = build.zip.sha256, listed.get(build.filename)
        if signed is not None and recorded != signed:
            raise IntegrityError(
                f'"{build.filename}" has the sha256 "{signed.hex}" in SHA256SUMS, the registry records '
                f'"{recorded.hex if recorded else ""}": one of them was changed',
                reason="ChecksumMismatch",
            )


def _signing_key(key: PublicKey) -> SigningKey:
    fingerprint = read_key(key.armor).fingerprint
    return SigningKey(namespace="", name=key.key_id, fingerprint=fingerprint, public_key=key.armor)


def _url(content: object) -> str:
    assert isinstance(content, Remote)  # noqa: S101 - the registry's files name nothing else
    return content.url


def _stored(record: ProviderVersion, verified: VerifiedRelease) -> ProviderVersion:
    return replace(
        record,
        protocols=verified.protocols,
        builds=verified.builds,
        checksums=verified.checksums,
        checksums_filename=verified.checksums_filename,
        signature=verified.signature,
        keys=verified.keys,
    )
