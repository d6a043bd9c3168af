"""Range headers."""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.server.ranges import Span, wanted


@pytest.mark.parametrize(
    ("header", "span"),
    [
        ("bytes=0-3", Span(0, 4, 10)),
        ("bytes=4-", Span(4, 10, 10)),
        ("bytes=-3", Span(7, 10, 10)),
        ("bytes=-99", Span(0, 10, 10)),
        ("bytes=8-99", Span(8, 10, 10)),
        (" bytes = 0 - 0 ", Span(0, 1, 10)),
    ],
)
def test_one_range_is_a_span(header: str, span: Span) -> None:
    assert wanted(header, 10) == span


@pytest.mark.parametrize(
    "header", [None, "", "bytes", "bytes=", "bytes=-", "bytes=a-b", "items=0-1", "bytes=3-1", "bytes=0-1,4-5"]
)
def test_what_is_no_single_range_is_the_whole(header: str | None) -> None:
    assert wanted(header, 10) == "whole"


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=999999999999999999-"])
def test_a_range_behind_the_end_is_unsatisfiable(header: str) -> None:
    assert wanted(header, 10) == "unsatisfiable"


@given(st.binary(min_size=1, max_size=50), st.integers(0, 60), st.integers(0, 60))
def test_a_span_is_what_a_slice_would_be(data: bytes, first: int, last: int) -> None:
    span: Span | Literal["whole", "unsatisfiable"] = wanted(f"bytes={first}-{last}", len(data))
    if last < first:
        assert span == "whole"
    elif first >= len(data):
        assert span == "unsatisfiable"
    else:
        assert isinstance(span, Span)
        assert data[span.start : span.stop] == data[first : last + 1]
        assert span.content_range == f"bytes {first}-{first + span.length - 1}/{len(data)}"
