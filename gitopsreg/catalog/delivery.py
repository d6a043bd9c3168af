"""Whether what a declaration wants delivered by reference can be (GR423, GR424)."""

from collections.abc import Iterator

from gitopsreg.catalog.cursor import Cursor
from gitopsreg.catalog.problem import Problem
from gitopsreg.errors import quoted
from gitopsreg.model.constraint import Reading

_SOURCES = {
    "module": frozenset({"git", "catalog", "registry", "opentofu-git"}),
    "provider": frozenset({"catalog", "release-assets", "http", "registry", "opentofu-git"}),
}
_ELSEWHERE = {"module": ("git", "opentofu-git"), "provider": ("opentofu-git",)}


def is_source(reading: Reading, source_type: str) -> bool:
    """Whether there is such a type: of one that there is not the schema tells, and nothing more can be said."""
    return source_type in _SOURCES[reading]


def can_be_referred_to(reading: Reading, source_type: str) -> bool:
    """Whether clients can be sent where the source has its bytes. Where they can't, a default of `reference` means
    nothing, and the bytes are stored.
    """
    return source_type in _ELSEWHERE[reading]


def check_delivery(reading: Reading, spec: Cursor) -> Iterator[Problem]:
    delivery, kind = spec / "delivery", (spec / "source" / "type").text
    if delivery.value != "reference" or not is_source(reading, kind):
        return
    if not can_be_referred_to(reading, kind):
        right = " or ".join(_ELSEWHERE[reading])
        message = f"a {reading} of a source of type {quoted(kind)} can't be delivered by reference"
        hint = f"remove delivery, or take a source of type {right}"
        yield Problem(rule="GR423", message=message, hint=hint, pointer=delivery.pointer)
        return
    yield from _digests(reading, spec)
    if (connection := spec / "source" / "connection").text:
        message = f"clients fetch it themselves: the credentials of {quoted(connection.text)} are not theirs"
        hint = "set delivery: store, unless all who use it may read the repository"
        yield Problem(rule="GR424", message=message, hint=hint, pointer=delivery.pointer)


def _digests(reading: Reading, spec: Cursor) -> Iterator[Problem]:
    """A pinned digest is that of the stored archive or of SHA256SUMS, and neither is fetched."""
    for pin in spec / "versions" / "pins":
        if (digest := pin / "sha256").present:
            message = f"the sha256 of a {reading} that is delivered by reference can't be checked: it is not fetched"
            right = "pin its commit instead" if reading == "module" else "remove it; each zip's digest is recorded"
            yield Problem(rule="GR423", message=message, hint=right, pointer=digest.pointer, on_key=True)
