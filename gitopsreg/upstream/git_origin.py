"""One Git source that explains where a registry finds a module's versions: repository, folder and tag prefix."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from gitopsreg.model.version import Version
from gitopsreg.upstream.getter_address import GitPlace


@dataclass(frozen=True, slots=True, kw_only=True)
class GitOrigin:
    """`tag_prefix` None is an optional "v". `pins` are versions with the commit that the registry names.

    `unexplained` are versions that are found elsewhere, with the reason.
    """

    url: str
    path: str
    tag_prefix: str | None
    pins: tuple[tuple[Version, str], ...] = ()
    unexplained: tuple[tuple[Version, str], ...] = ()


def git_origin(places: Mapping[Version, GitPlace]) -> GitOrigin:
    """`places` are not empty. Repository and folder are those of the newest version, the prefix that of most tags."""
    newest = places[max(places)]
    here = {version: place for version, place in places.items() if (place.url, place.path) == (newest.url, newest.path)}
    unexplained = {
        version: f"it lies in {_told(place)}, the newest version in {_told(newest)}"
        for version, place in places.items()
        if version not in here
    }
    tags = {version: place.ref for version, place in here.items() if not place.is_commit}
    prefix = _prefix(tags)
    for version, tag in tags.items():
        if tag not in _expected(prefix, version):
            wanted = " or ".join(f'"{one}"' for one in _expected(prefix, version))
            unexplained[version] = f'its tag is "{tag}", where the others would have it {wanted}'
    return GitOrigin(
        url=newest.url,
        path=newest.path,
        tag_prefix=prefix,
        pins=tuple(sorted((version, place.ref) for version, place in here.items() if place.is_commit)),
        unexplained=tuple(sorted(unexplained.items())),
    )


def _prefix(tags: Mapping[Version, str]) -> str | None:
    """What most tags have before their version; None where that is "v" or nothing."""
    prefixes = Counter(tag.removesuffix(version.text) for version, tag in tags.items() if tag.endswith(version.text))
    usual = {"", "v"}
    plain = sum(number for prefix, number in prefixes.items() if prefix in usual)
    others = [(number, prefix) for prefix, number in prefixes.items() if prefix not in usual]
    return max(others)[1] if others and max(others)[0] > plain else None


def _expected(prefix: str | None, version: Version) -> tuple[str, ...]:
    return (f"v{version}", str(version)) if prefix is None else (f"{prefix}{version}",)


def _told(place: GitPlace) -> str:
    return f'"{place.url}"' + (f', folder "{place.path}"' if place.path else "")
