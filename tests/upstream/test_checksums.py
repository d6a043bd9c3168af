from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitopsreg.errors import IntegrityError
from gitopsreg.model.digest import Sha256
from gitopsreg.upstream.checksums import MAX_SIZE, parse

ONE = "0123456789abcdef" * 4
NAME = "terraform-provider-hello_1.0.0_linux_amd64.zip"
GOOD = f"{ONE}  {NAME}\n"


def refused(text: str) -> str:
    with pytest.raises(IntegrityError) as caught:
        parse(text.encode())
    assert caught.value.reason == "ChecksumsInvalid"
    return str(caught.value)


def test_exact_bytes_are_kept_beside_what_they_say() -> None:
    found = parse(GOOD.encode())
    assert found.data == GOOD.encode()
    assert found.digests == {NAME: Sha256(ONE)}


@pytest.mark.parametrize(
    "text",
    [
        GOOD.removesuffix("\n"),
        GOOD.replace("\n", "\r\n"),
        GOOD.replace(ONE, ONE.upper()),
        GOOD.replace("  ", "\t"),
        GOOD.replace("  ", " "),
    ],
    ids=["no last newline", "crlf", "upper case", "tab", "one space"],
)
def test_what_clients_read_is_read(text: str) -> None:
    found = parse(text.encode())
    assert found.digests == {NAME: Sha256(ONE)}
    assert found.data == text.encode()


@pytest.mark.pitfall(29)
@pytest.mark.parametrize(
    ("text", "line"),
    [(f"\n{GOOD}", 1), (f"{GOOD}\n", 2), (f"{GOOD}\r\n", 2), (f"{GOOD}  \n", 2), ("", 1), ("\n", 1)],
    ids=["first", "doubled last newline", "crlf", "spaces", "empty file", "only a newline"],
)
def test_pitfall_29_blank_line_in_checksums_is_refused(text: str, line: int) -> None:
    assert f"line {line}: is blank" in refused(text)


@pytest.mark.pitfall(30)
@pytest.mark.parametrize("comment", ["# by hand", "; by hand", "// by hand", "  # by hand"])
def test_pitfall_30_comment_in_checksums_is_refused(comment: str) -> None:
    message = refused(f"{GOOD}{comment}\n")
    assert "line 2" in message
    assert "comment" in message


@pytest.mark.pitfall(31)
def test_pitfall_31_binary_mark_in_checksums_is_refused() -> None:
    message = refused(f"{ONE} *{NAME}\n")
    assert f'line 1: "*{NAME}"' in message
    assert "without -b" in message


@pytest.mark.parametrize(
    "line",
    [
        f"{ONE[:-1]}  {NAME}",
        f"{ONE}0  {NAME}",
        f"{ONE[:-1]}g  {NAME}",
        ONE,
        f"{ONE}  ",
        f"{ONE}  {NAME} {NAME}",
        f" {ONE}  {NAME}",
        f"{ONE}  {NAME} ",
        f"SHA256 ({NAME}) = {ONE}",
    ],
)
def test_a_line_of_another_shape_is_refused(line: str) -> None:
    assert "line 1" in refused(line + "\n")


@pytest.mark.parametrize("name", ["dist/a.zip", "../a.zip", "a\\b.zip", ".", "..", "./a.zip", "ä.zip", "\x01", "-rf"])
def test_a_name_that_is_no_plain_file_name_is_refused(name: str) -> None:
    assert "plain file name" in refused(f"{ONE}  {name}\n")


def test_a_name_listed_twice_is_refused() -> None:
    assert f'line 2: "{NAME}" is listed twice' in refused(GOOD + GOOD)


def test_all_wrong_lines_are_named_at_once_but_not_endlessly() -> None:
    message = refused("".join(f"bad {number}\n" for number in range(1, 9)))
    assert [f"line {number}:" in message for number in range(1, 9)] == [True] * 5 + [False] * 3
    assert "and 3 more" in message


def test_bytes_that_are_no_text_are_refused_with_their_line() -> None:
    with pytest.raises(IntegrityError, match="line 2"):
        parse(GOOD.encode() + b"\xff\xfe\x00\n")


def test_a_file_too_large_to_be_one_is_refused() -> None:
    with pytest.raises(IntegrityError) as caught:
        parse(b"0" * (MAX_SIZE + 1))
    assert caught.value.reason == "TooLarge"


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_any_bytes_are_read_or_refused_with_our_error(data: bytes) -> None:
    with suppress(IntegrityError):
        assert parse(data).digests


@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9._-]{0,20}", fullmatch=True), st.binary(max_size=9), min_size=1))
@settings(deadline=None)
def test_what_sha256sum_writes_is_read(files: dict[str, bytes]) -> None:
    digests = {name: Sha256.of(data) for name, data in files.items()}
    text = "".join(f"{digest.hex}  {name}\n" for name, digest in digests.items())
    assert parse(text.encode()).digests == digests


def test_what_a_terminal_would_act_on_is_not_shown_as_it_is() -> None:
    assert "\x1b" not in refused(f"{ONE}  \x1b[2J\n# \x1b[2J\n\x1b[2J\n")
