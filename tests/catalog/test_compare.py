"""The difference of two specs: complete, silent about what is equal, and by name where items have one."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.catalog.compare import Difference, compare

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["a", "b", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["x", "y", "z"]), inner, max_size=3),
    max_leaves=8,
)
SPECS = st.dictionaries(st.sampled_from(["x", "y", "z"]), VALUES, max_size=3)


def told(before: Any, after: Any) -> list[tuple[str, str, str]]:
    return [(one.field, one.how, one.item) for one in compare(before, after)]


def _without_nothing(value: Any) -> Any:
    """What is not said and what is null, or an empty map, is the same to a reader."""
    if isinstance(value, dict):
        kept = {key: plain for key, item in value.items() if (plain := _without_nothing(item)) not in (None, {})}
        return kept or None
    if value is None:
        return None
    return [json.dumps(item, sort_keys=True) for item in value] if isinstance(value, list) else json.dumps(value)


@given(SPECS, SPECS)
def test_there_are_differences_exactly_where_the_specs_differ(before: Any, after: Any) -> None:
    assert told(before, before) == []
    plain_before, plain_after = _without_nothing(before), _without_nothing(after)
    if plain_before == plain_after and json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True):
        assert told(before, after) == []
    if plain_before != plain_after:
        assert told(before, after)


@given(SPECS, SPECS)
def test_the_way_back_tells_the_same_fields(before: Any, after: Any) -> None:
    assert {(field, item) for field, _, item in told(before, after)} == {
        (field, item) for field, _, item in told(after, before)
    }


def test_items_are_known_by_their_names() -> None:
    before = {"versions": {"yanked": [{"version": "1.0.0", "reason": "a"}, {"version": "1.1.0", "reason": "a"}]}}
    after = {"versions": {"yanked": [{"version": "1.1.0", "reason": "b"}, {"version": "1.2.0", "reason": "a"}]}}
    assert told(before, after) == [
        ("versions.yanked", "removed", "1.0.0"),
        ("versions.yanked", "changed", "1.1.0"),
        ("versions.yanked", "added", "1.2.0"),
    ]
    (_, changed, added) = compare(before, after)
    assert changed.at == ("versions", "yanked", 0)
    assert added.at == ("versions", "yanked", 1)


def test_numbers_and_switches_go_up_and_down() -> None:
    assert told({"a": 1, "b": False, "c": 2}, {"a": 2, "b": True, "c": 1}) == [
        ("a", "raised", ""),
        ("b", "raised", ""),
        ("c", "lowered", ""),
    ]


def test_another_order_is_one_difference() -> None:
    (one,) = compare({"platforms": ["a", "b"]}, {"platforms": ["b", "a"]})
    assert one == Difference(field="platforms", how="changed", before=["a", "b"], after=["b", "a"], at=("platforms",))


def test_an_empty_list_is_not_none() -> None:
    assert told({}, {"allowedSources": []}) == [("allowedSources", "added", "")]
    assert told({"allowedSources": []}, {}) == [("allowedSources", "removed", "")]
