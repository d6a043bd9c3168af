"""The world around the examples on the pages of rules: what they need besides, and what upstreams would answer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from gitopsreg.catalog.changes import check_changes
from gitopsreg.catalog.load import Loaded, load
from gitopsreg.catalog.report import Finding
from gitopsreg.catalog.rules import Files, Rule
from gitopsreg.catalog.rules.example import AT_KEY, AT_NAMESPACE, AT_PROVIDER, key, namespace
from gitopsreg.catalog.rules.public_keys import LASTING, LASTING_FINGERPRINT
from gitopsreg.errors import IntegrityError, UpstreamError, UpstreamUnavailable
from gitopsreg.index.model import ProviderVersion, PublicKey
from gitopsreg.model.declaration import GitSource, PackageDeclaration
from gitopsreg.reconcile.online import check_online
from gitopsreg.upstream.base import Discovery, Found, Release
from tests.builders import a_blob, a_module_version, an_origin, discovered, found
from tests.catalog.catalogs import a_catalog

FOLDERS = ("content/internal/1.0.0", "content/internal/incomplete")
NOW = datetime(2026, 10, 1, tzinfo=UTC)


def completed(files: Files) -> dict[str, str]:
    """With the namespace and the key that a page does not show."""
    more: dict[str, str] = {}
    if AT_NAMESPACE not in files:
        more |= namespace("displayName: Platform")
    if AT_PROVIDER in files and AT_KEY not in files:
        more |= key(LASTING, fingerprint=LASTING_FINGERPRINT)
    return more | dict(files)


def loaded(files: Files) -> Loaded:
    return load(a_catalog(completed(files), folders=FOLDERS))


def findings(rule: Rule, files: Files) -> tuple[Finding, ...]:
    """Everything that is wrong with the files, by the checks that the rule belongs to."""
    assert rule.example is not None
    head = loaded(files)
    told = head.findings
    if rule.example.base:
        told += check_changes(loaded(rule.example.base), head)
    if rule.id.startswith("GR6"):
        told += check_online(head, upstream_for, parallel=map, now=NOW).findings
    return tuple(finding for finding in told if not finding.suppressed)


@dataclass
class AnUpstream:
    """Tags 1.0.0 to 1.2.0; what a name says is wrong with a repository or folder is wrong with it."""

    declaration: PackageDeclaration

    def discover(self) -> Discovery:
        source = self.declaration.source
        if not isinstance(source, GitSource):
            pins = self.declaration.versions.pins
            items = tuple(found(pin.version.text, ref=pin.path, tree="7" * 40) for pin in pins)
            return Discovery(found=items, skipped=(), state=discovered().state)
        if "gone" in source.url:
            raise UpstreamUnavailable(f'"{source.url}" can\'t be read: there is no such repository', reason="NotFound")
        if source.tag_prefix:
            return discovered()
        items = tuple(found(text, commit="c" * 40) for text in ("1.0.0", "1.1.0", "1.2.0"))
        return Discovery(found=items, skipped=(), state=discovered().state)

    def releases(self, wanted: Sequence[Found]) -> Iterator[tuple[Found, Release | UpstreamError]]:
        for one in wanted:
            yield one, self._release(one)

    def _release(self, one: Found) -> Release | UpstreamError:
        source = self.declaration.source
        if not isinstance(source, GitSource):
            if "incomplete" in one.ref:
                return IntegrityError("the release has no linux_amd64", reason="IncompleteRelease")
            return Release(record=_signed(one), payloads=())
        if "old" in source.path:
            return IntegrityError(f'there is no folder "{source.path}"', reason="IncompleteRelease")
        if "unsafe" in source.url:
            return IntegrityError('symlink "x" leaves the module', reason="UnsafeArchive")
        return Release(record=a_module_version(one.version.text), payloads=())


def upstream_for(declaration: PackageDeclaration) -> AnUpstream:
    return AnUpstream(declaration)


def _signed(one: Found) -> ProviderVersion:
    return ProviderVersion(
        version=one.version,
        published="2026-01-01T00:00:00Z",
        origin=an_origin(),
        protocols=("5.0",),
        builds=(),
        checksums=a_blob(),
        checksums_filename="SHA256SUMS",
        signature=a_blob(),
        keys=(PublicKey(key_id=LASTING_FINGERPRINT[-16:], armor=LASTING),),
    )
