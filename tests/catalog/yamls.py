"""Hypothesis strategies for YAML texts that the loader reads: every style, comments and blank lines anywhere."""

from hypothesis import strategies as st

_plain = st.sampled_from(
    ["vpc", "aws", "1.4.2", "v1.0.0", "true", "15", "1.10", "a b", "https://x/y.git", "~", "0x10", "é", "a#b", "a:b"]
)
_quoted = st.sampled_from(
    ['"1.10"', "'it''s'", '"# no comment"', '"a\\nb"', "'{x}'", '""', '"\\ "', '"a: b"', "'^1\\.3'", '"\\u2028"']
)
_keys = st.sampled_from(
    ["kind", "metadata", "spec", "name", "system", "source", "type", "url", "versions", "pins", "version", "labels",
     "range", '"quoted"', "'single'", "x y", "constraint", "apiVersion", "deprecation", "suspend"]
)  # fmt: skip
_comments = st.sampled_from(["# one", "#two", "#", "# three  ", "# gitopsreg: ignore[GR404] why", "# ü: {a} - b"])
_side = st.just("") | st.tuples(st.sampled_from([" ", "   ", "\t"]), _comments).map("".join)
_above = st.lists(st.just("") | _comments | st.just("   "), max_size=2)
_spaces = st.sampled_from(["", " "])


@st.composite
def _flow(draw: st.DrawFn, depth: int) -> str:
    """Brackets, sometimes over several lines, sometimes with comments inside."""
    scalar = _plain.filter(lambda text: ":" not in text and text != "~") | _quoted
    inner = scalar if depth == 0 else scalar | _flow(depth - 1)
    pad = draw(_spaces)
    glue = draw(st.sampled_from([", ", ",", " , ", ",\n          ", ", # side\n          "]))
    if draw(st.booleans()):
        items = draw(st.lists(inner, max_size=3))
        return f"[{pad}{glue.join(items)}{pad}]"
    pairs = draw(st.lists(st.tuples(_keys, inner), max_size=3, unique_by=lambda pair: pair[0].strip("\"'")))
    return "{%s}" % (pad + glue.join(f"{key}: {value}" for key, value in pairs) + pad)


@st.composite
def _text_block(draw: st.DrawFn, indent: int) -> list[str]:
    """A header and lines deeper than `indent`."""
    header = draw(st.sampled_from(["|", "|-", "|+", ">", ">-", ">+"]))
    pad = " " * (indent + draw(st.integers(1, 3)))
    lines = draw(
        st.lists(st.sampled_from(["text", "# no comment", "", "  more", "a: b", "- x"]), min_size=1, max_size=4)
    )
    first = ["first"] if not lines[0].strip() or lines[0].startswith(" ") else []
    return [header + draw(_side), *(pad + line if line else "" for line in first + lines)]


@st.composite
def _lines_of(draw: st.DrawFn, indent: int, depth: int) -> list[str]:
    """A block map or list at an indentation."""
    pad = " " * indent
    is_map = indent == 0 or draw(st.booleans())
    keys = draw(st.lists(_keys, min_size=1, max_size=4, unique_by=lambda key: key.strip("\"'")))
    lines: list[str] = []
    for key in keys:
        odd = " " * draw(st.sampled_from([indent, indent, 0, indent + 2]))
        lines += [line if not line.strip() else odd + line for line in draw(_above)]
        head = f"{pad}{key}:" if is_map else f"{pad}-"
        lines += draw(_entry(head, indent, depth))
    return lines


@st.composite
def _entry(draw: st.DrawFn, head: str, indent: int, depth: int) -> list[str]:
    choice = draw(st.integers(0, 7 if depth else 4))
    if choice == 0:
        return [head + draw(_side)]
    if choice == 1:
        first, *rest = draw(_flow(2)).split("\n")
        return [f"{head} {first}", *rest[:-1], *([rest[-1] + draw(_side)] if rest else [])]
    if choice == 2:
        first, *rest = draw(_text_block(indent))
        return [f"{head} {first}", *rest]
    if choice == 3:
        more = " " * (indent + 2)
        return [f'{head} "first', f"{more}second", "", f'{more}third"{draw(_side)}']
    if choice == 4 or not depth:
        value = draw(_plain | _quoted)
        return [f"{head} {value}{draw(_side)}"]
    deeper = indent + draw(st.integers(1, 4))
    return [head + draw(_side), *draw(_lines_of(deeper, depth - 1))]


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A mapping; not all of them are read without problems."""
    ending = draw(st.sampled_from(["\n", "\n", "\r\n", ""]))
    start = draw(st.sampled_from(["", "", "---\n", "\ufeff", "# head\n\n", "\n\n"]))
    lines = draw(_lines_of(0, 3))
    tail = draw(_above)
    return start + (ending or "\n").join(lines + tail) + ending
