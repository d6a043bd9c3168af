from dataclasses import replace

from gitopsreg.catalog.reports.fingerprint import fingerprints, mark_new
from tests.catalog.reports.examples import FINDING, ODD, WARNING


def test_equal_findings_have_different_fingerprints_in_order() -> None:
    first, second = fingerprints([FINDING, FINDING])
    assert first != second
    assert fingerprints([replace(FINDING, line=1)]) == [first]


def test_without_a_package_the_file_counts_and_without_a_place_the_words() -> None:
    assert fingerprints([ODD]) != fingerprints([replace(ODD, path="elsewhere.yaml")])
    assert fingerprints([ODD]) != fingerprints([replace(ODD, message="other")])
    assert fingerprints([FINDING]) == fingerprints([replace(FINDING, path="elsewhere.yaml", message="other")])


def test_what_was_there_before_is_not_new_as_often_as_it_was() -> None:
    moved = replace(FINDING, line=99)
    assert mark_new([moved, moved, WARNING], [FINDING], "", "") == [False, True, True]


def test_where_one_stands_makes_nothing_new() -> None:
    here = replace(ODD, path="../x/registry.yaml")
    there = replace(ODD, path="catalog/registry.yaml")
    assert mark_new([here], [there], "../x/", "catalog/") == [False]
