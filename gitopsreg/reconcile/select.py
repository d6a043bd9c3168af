"""Which versions a declaration asks for. Pure: what is known in, what is admitted and why not out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gitopsreg.model.declaration import Block, Pin, VersionRules
from gitopsreg.model.version import Version
from gitopsreg.upstream.base import Found, Skipped


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """`admitted` oldest first; `left_out` by the declaration's rules, with the rule that did it."""

    admitted: tuple[Version, ...]
    left_out: tuple[Skipped, ...]


def select(rules: VersionRules, versions: Iterable[Version]) -> Selection:
    """The versions that the rules admit, by the order of evaluation that docs/catalog.md states.

    include and exclude → constraint → pre-releases → blocked. The cap `keep_latest` comes last and elsewhere
    (`newest`): it counts only versions that are there, so that one which fails to arrive pushes none out.
    """
    admitted: list[Version] = []
    left_out: list[Skipped] = []
    for version in sorted(versions):
        reason = _refusal(rules, version)
        if reason is None:
            admitted.append(version)
        else:
            left_out.append(Skipped(ref=version.text, reason=reason))
    return Selection(admitted=tuple(admitted), left_out=tuple(left_out))


def newest(rules: VersionRules, versions: Iterable[Version]) -> tuple[Version, ...]:
    """The newest `keep_latest` of these, oldest first; all of them for 0."""
    return tuple(sorted(versions))[-rules.keep_latest :]


def _refusal(rules: VersionRules, version: Version) -> str | None:
    return next(_refusals(rules, version), None)


def _refusals(rules: VersionRules, version: Version) -> Iterator[str]:
    if rules.include and not any(pattern.search(version.text) for pattern in rules.include):
        yield "matches no include pattern"
    if version.is_prerelease and not rules.prereleases and not _named(rules, version):
        yield "a pre-release (prereleases: false)"
    for pattern in rules.exclude:
        if pattern.search(version.text):
            yield f'excluded by "{pattern}"'
    if rules.constraint and not rules.constraint.admits(version, prereleases=rules.prereleases):
        yield f'outside the constraint "{rules.constraint.text}"'
    block = block_of(rules, version)
    if block:
        yield f"blocked: {block.reason}"


def _named(rules: VersionRules, version: Version) -> bool:
    """A constraint that admits a pre-release without `prereleases` names exactly that one; a pin names it too."""
    by_constraint = rules.constraint is not None and rules.constraint.admits(version)
    return by_constraint or pin_of(rules, version) is not None


def block_of(rules: VersionRules, version: Version) -> Block | None:
    """The block that covers the version, if any."""
    return next((b for b in rules.blocked if b.versions.admits(version, prereleases=True)), None)


def pin_of(rules: VersionRules, version: Version) -> Pin | None:
    """The pin of exactly this version, if any."""
    return next((pin for pin in rules.pins if pin.version == version), None)


def pin_mismatch(rules: VersionRules, found: Found) -> str | None:
    """Why the found content is not the pinned one, or None."""
    pin = pin_of(rules, found.version)
    if pin is None or pin.commit is None or pin.commit == found.commit:
        return None
    return f'{found.ref} is commit "{found.commit}", the catalog pins "{pin.commit}": change the pin or the tag'
