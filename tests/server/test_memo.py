"""What is remembered stays within its bounds, and whoever asks for much pushes out only what others like them asked."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.server.memo import Memo, Question, Remembered, Repeated, question
from gitopsreg.server.shelf import Shelf

MOST, BUDGET = 20, 400
EPOCH = object()


@given(things=st.lists(st.tuples(st.integers(0, 60), st.binary(max_size=120), st.booleans()), max_size=200))
def test_a_shelf_stays_within_its_bounds_and_gives_back_only_what_it_was_given(
    things: list[tuple[int, bytes, bool]],
) -> None:
    shelf: Shelf[int, bytes] = Shelf(MOST, BUDGET, lambda _, value: len(value))
    newest: dict[int, bytes] = {}
    for key, value, kept in things:
        if kept and len(value) <= BUDGET // 8:
            shelf.keep(key, value)
            newest[key] = value
            assert shelf.find(key) == value
        found = shelf.find(key)
        assert found is None or found == newest[key]
        assert len(shelf) <= MOST
        assert shelf.weight <= BUDGET


def test_what_is_asked_for_stays_on_the_shelf_whatever_comes_by() -> None:
    shelf: Shelf[object, str] = Shelf(MOST, BUDGET, lambda _, __: 1)
    shelf.keep("asked", "kept")
    shelf.keep("forgotten", "gone")
    for number in range(1000):
        shelf.keep(number, "")
        assert number % 5 or shelf.find("asked") == "kept"
    assert shelf.find("forgotten") is None


def test_what_would_fill_it_alone_is_not_taken() -> None:
    shelf: Shelf[str, bytes] = Shelf(MOST, BUDGET, lambda _, value: len(value))
    shelf.keep("large", bytes(BUDGET // 8 + 1))
    assert shelf.find("large") is None


def asked(target: str = "/x", authorization: bytes | None = None) -> Question:
    found = question(b"GET", target.encode(), "http", [(b"authorization", authorization)] if authorization else [])
    assert found
    return found


def an_answer(status: int = 200, body: bytes = b"body", until: float = inf) -> Remembered:
    return Remembered.of(status, [(b"etag", b'"1"')], body, until=until, cell=0)


def a_memo() -> Memo:
    return Memo(lambda: EPOCH)


def test_no_flood_of_unknown_names_takes_the_place_of_answers() -> None:
    memo = a_memo()
    memo.keep(asked("/good"), an_answer(), EPOCH)
    memo.keep(asked("/good", b"Bearer 1"), an_answer(), EPOCH)
    for number in range(20_000):
        memo.keep(asked(f"/nothing/{number}"), an_answer(404), EPOCH)
    assert memo.find(asked("/good"))
    assert memo.find(asked("/good", b"Bearer 1"))
    assert memo.find(asked("/nothing/19999"))
    assert memo.sizes["missing"] < 8 * 1024 * 1024


def test_no_flood_of_tokens_takes_the_place_of_answers_without_one_or_of_a_token_in_use() -> None:
    memo = a_memo()
    memo.keep(asked("/good"), an_answer(), EPOCH)
    memo.keep(asked("/good", b"Bearer used"), an_answer(), EPOCH)
    body = bytes(10_000)
    for number in range(20_000):
        memo.keep(asked("/good", b"Bearer %d" % number), an_answer(body=body), EPOCH)
        assert number % 1000 or memo.find(asked("/good", b"Bearer used"))
    assert memo.find(asked("/good"))
    assert memo.sizes["tokened"] < 64 * 1024 * 1024


def test_no_flood_of_different_bytes_takes_memory() -> None:
    memo = a_memo()
    memo.keep(asked(), an_answer(), EPOCH)
    for number in range(20_000):
        memo.raw("http").keep(b"%4000d" % number, Repeated(an_answer(), None, memo.of))
    assert memo.sizes["raw"] < 32 * 1024 * 1024


def test_of_another_epoch_nothing_is_remembered() -> None:
    epochs = [EPOCH]
    memo = Memo(lambda: epochs[-1])
    memo.keep(asked(), an_answer(), EPOCH)
    again = Repeated(an_answer(), None, memo.of)
    memo.raw("http").keep(b"x", again)
    assert memo.holds(again)
    epochs.append(object())
    assert memo.find(asked()) is None
    assert not memo.holds(again)
    memo.keep(asked("/late"), an_answer(), EPOCH)  # rendered before, finished after
    assert memo.find(asked("/late")) is None
    memo.keep(asked("/new"), an_answer(), epochs[-1])
    assert memo.find(asked("/new"))
    assert memo.sizes["raw"] == 0
    assert memo.raw("http").find(b"x") is None


def test_what_holds_for_a_while_is_not_the_answer_later() -> None:
    now = [1.0]
    memo = Memo(lambda: EPOCH, lambda: now[0])
    memo.keep(asked(), an_answer(), EPOCH)
    found = [Repeated(an_answer(until=until), None, memo.of) for until in (inf, 2.0)]
    assert [memo.holds(each) for each in found] == [True, True]
    now[0] = 2.0
    assert [memo.holds(each) for each in found] == [True, False]


def test_what_is_asked_in_one_scheme_is_not_answered_in_another() -> None:
    memo = a_memo()
    memo.raw("http").keep(b"x", Repeated(an_answer(), None, memo.of))
    assert memo.raw("https").find(b"x") is None


@pytest.mark.parametrize("query", ["", "a=b", "a%20b=%zz&c", "terraform-get=1"])
def test_a_query_makes_no_other_question(query: str) -> None:
    assert asked(f"/x?{query}") == asked("/x")


@pytest.mark.parametrize("query", ["#", "a b", "a=b#c", '"', "ä", "?"])
def test_an_odd_query_does(query: str) -> None:
    """Who parses it may find it no request at all."""
    assert asked(f"/x?{query}") != asked("/x")


def test_all_ways_to_say_that_gzip_is_taken_are_one_question() -> None:
    ways = [b"gzip", b"GZIP", b"deflate, gzip;q=1.0", b"*;q=0.5", b"br, x-gzip"]
    assert len({question(b"GET", b"/", "http", [(b"accept-encoding", way)]) for way in ways}) == 1
    others: list[list[tuple[bytes, bytes]]] = [[], [(b"accept-encoding", b"identity")], [(b"accept-encoding", b"")]]
    assert len({question(b"GET", b"/", "http", headers) for headers in others}) == 1
