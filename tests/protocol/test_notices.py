"""Sentences that clients print."""

import pytest

from gitopsreg.model.declaration import Deprecation
from gitopsreg.protocol.notices import deprecation_notice, reason_not_to_use, yank_notice
from tests.builders import a_module, a_module_version


@pytest.mark.parametrize(
    ("deprecation", "expected"),
    [
        (Deprecation(message="no longer maintained"), "deprecated: no longer maintained"),
        (
            Deprecation(message="too large", replacement="platform/network/aws", since="2026-01-01"),
            "deprecated since 2026-01-01: too large; use platform/network/aws instead",
        ),
        (Deprecation(message="  "), "deprecated"),
        (Deprecation(message="two\nlines \x1b[31mred\x1b[0m"), "deprecated: two lines [31mred [0m"),
    ],
)
def test_a_deprecation_is_one_printable_line(deprecation: Deprecation, expected: str) -> None:
    assert deprecation_notice(deprecation) == expected


@pytest.mark.parametrize(
    ("reason", "expected"), [("wrong table", "version 1.0.0 is yanked: wrong table"), ("", "version 1.0.0 is yanked")]
)
def test_a_yank_names_version_and_reason(reason: str, expected: str) -> None:
    assert yank_notice(a_module_version("1.0.0", yanked=reason)) == expected


def test_a_version_that_is_fine_has_nothing_against_it() -> None:
    assert reason_not_to_use(a_module(), a_module_version()) is None


def test_the_yank_of_a_version_says_more_than_the_package_s_deprecation() -> None:
    package = a_module(deprecation=Deprecation(message="old"))
    assert reason_not_to_use(package, a_module_version()) == "deprecated: old"
    assert reason_not_to_use(package, a_module_version(yanked="bad")) == "version 1.0.0 is yanked: bad"
