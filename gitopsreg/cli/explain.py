"""`gitopsreg explain`: every effective field of one declaration, and the file and line that it comes from. Offline."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gitopsreg.catalog.report import printable
from gitopsreg.cli import output
from gitopsreg.cli.failures import DONE, FOUND, tell
from gitopsreg.cli.options import PRINTED, takes
from gitopsreg.errors import ConfigError, InvalidName, quoted
from gitopsreg.settings import Settings

if TYPE_CHECKING:
    from gitopsreg.catalog.effective import Book, Field
    from gitopsreg.catalog.load import Loaded

NAME = "explain"
SHORT = "Show where each field of a declaration comes from."
HELP = """Show every effective field of one declaration, with its value and the file and line that it comes from.

ADDRESS is what plans call it: module:platform/vpc/aws, provider:platform/internal, key:platform/release,
namespace:platform, registry. The kind may be left out where that is clear. Needs no network and no store.

A package that a discovery finds has no file: the discovery is named. Only the store's status (--store) knows which of
those that it may find are there.

Exit codes: 0 done, 1 the declaration is not valid, 2 wrong use or no such declaration.
"""
EXAMPLES = """Examples:
  gitopsreg explain platform/vpc/aws
  gitopsreg explain namespace:platform --path example-catalog
  gitopsreg explain provider:platform/internal --output json | jq '.fields[] | select(.from == "built-in")'"""

_WIDEST = 100


@takes("path", "store", *PRINTED)
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
    loaded = load(read_directory(folder))
    book = Book(loaded)
    subject = _declared(book, address)
    if not subject:
        return _explain_found(settings, loaded, book, address)
    if message := book.broken.get(subject):
        tell(f"{book.path(subject)}: {message}", "gitopsreg validate shows every finding")
        return FOUND
    if settings.output == "json":
        output.print_json(as_json(book, subject))
    else:
        show(book, subject)
    return DONE


def _explain_found(settings: Settings, loaded: "Loaded", book: "Book", address: str) -> int:
    from gitopsreg.cli.explain_found import finder

    found = finder(settings, loaded.catalog.discoveries, address)
    if found is None:
        raise _unknown(book, address)
    if settings.output == "json":
        finding = {"subject": found.subject, "url": found.url, "how": found.how, "origin": found.origin}
        output.print_json({"subject": found.package, "path": found.path, "fields": [], "discovery": finding})
        return DONE
    out = output.console()
    output.say(out, f"{found.package}  no file declares it", "bold")
    output.say(out, printable(found.words))
    if found.how == "covered":
        output.say(out, "'gitopsreg status' knows whether it is there; so does this command with --store")
    output.say(out, f"  next: gitopsreg explain {found.subject}   # its template is what holds for all that it finds")
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


def _declared(book: "Book", address: str) -> str:
    """The subject that is meant, "" for none. Raises InvalidName for several."""
    from gitopsreg.catalog.subject import candidates

    meant = [subject for subject in candidates(address) if subject in _known(book)]
    if len(meant) > 1:
        raise InvalidName(f"{quoted(address)} is several things: write {' or '.join(map(quoted, meant))}")
    return meant[0] if meant else ""


def _unknown(book: "Book", address: str) -> InvalidName:
    """With what is near."""
    from gitopsreg.catalog.nearest import did_you_mean
    from gitopsreg.catalog.subject import candidates

    near = next(filter(None, (did_you_mean(guess, _known(book)) for guess in candidates(address))), "")
    return InvalidName(f"the catalog has no {quoted(address)}: {near or 'gitopsreg explain registry shows the top'}")


def _known(book: "Book") -> set[str]:
    return {*book.files, *book.broken, "registry"}


def _safe(item: "Field") -> Any:
    from gitopsreg.catalog.shown import shown

    return shown(item.value, item.name)


def _written(item: "Field") -> str:
    value = _safe(item)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
