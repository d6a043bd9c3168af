"""Which other modules a module's files call by a local path (`source = "../shared"`). Evaluates nothing.

This only decides what must lie in the archive; a file that is no proper HCL or JSON names nothing.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

_SUFFIXES = (".tf", ".tofu")
_JSON_SUFFIXES = (".tf.json", ".tofu.json")
_LOCAL = re.compile(r"\.\.?(?:/|$)")

# Comments and heredocs are swallowed whole, so that nothing inside them counts. What is never closed is swallowed too:
# to look for the end once more at the next sign would take a hostile file's length squared. What can't end otherwise is
# never given back (`*+`), which halves the time.
_TOKEN = re.compile(
    r"""
    "(?P<text> (?:[^"\\\n]++|\\.)*+ )"
  | (?P<skipped>
        \#[^\n]* | //[^\n]*
      | /\*(?:.*?\*/|.*)
      | <<-?(?P<mark>\w+)[ \t]*\r?\n(?:.*?\n[ \t]*(?P=mark)\b|.*)
      | "(?:[^"\\\n]++|\\.)*+
    )
  | (?P<word> [A-Za-z_][\w-]*+ )
  | (?P<sign> [{}=] )
    """,
    re.VERBOSE | re.DOTALL,
)


def is_module_file(name: str) -> bool:
    """Whether Terraform or OpenTofu reads a file of this name as configuration."""
    return name.endswith((*_SUFFIXES, *_JSON_SUFFIXES))


def local_sources(name: str, content: bytes) -> tuple[str, ...]:
    """The local sources of all `module` blocks of a file called `name`."""
    text = content.decode(errors="replace")
    found = _json_sources(text) if name.endswith(_JSON_SUFFIXES) else _hcl_sources(text)
    return tuple(source for source in found if _LOCAL.match(source))


def _hcl_sources(text: str) -> Iterator[str]:
    """`module "x" { source = "…" }`: the attribute right inside a block right at the top."""
    # Most files call nothing nearby, and reading their tokens would be most of what packing costs.
    if '".' not in text or "module" not in text:
        return
    depth, inside = 0, False
    before, last = "", ""  # the two tokens in front
    for token in _TOKEN.finditer(text):
        if token.lastgroup == "skipped":
            continue
        found = "" if token.lastgroup == "text" else token[0]
        if found == "{":
            inside = inside if depth else before == "module"
            depth += 1
        elif found == "}":
            depth, last = max(0, depth - 1), ""
        elif not found and inside and depth == 1 and (before, last) == ("source", "="):
            yield token["text"]
        before, last = last, found


def _json_sources(text: str) -> Iterator[str]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return
    for calls in _blocks(document.get("module") if isinstance(document, dict) else None):
        for block in calls.values():
            for call in _blocks(block):
                if isinstance(source := call.get("source"), str):
                    yield source


def _blocks(value: Any) -> Iterator[dict[str, Any]]:
    """JSON syntax lets one block stand for a list of them."""
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict):
            yield one
