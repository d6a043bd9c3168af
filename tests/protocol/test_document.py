"""Documents as bytes."""

import json

from gitopsreg.protocol.document import encode


def test_letters_and_plus_stay_as_they_are() -> None:
    assert encode({"a": "2.0.0+build.5 für ü"}) == '{"a":"2.0.0+build.5 für ü"}'.encode()


def test_what_is_no_unicode_does_not_break_the_answer() -> None:
    assert json.loads(encode({"a": "\ud800"})) == {"a": "?"}
