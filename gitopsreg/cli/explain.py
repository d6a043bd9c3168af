"""`gitopsreg explain`: every effective field of one declaration, and the file and line that it comes from. Offline."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gitopsreg.cli import output
from gitopsreg.cli.failures import DONE, FOUND, tell
from gitopsreg.cli.options import PRINTED, takes
from gitopsreg.errors import ConfigError, InvalidName, quoted
from gitopsreg.settings import Settings

if TYPE_CHECKING:
    from gitopsreg.catalog.effective import Book, Field

NAME = "explain"
SHORT = "Show where each field of a declaration comes from."
HELP = """Show every effective field of one declaration, with its value and the file and line that it comes from.

ADDRESS is what plans call it: module:platform/vpc/aws, provider:platform/internal, key:platform/release,
namespace:platform, registry. The kind may be left out where that is clear. Needs no network and no store.

Exit codes: 0 done, 1 the declaration is not valid, 2 wrong use or no such declaration.
"""
EXAMPLES = """Examples:
  gitopsreg explain platform/vpc/aws
  gitopsreg explain namespace:platform --path example-catalog
  gitopsreg explain provider:platform/internal --output json | jq '.fields[] | select(.from == "built-in")'"""

_WIDEST = 100


@takes("path", *PRINTED)
def command(
    settings: Settings,
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Which declaration.", show_default=False)],
) -> int:
    from gitopsreg.catalog.directory import read_directory
    from gitopsreg.catalog.effective import Book
    from gitopsreg.catalog.load import load

    folder = Path(settings.path)
    if not folder.is_dir():
        raise ConfigError(f'"{folder}" is no directory: set --path to the catalog\'s folder, like "example-catalog"')
    book = Book(load(read_directory(folder)))
    subject = _found(book, address)
    if message := book.broken.get(subject):
        tell(f"{book.path(subject)}: {message}", "gitopsreg validate shows every finding")
        return FOUND
    if settings.output == "json":
        output.print_json(as_json(book, subject))
    else:
        show(book, subject)
    return DONE


def as_json(book: "Book", subject: str) -> dict[str, Any]:
    return {
        "subject": subject,
        "path": book.path(subject),
        "fields": [
            {
                "field": item.name,
                "value": _safe(item),
                "from": item.layer,
                "path": item.path,
                "line": item.line,
            }
            for item in book.fields(subject)
        ],
    }


def show(book: "Book", subject: str) -> None:
    out = output.console()
    output.say(out, f"{subject}  {book.path(subject)}".rstrip(), "bold")
    rows = [(item.name, _written(item), item.place) for item in book.fields(subject)]
    output.table(out, ("FIELD", "VALUE", "FROM"), rows)


def _found(book: "Book", address: str) -> str:
    """The subject that is meant. Raises InvalidName with what is near."""
    from gitopsreg.catalog.nearest import did_you_mean
    from gitopsreg.catalog.subject import candidates

    known = {*book.files, *book.broken, "registry"}
    meant = [subject for subject in candidates(address) if subject in known]
    if len(meant) == 1:
        return meant[0]
    if meant:
        raise InvalidName(f"{quoted(address)} is several things: write {' or '.join(map(quoted, meant))}")
    near = next(filter(None, (did_you_mean(guess, known) for guess in candidates(address))), "")
    raise InvalidName(f"the catalog has no {quoted(address)}: {near or 'gitopsreg explain registry shows the top'}")


def _safe(item: "Field") -> Any:
    from gitopsreg.catalog.shown import shown

    return shown(item.value, item.name)


def _written(item: "Field") -> str:
    value = _safe(item)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
