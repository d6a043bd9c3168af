"""Who gets an answer packed."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.server.packing import packed, takes_packed


@pytest.mark.parametrize(
    ("accept", "taken"),
    [
        (None, False),
        (b"", False),
        (b"gzip", True),
        (b"GZip", True),
        (b"x-gzip", True),
        (b"gzip, deflate, br, zstd", True),
        (b"br;q=1.0, gzip;q=0.8, *;q=0.1", True),
        (b"identity, gzip, *;q=0.1", True),
        (b"*", True),
        (b"*;q=0", False),
        (b"gzip;q=0", False),
        (b"gzip;q=0.000, *", False),
        (b"gzip ; q=0.5", True),
        (b"identity;q=1, gzip;q=0.5", False),
        (b"deflate", False),
        (b"gzip;q=2", False),
        (b"gzip;level=9", False),
        (b"gzipped", False),
        (b"gzip," * 1000, False),
    ],
)
def test_who_says_so_and_prefers_it(accept: bytes | None, *, taken: bool) -> None:
    assert takes_packed(accept) is taken


@given(st.binary(max_size=300))
def test_whatever_it_says_is_an_answer(accept: bytes) -> None:
    assert takes_packed(accept) in {True, False}


@given(st.binary(max_size=5000))
def test_packing_loses_nothing_and_is_the_same_each_time(body: bytes) -> None:
    assert gzip.decompress(packed(body)) == body
    assert packed(body) == packed(body)
