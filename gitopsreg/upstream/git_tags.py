"""Module versions from the tags of any Git repository. Finding them costs one look at the refs and fetches nothing."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from gitopsreg.errors import IntegrityError, InvalidName, UpstreamError, UpstreamUnavailable
from gitopsreg.model.declaration import GitSource, ModuleDeclaration
from gitopsreg.model.digest import Sha256
from gitopsreg.model.version import Version
from gitopsreg.transport.git import Repository
from gitopsreg.transport.mirror import Mirror
from gitopsreg.transport.remotes import Remotes
from gitopsreg.upstream.base import Discovery, Found, Release, Skipped
from gitopsreg.upstream.module_release import module_release

_TAGS = "refs/tags/"
_LOOKS_LIKE_A_VERSION = re.compile(r"[vV]?[0-9]+(?:[._-].*)?")
_MOST_SKIPPED = 1_000
# A repository that fails this often in a row is not worth asking for each of hundreds of tags.
_PATIENCE = 3

Outcome = tuple[Found, Release | UpstreamError]


class _Lost(UpstreamUnavailable):
    """Something is not in the copy that should be: the copy is damaged, or the server never sent it."""


class _Gone(_Lost):
    """The tag itself: nothing is wrong with a version that somebody took away a moment ago."""


class GitTags:
    """One repository, copied once for all modules that live in it (see transport.mirror)."""

    def __init__(self, declaration: ModuleDeclaration, source: GitSource, remotes: Remotes, cache: Path) -> None:
        self._declaration = declaration
        self._source = source
        self._remotes = remotes
        self._mirror = Mirror(source.url, cache, remotes)

    def discover(self) -> Discovery:
        return tags_of(self._source, self._remotes, timeout=self._declaration.timeout)

    def releases(self, wanted: Sequence[Found]) -> Iterator[Outcome]:
        """One fetch for all; when that fails, one for each, so that a bad tag costs one version.

        What is missing in the copy is looked for once more, in a fresh one.
        """
        if not wanted:
            return
        lost: list[Found] = []
        for found, outcome in self._attempt(wanted):
            if isinstance(outcome, _Lost):
                lost.append(found)
            else:
                yield found, outcome
        if lost:
            yield from self._afresh(lost)

    def _attempt(self, wanted: Sequence[Found]) -> Iterator[Outcome]:
        try:
            repository = self._fetch(wanted)
        except UpstreamUnavailable as error:
            if len(wanted) == 1:
                raise
            yield from self._one_by_one(wanted, error)
            return
        for found in wanted:
            yield found, self._release(repository, found)

    def _afresh(self, lost: Sequence[Found]) -> Iterator[Outcome]:
        """What a fresh copy lacks too is the version's own fault."""
        self._mirror.discard()
        try:
            for found, outcome in self._attempt(lost):
                if isinstance(outcome, _Lost) and not isinstance(outcome, _Gone):
                    yield found, IntegrityError(str(outcome), reason="IncompleteRelease")
                else:
                    yield found, outcome
        except UpstreamUnavailable as error:
            for found in lost:
                yield found, error

    def _fetch(self, wanted: Sequence[Found]) -> Repository:
        refs = {_TAGS + found.ref: found.commit for found in wanted}
        return self._mirror.fetch(refs, timeout=self._declaration.timeout)

    def _one_by_one(self, wanted: Sequence[Found], reason: UpstreamUnavailable) -> Iterator[Outcome]:
        """Raises UpstreamUnavailable when nothing could be fetched."""
        failed: list[tuple[Found, UpstreamError]] = []
        in_a_row, any_fetched = 0, False
        for found in wanted:
            if in_a_row < _PATIENCE:
                try:
                    repository = self._fetch((found,))
                except UpstreamUnavailable as error:
                    in_a_row, reason = in_a_row + 1, error
                else:
                    in_a_row, any_fetched = 0, True
                    yield found, self._release(repository, found)
                    continue
            failed.append((found, reason))
        if not any_fetched:
            raise reason
        yield from failed

    def _release(self, repository: Repository, found: Found) -> Release | UpstreamError:
        try:
            commit = repository.commit(self._fetched(repository, found))
            return module_release(
                repository,
                commit,
                version=found.version,
                url=self._source.url,
                ref=found.ref,
                tree=commit.tree,
                path=self._source.path,
                subdirectory=self._source.path,
                archive_format=self._declaration.archive_format,
            )
        except IntegrityError as error:
            return IntegrityError(f'tag "{found.ref}": {error}', reason=error.reason)
        except _Gone as error:
            return error
        except UpstreamUnavailable as error:
            kind = _Lost if error.reason == "NotFound" else UpstreamUnavailable
            return kind(f'tag "{found.ref}": {error}')

    def _fetched(self, repository: Repository, found: Found) -> str:
        try:
            commit = repository.resolve(f"refs/kept/{found.commit}")
        except UpstreamUnavailable as error:
            raise _Gone(f'tag "{found.ref}": it was taken away while it was read') from error
        if commit != found.commit:
            raise UpstreamUnavailable(f"it moved from {found.commit} to {commit} while it was read")
        return commit


