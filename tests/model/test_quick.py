"""A quick record is the record that `dataclasses` would have made."""

from dataclasses import FrozenInstanceError, dataclass, replace
from inspect import signature
from typing import Any

import pytest

from gitopsreg.model.quick import quick


@dataclass(frozen=True, slots=True)
class Plain:
    one: str
    two: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Named(Plain):
    three: tuple[str, ...] = ()
    four: str

    def __post_init__(self) -> None:
        if self.four == "bad":
            raise ValueError(self.four)


@quick
@dataclass(frozen=True, slots=True)
class QuickPlain:
    one: str
    two: int = 2


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class QuickNamed(QuickPlain):
    three: tuple[str, ...] = ()
    four: str

    def __post_init__(self) -> None:
        if self.four == "bad":
            raise ValueError(self.four)


@pytest.mark.parametrize(("slow", "fast"), [(Plain, QuickPlain), (Named, QuickNamed)])
def test_it_takes_the_same_arguments(slow: Any, fast: Any) -> None:
    told, expected = signature(fast).parameters, signature(slow).parameters
    assert [(p.name, p.kind, p.default) for p in told.values()] == [
        (p.name, p.kind, p.default) for p in expected.values()
    ]


def test_it_is_frozen_checked_and_replaced_as_ever() -> None:
    record = QuickNamed("1", four="4")
    assert record == QuickNamed("1", 2, three=(), four="4")
    assert repr(record) == repr(Named("1", four="4")).replace("Named", "QuickNamed")
    assert replace(record, two=3).two == 3
    with pytest.raises(FrozenInstanceError):
        record.one = "2"  # type: ignore[misc]
    with pytest.raises(ValueError, match="bad"):
        QuickNamed("1", four="bad")
    with pytest.raises(TypeError):
        QuickNamed("1")  # type: ignore[call-arg]
