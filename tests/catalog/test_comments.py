from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.catalog.comments import Comment, comments


def found(text: str) -> list[tuple[int, int, str]]:
    return [(comment.line, comment.column, comment.text) for comment in comments(text)]


def test_comments_and_what_only_looks_like_one() -> None:
    text = """\
# top
a: 1 # behind
b: "not # one"
c: 'nor # this
  # either'
d: x#y
e: [1, "#", # inside
  2]
  # alone
f: plain text
  goes on # end
"""
    assert found(text) == [
        (1, 1, "# top"),
        (2, 6, "# behind"),
        (7, 13, "# inside"),
        (9, 3, "# alone"),
        (11, 11, "# end"),
    ]


def test_alone_or_behind_something() -> None:
    assert list(comments("  # alone\na: 1 # behind\n")) == [
        Comment(1, 3, "# alone", alone=True),
        Comment(2, 6, "# behind", alone=False),
    ]


def test_blocks_hold_no_comments_but_their_first_line_does() -> None:
    text = """\
a: | # head
  text # no

  # no
   # no
# after
b: >-
    folded # no
  # less
c: |2
     more
   # no
d: |
e: 1 # last
"""
    assert found(text) == [(1, 6, "# head"), (6, 1, "# after"), (9, 3, "# less"), (14, 6, "# last")]


def test_a_text_that_is_no_yaml_has_comments_as_far_as_it_goes() -> None:
    assert (1, 6, "# here") in found('a: 1 # here\nb: "open # quote\n')


@given(st.text(alphabet=" #\n\t:-[]{}|>'\"ab&*!%\u2028", max_size=60))
def test_any_text_gives_comments_that_are_there(text: str) -> None:
    lines = text.splitlines()
    for comment in comments(text):
        assert comment.text.startswith("#")
        assert any(comment.text in line for line in lines) or "\u2028" in text


def test_many_strings_with_hashes_in_one_line_are_quick() -> None:
    text = "a: [" + '" #", ' * 40_000 + "]\n"
    assert found(text) == []
