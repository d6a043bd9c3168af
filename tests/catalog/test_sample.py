from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.catalog.loader import parse
from gitopsreg.catalog.sample import one_line, yaml_text

TEXTS = st.text(
    st.characters(max_codepoint=0x2FFF, exclude_categories=("Cs", "Cc", "Zl", "Zp", "Cn", "Co")), max_size=20
)
SCALARS = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | TEXTS | st.lists(TEXTS, max_size=3).map("\n".join)
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=12
)


@given(st.dictionaries(TEXTS, TREES, max_size=4))
def test_what_is_written_reads_back_as_it_was(tree: dict[str, Any]) -> None:
    parsed = parse(yaml_text(tree).encode())
    assert parsed.problems == ()
    assert parsed.document is not None
    assert parsed.document.value == tree


@pytest.mark.parametrize(
    ("plain", "text"),
    [
        ({"version": "1.10", "reason": "wrong"}, '{version: "1.10", reason: wrong}'),
        ({"version": "1.4.2"}, '{version: "1.4.2"}'),
        (["^1\\.3\\."], "['^1\\.3\\.']"),
        ({"a": True, "b": None, "c": 5, "d": ""}, '{a: true, b: null, c: 5, d: ""}'),
        ([], "[]"),
    ],
)
def test_values_look_as_people_write_them(plain: Any, text: str) -> None:
    assert one_line(plain) == text


def test_what_is_small_stays_on_its_line_and_the_rest_is_indented() -> None:
    text = yaml_text(
        {
            "metadata": {"name": "vpc"},
            "spec": {"source": {"type": "git", "path": "a" * 90}, "pins": [{"version": "1.0.0"}], "key": "one\ntwo\n"},
        }
    )
    assert text == (
        "metadata: {name: vpc}\nspec:\n  source:\n    type: git\n    path: " + "a" * 90 + "\n"
        '  pins:\n    - {version: "1.0.0"}\n  key: |\n    one\n    two\n'
    )
