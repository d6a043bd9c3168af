from collections.abc import Mapping
from typing import Any

import pytest

from gitopsreg.index.shape import shape_of


@pytest.mark.parametrize("kind", [float, bytes, list[str], Mapping[str, str], str | int, str | int | None])
def test_a_type_that_documents_can_not_hold_is_refused_at_once(kind: Any) -> None:
    with pytest.raises(TypeError, match="has no shape"):
        shape_of(kind)


def test_a_pair_has_its_length() -> None:
    shape = shape_of(tuple[str, int])
    assert shape.load(["a", 1]) == ("a", 1)
    assert shape.dump(("a", 1)) == ["a", 1]
    for wrong in (["a"], ["a", 1, 2], "ab", ["a", True]):
        with pytest.raises(ValueError, match="is no"):
            shape.load(wrong)
