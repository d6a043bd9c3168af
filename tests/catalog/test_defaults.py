from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.catalog.defaults import BUILT_IN, decided_by, digest, effective, inheritable

LAYERS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "interval": st.sampled_from(["1h", "2h", None]),
            "storageClass": st.sampled_from(["a", "b", None]),
            "versions": st.fixed_dictionaries(
                {}, optional={"keepLatest": st.sampled_from([1, 2, None]), "include": st.just(["^1"])}
            ),
        },
    ),
    max_size=4,
)


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([], {"interval": "15m", "keepLatest": 0, "prereleases": False}),
        ([{"interval": "1h"}], {"interval": "1h"}),
        ([{"interval": "1h"}, {"interval": "2h"}], {"interval": "2h"}),
        ([{"interval": "1h"}, {}, {"interval": None}], {"interval": "15m"}),
        (
            [{"versions": {"keepLatest": 5}}, {"versions": {"prereleases": True}}],
            {"keepLatest": 5, "prereleases": True},
        ),
        ([{"versions": {"keepLatest": 5}}, {"versions": {"keepLatest": None}}], {"keepLatest": 0}),
        ([{"versions": {"keepLatest": 5}}, {"versions": None}], {"keepLatest": 0}),
        ([{"versions": {"include": ["a"]}}, {"versions": {"include": ["b"]}}], {"include": ["b"]}),
    ],
)
def test_later_layers_win(layers: list[dict[str, Any]], expected: dict[str, Any]) -> None:
    result = effective(layers)
    flat = {**result, **result["versions"]}
    assert {key: flat.get(key) for key in expected} == expected


def test_null_takes_away_what_has_no_built_in_value() -> None:
    assert "storageClass" not in effective([{"storageClass": "standard"}, {"storageClass": None}])


@given(LAYERS)
def test_laying_an_effective_spec_over_anything_gives_it_back(layers: list[dict[str, Any]]) -> None:
    result = effective(layers)
    assert effective([result]) == result
    assert effective([BUILT_IN, *layers]) == result


@given(LAYERS)
def test_the_built_in_values_are_never_touched(layers: list[dict[str, Any]]) -> None:
    before = digest(BUILT_IN)
    effective(layers)
    assert digest(BUILT_IN) == before


def test_equal_specs_have_equal_digests_however_they_are_written() -> None:
    assert digest({"a": 1, "b": [True, None]}) == digest({"b": [True, None], "a": 1})
    assert digest({"a": 1}) != digest({"a": "1"})


def test_packages_do_not_inherit_what_is_the_registry_s_own() -> None:
    assert inheritable({"interval": "1h", "retention": {"archiveFor": "90d"}}) == {"interval": "1h"}
    assert inheritable(None) == {}


def _leaves(value: Any, steps: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    if not isinstance(value, dict):
        return {steps: value}
    return {at: leaf for key, item in value.items() for at, leaf in _leaves(item, (*steps, key)).items()}


@given(LAYERS)
def test_the_layer_that_decided_says_just_that(layers: list[dict[str, Any]]) -> None:
    for steps, value in _leaves(effective(layers)).items():
        number, depth, is_null = decided_by(layers, steps)
        said: Any = BUILT_IN if number < 0 else layers[number]
        for step in steps[:depth] if number >= 0 else steps:
            said = said[step]
        if is_null:
            said = BUILT_IN
            for step in steps:
                said = said[step]
        assert said == value
