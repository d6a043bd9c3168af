"""An upstream and a catalog in memory, which tests change as the world would."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from threading import Event

from gitopsreg.errors import IntegrityError, UpstreamError, UpstreamUnavailable
from gitopsreg.index.model import Blob, ModuleVersion, Origin
from gitopsreg.model.address import PackageAddress
from gitopsreg.model.declaration import ModuleDeclaration, PackageDeclaration
from gitopsreg.model.digest import Sha256
from gitopsreg.model.version import Version
from gitopsreg.upstream.base import Discovery, Found, Payload, Release, Skipped, Upstream
from tests.builders import GIT_URL, commit_of


@dataclass
class FakeUpstream:
    """`content` by version text; `bad` are versions whose release fails, `down` makes all of it fail."""

    content: dict[str, bytes] = field(default_factory=dict)
    bad: dict[str, UpstreamError] = field(default_factory=dict)
    down: UpstreamError | Exception | None = None
    asked: int = 0
    fetched: list[str] = field(default_factory=list)

    def discover(self) -> Discovery:
        self.asked += 1
        if self.down:
            raise self.down
        items = tuple(self._found(text) for text in sorted(self.content))
        return Discovery(found=items, skipped=(), state=self.state())

    def state(self) -> Sha256:
        return Sha256.of(repr(sorted((text, data) for text, data in self.content.items())).encode())

    def releases(self, wanted: Sequence[Found]) -> Iterator[tuple[Found, Release | UpstreamError]]:
        for item in wanted:
            text = item.version.text
            self.fetched.append(text)
            yield item, self.bad.get(text) or self._release(item, self.content[text])

    def _found(self, text: str) -> Found:
        return Found(version=Version.parse(text), ref=f"v{text}", commit=self._commit(text))

    def _commit(self, text: str) -> str:
        return commit_of(f"{text}{self.content[text]!r}")

    def _release(self, item: Found, data: bytes) -> Release:
        blob = Blob(Sha256.of(data), len(data))
        record = ModuleVersion(
            version=item.version,
            published="2026-01-01T00:00:00Z",
            origin=Origin(url=GIT_URL, ref=item.ref, commit=item.commit, tree="7" * 40),
            archive=blob,
        )
        return Release(record=record, payloads=(Payload(blob=blob, open=lambda: iter([data])),))


@dataclass
class FakeGathering:
    """Upstreams by address, all in one place; `state` is its commit, to be changed with their content."""

    url: str
    upstreams: dict[PackageAddress, FakeUpstream] = field(default_factory=dict)
    commit: str = "1" * 40
    down: UpstreamError | None = None
    looks: int = 0
    parsed: list[str] = field(default_factory=list)
    gate: Event | None = None
    seen: dict[str, dict[PackageAddress, Sha256]] = field(default_factory=dict)
    known: str = ""

    def look(self) -> str:
        self.looks += 1
        if self.gate:
            self.gate.wait(10)
        if self.down:
            raise self.down
        self.known = self.commit
        self.seen[self.commit] = self._states()
        return self.commit

    def has(self, declaration: PackageDeclaration) -> bool:
        return declaration.address in self.seen.get(self.known, {})

    def moved(self, since: str) -> set[str] | None:
        if (before := self.seen.get(since)) is None:
            return None
        now = self._states()
        return {each.namespace for each in before.keys() | now.keys() if before.get(each) != now.get(each)}

    def _states(self) -> dict[PackageAddress, Sha256]:
        return {address: upstream.state() for address, upstream in self.upstreams.items()}

    def state(self, declaration: PackageDeclaration) -> Sha256:
        return self.upstreams[declaration.address].state()

    def prepare(self, declarations: Sequence[PackageDeclaration]) -> None:
        self.parsed += [str(declaration.address) for declaration in declarations]

    def upstream(self, declaration: PackageDeclaration) -> Upstream:
        return self.upstreams[declaration.address]

    def addresses(self) -> dict[PackageAddress, str]:
        return {address: address.path for address in self.upstreams}

    def skipped(self) -> tuple[Skipped, ...]:
        return ()


def unavailable() -> UpstreamUnavailable:
    return UpstreamUnavailable('"git.example.com" did not answer', reason="Timeout")


def unsafe() -> IntegrityError:
    return IntegrityError('symlink "x" leaves the module', reason="UnsafeArchive")


Upstreams = Callable[[ModuleDeclaration], FakeUpstream]
