"""Signed links: what was given out is accepted in every form that clients make of it, everything else is refused."""

from datetime import timedelta
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.errors import ConfigError, LinkRefused
from gitopsreg.model.digest import Sha256
from gitopsreg.protocol.links import LinkSigner, artifact_path

KEY = bytes(range(32))
NOW = 1_790_000_000.0
SIGNER = LinkSigner(KEY, ttl=timedelta(hours=1), window=timedelta(minutes=10))

digests = st.binary(max_size=8).map(Sha256.of)
filenames = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/"), min_size=1, max_size=40)
times = st.floats(min_value=1, max_value=4_000_000_000)


def _sent(url: str) -> tuple[str, str, str]:
    """What the server sees of a URL: the decoded path, expiry, signature."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    return unquote(parts.path), query["expires"], query["signature"]


@given(digests, filenames, times, st.floats(min_value=0, max_value=3600))
def test_a_link_is_accepted_for_all_of_its_time(digest: Sha256, filename: str, now: float, later: float) -> None:
    url = SIGNER.sign(artifact_path(digest, filename), now)
    SIGNER.verify(*_sent(url), now=min(now + later, int(now) + 3599.9))


@given(digests, filenames, times)
def test_a_link_ends_between_ttl_and_ttl_plus_window(digest: Sha256, filename: str, now: float) -> None:
    _, expires, _ = _sent(SIGNER.sign(artifact_path(digest, filename), now))
    assert 3600 <= int(expires) - int(now) < 3600 + 600
    assert int(expires) % 600 == 0


@given(digests, times)
def test_an_expired_link_is_refused(digest: Sha256, now: float) -> None:
    path, expires, signature = _sent(SIGNER.sign(artifact_path(digest, "a.zip"), now))
    with pytest.raises(LinkRefused, match="has expired; run the command again"):
        SIGNER.verify(path, expires, signature, float(expires))


@given(st.data(), digests, st.integers(0, 2), st.characters(exclude_categories=["Cs"]))
def test_anything_altered_is_refused(data: st.DataObject, digest: Sha256, which: int, char: str) -> None:
    values = list(_sent(SIGNER.sign(artifact_path(digest, "vpc-aws-1.0.0.tar.gz"), NOW)))
    at = data.draw(st.integers(0, len(values[which]) - 1))
    changed = values[which][:at] + char + values[which][at + 1 :]
    if changed == values[which]:
        return
    values[which] = changed
    with pytest.raises(LinkRefused):
        SIGNER.verify(values[0], values[1], values[2], NOW)


@pytest.mark.parametrize(
    ("expires", "signature"), [("", ""), ("1790003600", ""), ("", "aa"), ("+1", "aa"), ("01", "aa"), ("x", "é")]
)
def test_an_unsigned_link_is_refused(expires: str, signature: str) -> None:
    with pytest.raises(LinkRefused):
        SIGNER.verify(artifact_path(Sha256.of(b""), "a"), expires, signature, NOW)


@pytest.mark.pitfall(14)
@given(st.permutations(["archive", "checksum", "expires", "signature"]), st.booleans())
def test_pitfall_14_parameters_may_be_reordered_added_and_dropped(order: list[str], dropped: bool) -> None:
    """go-getter takes archive and checksum out, and sends the rest in sorted order."""
    path, expires, signature = _sent(SIGNER.sign(artifact_path(Sha256.of(b""), "a.tar.gz"), NOW))
    query = {"archive": "tar.gz", "checksum": f"{Sha256.of(b'')}", "expires": expires, "signature": signature}
    keys = [key for key in order if not dropped or key in {"expires", "signature"}]
    SIGNER.verify(*_sent(f"{path}?{urlencode({key: query[key] for key in keys})}"), now=NOW)


@pytest.mark.pitfall(24)
def test_pitfall_24_a_plus_is_not_escaped() -> None:
    url = SIGNER.sign(artifact_path(Sha256.of(b""), "vpc-aws-2.0.0+build.5.tar.gz"), NOW)
    assert "/vpc-aws-2.0.0+build.5.tar.gz?" in url


def test_links_stay_the_same_inside_a_window() -> None:
    path = artifact_path(Sha256.of(b""), "a.zip")
    start = (NOW // 600) * 600 + 1
    assert SIGNER.sign(path, start) == SIGNER.sign(path, start + 598)
    assert SIGNER.sign(path, start) != SIGNER.sign(path, start + 601)


def test_another_key_signs_other_links() -> None:
    path, expires, signature = _sent(LinkSigner(bytes(32)).sign(artifact_path(Sha256.of(b""), "a"), NOW))
    with pytest.raises(LinkRefused, match="does not match"):
        SIGNER.verify(path, expires, signature, NOW)


def test_a_link_signed_under_longer_settings_is_refused() -> None:
    path, expires, signature = _sent(
        LinkSigner(KEY, ttl=timedelta(days=9)).sign(artifact_path(Sha256.of(b""), "a"), NOW)
    )
    with pytest.raises(LinkRefused, match="lives longer"):
        SIGNER.verify(path, expires, signature, NOW)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ConfigError, match="the link key has 5 bytes"):
        LinkSigner(b"short")


@pytest.mark.parametrize("changes", [{"ttl": timedelta(0)}, {"window": timedelta(0)}])
def test_links_without_a_life_are_refused(changes: dict[str, timedelta]) -> None:
    with pytest.raises(ConfigError, match="a second or more"):
        LinkSigner(KEY, **changes)
