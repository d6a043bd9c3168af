import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.catalog.scalar import Ambiguous, classify


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("", None), ("~", None), ("null", None), ("true", True), ("False", False), ("0", 0), ("-7", -7), ("+7", 7),
        ("1.10", 1.1), (".5", 0.5), ("1.", 1.0), ("1.2.3", "1.2.3"), ("1.2.3-rc.1", "1.2.3-rc.1"), ("v1", "v1"),
        (">= 1.0", ">= 1.0"), ("~> 1.0", "~> 1.0"), ("-", "-"), ("15m", "15m"), ("y", "y"), ("=", "="),
        ("9c1d0f3b5b1b4a0e2f6c7d8e9f00112233445566", "9c1d0f3b5b1b4a0e2f6c7d8e9f00112233445566"),
    ],
)  # fmt: skip
def test_what_every_reader_agrees_on(raw: str, value: object) -> None:
    assert classify(raw) == value
    assert type(classify(raw)) is type(value)


@pytest.mark.parametrize(
    ("raw", "reads", "plain"),
    [
        ("yes", "the boolean true to some readers", "true"),
        ("Off", "the boolean false to some readers", "false"),
        ("1e3", "the number 1000", ""),
        ("017", "the number 15 to some readers", "17"),
        ("0o17", "the number 15 to some readers", "15"),
        ("0x1F", "the number 31 to some readers", "31"),
        ("0b101", "the number 5 to some readers", "5"),
        ("1_000", "a number to some readers", "1000"),
        ("089", "a number to some readers", "89"),
        ("1:30", "a number to base 60 to some readers", ""),
        ("2026-09-01", "a date", ""),
        ("2026-09-01T10:00:00Z", "a date", ""),
        (".inf", "the number inf", ""),
        (".NaN", "the number nan", ""),
        ("1e999999", "the number inf", ""),
    ],
)
def test_what_readers_disagree_on(raw: str, reads: str, plain: str) -> None:
    assert classify(raw) == Ambiguous(raw, reads, plain)


@given(st.text(alphabet="0123456789+-._:eExXob ", max_size=300))
def test_any_number_like_text_is_classified(raw: str) -> None:
    assert isinstance(classify(raw), str | int | float | Ambiguous | None)