def tags_of(source: GitSource, remotes: Remotes, *, timeout: timedelta) -> Discovery:
    """One look at the refs. Raises UpstreamUnavailable."""
    refs = remotes.refs(source.url, timeout=timeout)
    tags = {ref.removeprefix(_TAGS): commit for ref, commit in refs.items() if ref.startswith(_TAGS)}
    return read_tags(tags, source.tag_prefix)


def read_tags(tags: Mapping[str, str], prefix: str | None) -> Discovery:
    """The versions among tags (name → commit). `prefix` None stands for an optional "v".

    Of versions that differ only in build metadata the first in order is kept: clients can't tell them apart.
    """
    matching = {tag: rest for tag in sorted(tags) if (rest := _without_prefix(tag, prefix)) is not None}
    state = Sha256.of("".join(f"{tag} {tags[tag]}\n" for tag in matching).encode(errors="surrogateescape"))
    candidates: dict[Version, list[str]] = {}
    skipped: list[Skipped] = []
    for tag, rest in matching.items():
        try:
            candidates.setdefault(Version.parse(rest), []).append(tag)
        except InvalidName as error:
            skipped.append(Skipped(ref=tag, reason=str(error)))
    found: dict[str, Found] = {}
    for version in sorted(candidates):
        names = candidates[version]
        if reason := _refusal(version, {name: tags[name] for name in names}, found):
            skipped += [Skipped(ref=name, reason=reason) for name in names]
        else:
            found[version.without_build] = Found(version=version, ref=names[0], commit=tags[names[0]])
    skipped.sort(key=lambda one: one.ref)
    return Discovery(found=tuple(found.values()), skipped=tuple(skipped[:_MOST_SKIPPED]), state=state)


def _without_prefix(tag: str, prefix: str | None) -> str | None:
    """What should be a version; None for a tag that does not try to name one of this module."""
    if not tag.startswith(prefix or ""):
        return None
    rest = tag.removeprefix(prefix or "")
    if not _LOOKS_LIKE_A_VERSION.fullmatch(rest):
        return None
    return rest.removeprefix("v") if prefix is None else rest


def _refusal(version: Version, commits: Mapping[str, str], found: Mapping[str, Found]) -> str:
    """Why a version that parses is not offered, "" when it is."""
    if len(set(commits.values())) > 1:
        listed = " and ".join(f'"{tag}"' for tag in commits)
        return f"{listed} name the same version {version} and point to different commits: delete one of the tags"
    if first := found.get(version.without_build):
        return f'{version} differs from {first.version} (tag "{first.ref}") in build metadata only: that one is kept'
    return ""
