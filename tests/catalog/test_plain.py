import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.catalog.loader import composed, parse
from gitopsreg.catalog.plain import NotPlainError, read
from tests.catalog.yamls import texts


@given(texts() | st.text())
def test_the_quick_way_says_what_the_long_one_says_or_nothing(text: str) -> None:
    try:
        value = read(text)
    except NotPlainError:
        return
    found = composed(text)
    assert found.problems == ()
    assert found.document is not None
    assert repr(found.document.value) == repr(value)


@pytest.mark.parametrize(
    "text",
    ["", "a: 1\n---\nb: 2\n", "a: &b 1\n", "a: *b\n", "a: !!str 1\n", "1: a\n", "yes: a\n", "? [a]\n: b\n", "[a, b",
     "<<: a\n", "a: 1\na: 2\n", "[" * 33 + "]" * 33, "a: !x b\n", "!!map {a: b}\n", "- &a b\n", "{a: 1}: b\n"],
)  # fmt: skip
def test_what_there_is_to_tell_of_is_left_to_the_long_way(text: str) -> None:
    with pytest.raises(NotPlainError):
        read(text)
    assert parse(text.encode()) == composed(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("a: [1, 'yes', true, ~]\n", {"a": [1, "yes", True, None]}), ("'<<': {}\n", {"<<": {}}),
     ("%YAML 1.1\n---\na\n...\n", "a"), ("[" * 32 + "]" * 32, None)],
)  # fmt: skip
def test_what_is_plain_is_read_quickly(text: str, value: object) -> None:
    found = read(text)
    assert found == value if value is not None else found == composed(text).document.value  # type: ignore[union-attr]
