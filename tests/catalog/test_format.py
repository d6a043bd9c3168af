import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st

from gitopsreg.catalog.comments import comments
from gitopsreg.catalog.format import CannotFormat, formatted
from gitopsreg.catalog.loader import MAX_BYTES, parse
from tests.catalog.catalogs import HEAD, WHOLE
from tests.catalog.yamls import texts

WRITTEN = """\
# yaml-language-server: $schema=x/module.json
# What it is.


metadata: {  namespace:   platform, name: vpc }   # who
kind: Module
apiVersion: gitopsreg.io/v1alpha1


spec:

    # where from
    source:
        url: https://github.com/acme/vpc.git
        type: git          # tags
        # end of source
    versions:
        yanked:
        - {reason: wrong, version: 1.4.1}
        # the pin
        - version: 1.4.2   # this one
          reason: "{x}"
        constraint: ">= 1"
    description: >-
            long
              longer

    system: aws
# the end
"""
CANONICAL = """\
# yaml-language-server: $schema=x/module.json
# What it is.

apiVersion: gitopsreg.io/v1alpha1
kind: Module
metadata: {name: vpc, namespace: platform}   # who

spec:
  system: aws
  description: >-
    long
      longer

  # where from
  source:
    type: git          # tags
    url: https://github.com/acme/vpc.git
    # end of source
  versions:
    constraint: ">= 1"
    yanked:
      - {version: "1.4.1", reason: wrong}
      # the pin
      - version: "1.4.2"   # this one
        reason: "{x}"
# the end
"""


def once(text: str) -> str:
    return formatted(text.encode()).decode()


def test_the_canonical_form() -> None:
    assert once(WRITTEN) == CANONICAL
    assert once(CANONICAL) == CANONICAL


@pytest.mark.parametrize("text", WHOLE.values())
def test_what_is_right_stays_as_it_is(text: str) -> None:
    assert once(text) == text


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("a: 1   \n\n\n", "a: 1\n"),
        ("\ufeffa: 1", "a: 1\n"),
        ("a: 1\r\nb: 2\r\n", "a: 1\nb: 2\n"),
        ("---\na: 1\n...\n", "a: 1\n"),
        ("a:\n- 1\n-   b: 2\n    c: 3\n", "a:\n  - 1\n  - b: 2\n    c: 3\n"),
        ("a: {b: 1,\n  c: [x,\n  y]}\n", "a: {b: 1, c: [x, y]}\n"),
        ("a: {b: 1, # why\n  c: 2}\n", "a:\n  b: 1 # why\n  c: 2\n"),
        ("a: [ # all\n  x,\n  # and\n  y\n]\n", "a: # all\n  - x\n  # and\n  - y\n"),
        ("a: [" + ", ".join(["long"] * 30) + "]\n", "a:\n" + "  - long\n" * 30),
        ("a: {b, c: }\n", "a: {b: null, c: null}\n"),
        ("a: |\n     x\n\n      y\n", "a: |\n  x\n\n   y\n"),
        ("a:\n   - |2\n       x\n      y\n", "a:\n  - |2\n      x\n     y\n"),
        ("a: 'x\n    y'\n", "a: 'x\n  y'\n"),
        ("a: # key\n  # under\n  value # behind\n", "a: # key\n  # under\n  value # behind\n"),
        ("a:\n  # first\n\n  b: 1\n  # last\nc: 2\n", "a:\n  # first\n\n  b: 1\n  # last\nc: 2\n"),
        ("a:\n  - # dash\n    b: 1\n", "a:\n  - # dash\n    b: 1\n"),
        ("? a\n: b\n", "a: b\n"),
        ("a: v1.0.0\nversion: v1.0.0\n", 'a: v1.0.0\nversion: "v1.0.0"\n'),
        ("a: 1.0.0\nb: 1.10\nc: '1.0.0'\n", "a: \"1.0.0\"\nb: 1.10\nc: '1.0.0'\n"),
        ("a: {}\nb: [ ]\n", "a: {}\nb: []\n"),
        ("{a: 1, b: {c: d}}\n", "a: 1\nb: {c: d}\n"),
    ],
)
def test_one_thing_at_a_time(written: str, right: str) -> None:
    assert once(written) == right
    assert once(right) == right


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: [", "line 2: [GR001]"),
        ("a: 1\na: 2\n", "line 2: [GR004]"),
        ("a: &x 1\n", "[GR003]"),
        ("", "[GR011]"),
        ("a: 1\n" + "#" * MAX_BYTES, "[GR007]"),
        ("- a\n", "no mapping"),
        ("word\n", "no mapping"),
        ("{}\n", "no mapping"),
        ("%YAML 1.1\n---\na: 1\n", "directive"),
        ('a: "x\u2028 y"\n', "U+2028"),
        ("--- # why\na: 1\n", "no place is known for the comment"),
        ("a: [ # one\n] # two\n", "line 2"),
        ("? |\n  a\n: 1\n", "a key is more than a word"),
    ],
)
def test_what_has_no_canonical_form_is_refused(text: str, why: str) -> None:
    with pytest.raises(CannotFormat) as refused:
        once(text)
    assert why in str(refused.value)


def words(data: bytes) -> list[str]:
    return sorted(comment.text.rstrip() for comment in comments(parse(data).text))


@given(texts())
def test_formatting_means_the_same_keeps_comments_and_is_done_at_once(text: str) -> None:
    data = text.encode()
    before = parse(data)
    assume(before.document is not None and not before.problems)
    try:
        after = formatted(data)
    except CannotFormat as error:
        event(str(error).split(":")[-1])
        return
    event("formatted")
    parsed = parse(after)
    assert before.document is not None
    assert parsed.document is not None
    assert repr(_sorted(parsed.document.value)) == repr(_sorted(before.document.value))
    assert words(after) == words(data)
    assert formatted(after) == after


def _sorted(value: object) -> object:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


@given(texts())
def test_nearly_everything_can_be_formatted(text: str) -> None:
    """The last word of the formatter, to refuse what came out wrong, is for what nobody thought of: not for these."""
    data = text.encode()
    before = parse(data)
    assume(before.document is not None and not before.problems)
    assert "no canonical form" not in _refusal(data)


def _refusal(data: bytes) -> str:
    try:
        formatted(data)
    except CannotFormat as error:
        return str(error)
    return ""


@given(st.binary(max_size=300) | st.text(alphabet="ab:-?[]{}|>'\"%#,\n \t~.é", max_size=60).map(str.encode))
def test_any_bytes_are_formatted_or_refused(data: bytes) -> None:
    try:
        after = formatted(data)
    except CannotFormat:
        return
    assert formatted(after) == after


def test_the_order_is_the_schema_s_and_unknown_keys_come_last() -> None:
    text = HEAD + "zzz: 1\nspec: {source: {url: u, zz: 1, type: git}, system: aws}\nkind: Module\n"
    assert once(text) == HEAD + "kind: Module\nspec: {system: aws, source: {type: git, url: u, zz: 1}}\nzzz: 1\n"
