"""The list of pitfalls (docs/clients.md) and the tests that are marked with its numbers say the same."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

TESTS = Path(__file__).parent
LIST = TESTS.parent / "docs/clients.md"
LEAST_COVERED = 40


class Marked(NamedTuple):
    """One `@pytest.mark.pitfall(number)`."""

    where: str
    test: str
    number: int


@cache
def marked() -> tuple[Marked, ...]:
    """Every marker of the suite, found by reading it: nothing is imported, and nothing can be skipped."""
    return tuple(item for path in sorted(TESTS.rglob("*.py")) for item in _in_file(path))


def _in_file(path: Path) -> Iterator[Marked]:
    where = str(path.relative_to(TESTS))
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.pitfall":
                    yield from (Marked(where, node.name, int(ast.unparse(number))) for number in decorator.args)


@cache
def listed() -> frozenset[int]:
    return frozenset(
        int(found) for found in re.findall(r"^([0-9]+)\. ", LIST.read_text(encoding="utf-8"), re.MULTILINE)
    )


def test_the_list_is_whole() -> None:
    assert listed() == set(range(1, 64))


def test_most_pitfalls_are_tests() -> None:
    covered = {item.number for item in marked()}
    assert len(covered) >= LEAST_COVERED, f"not covered: {sorted(listed() - covered)}"


def test_every_marked_number_is_on_the_list() -> None:
    assert [item for item in marked() if item.number not in listed()] == []


def test_every_marked_test_has_its_number_in_its_name() -> None:
    """`test_pitfall_09_10_…`: all of its numbers, right after the word."""
    assert [item for item in marked() if item.number not in _named(item.test)] == []


def _named(test: str) -> set[int]:
    found = re.match(r"test_pitfall((?:_[0-9]+)+)_", test)
    return {int(number) for number in found[1].strip("_").split("_")} if found else set()


def test_no_marker_escapes_the_search() -> None:
    """A marker that is written in another way would count for nothing."""
    text = "".join(path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py") if path != Path(__file__))
    assert len(re.findall(r"pytest\.mark\.pitfall\([^)]", text)) == len({(m.where, m.test, m.number) for m in marked()})
