"""Hypothesis strategies for the model: every legal value, with many that are close to each other."""

from hypothesis import strategies as st

from gitopsreg.model.address import ModuleAddress, PackageAddress, ProviderAddress
from gitopsreg.model.version import Version

LARGEST_PART = 2**63 - 1

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_LETTERS_AND_DIGITS = _LETTERS + "0123456789"

# Mostly small numbers, so that two versions often share parts.
parts = st.integers(0, 3) | st.integers(0, LARGEST_PART)
_identifiers = st.sampled_from(["0", "1", "2", "10", "alpha", "beta", "rc", "rc1", "-", "1a"]) | st.from_regex(
    r"(0|[1-9][0-9]{0,20}|[0-9]{0,3}[A-Za-z-][0-9A-Za-z-]{0,6})", fullmatch=True
)
_builds = st.from_regex(r"[0-9A-Za-z-]{1,4}", fullmatch=True)
release_texts = st.builds("{}.{}.{}".format, parts, parts, parts)
prerelease_texts = st.builds(
    "{}-{}".format, release_texts, st.lists(_identifiers, min_size=1, max_size=3).map(".".join)
)
version_texts = st.builds(
    lambda number, build: f"{number}+{'.'.join(build)}" if build else number,
    release_texts | prerelease_texts,
    st.lists(_builds, max_size=2),
)
versions = version_texts.map(Version.parse)

_segments = st.from_regex(r"[0-9a-z]([0-9a-z_-]{0,61}[0-9a-z])?", fullmatch=True)
_systems = st.text(_LETTERS_AND_DIGITS, min_size=1, max_size=63)
_provider_parts = st.from_regex(r"[0-9a-z]+(-[0-9a-z]+){0,3}", fullmatch=True).filter(
    lambda text: len(text) <= 63 and not text.startswith("terraform-")
)
module_addresses = st.builds(ModuleAddress, _segments, _segments, _systems)
provider_addresses = st.builds(ProviderAddress, _provider_parts, _provider_parts)
addresses: st.SearchStrategy[PackageAddress] = module_addresses | provider_addresses
