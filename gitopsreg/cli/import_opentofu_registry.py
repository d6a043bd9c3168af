"""`gitopsreg import opentofu-registry`: a catalog of a registry that is kept in Git as opentofu/registry is."""

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gitopsreg.catalog.report import printable
from gitopsreg.cli import importing, output
from gitopsreg.cli.failures import DONE
from gitopsreg.cli.importing import DryRun, LeftOut, Merge, Out
from gitopsreg.cli.options import PRINTED, takes
from gitopsreg.errors import ConfigError, InvalidName, quoted
from gitopsreg.settings import Settings

if TYPE_CHECKING:
    from gitopsreg.catalog.adopt import Adopted
    from gitopsreg.catalog.mirrored import Mirrored
    from gitopsreg.model.declaration import ContentDelivery
    from gitopsreg.upstream.opentofu_choice import Kind

NAME = "opentofu-registry"
SHORT = "Write a catalog of a Git repository laid out like opentofu/registry."
HELP = """Write a catalog of a Git repository laid out like opentofu/registry.

DIR is a working tree, a clone or a bare repository of it. Each package becomes a declaration with a source of type
opentofu-git, each key a SigningKey that the providers it belongs to name. New versions follow the repository by
themselves; new packages do not: run this again with --merge, or declare a Discovery.

What no catalog can declare is left out and told, with the reason. CATALOG is new or empty, and is written whole or not
at all; with --merge it gets what it lacks, and nothing in it changes.

Exit codes: 0 written (also when something was left out), 2 wrong use, or CATALOG is not empty.
"""
EXAMPLES = """Examples:
  git clone --depth 1 https://github.com/opentofu/registry.git
  gitopsreg import opentofu-registry registry --out catalog
  gitopsreg import opentofu-registry registry --out catalog --namespace hashicorp --namespace datadog --only providers
  gitopsreg import opentofu-registry registry --out catalog --merge --dry-run --output json"""

_PUBLIC = "https://github.com/opentofu/registry.git"
_MOST_NAMED = 20


@takes(*PRINTED)
def command(
    settings: Settings,
    directory: Annotated[str, typer.Argument(metavar="DIR", help="The registry to read.", show_default=False)],
    *,
    out: Out,
    url: Annotated[
        str,
        typer.Option("--url", metavar="URL", help="Where its repository is, if not where the clone DIR came from."),
    ] = "",
    delivery: Annotated[
        str, typer.Option("--delivery", metavar="HOW", help="reference: clients fetch it there; store: we keep a copy.")
    ] = "reference",
    namespace: Annotated[
        list[str] | None, typer.Option("--namespace", metavar="NAME", help="Only this one; may be repeated.")
    ] = None,
    only: Annotated[str, typer.Option("--only", metavar="KIND", help="Only modules, or only providers.")] = "",
    constraint: Annotated[
        str, typer.Option("--constraint", metavar="TEXT", help="Publish only these versions, like '>= 1.0.0'.")
    ] = "",
    pin_keys: Annotated[
        bool,
        typer.Option("--pin-keys/--no-pin-keys", help="Write the keys too, or trust whatever keys upstream has."),
    ] = True,
    merge: Merge = False,
    dry_run: DryRun = False,
) -> int:
    from gitopsreg.catalog.mirrored import Terms, mirrored
    from gitopsreg.cli.import_keys import read_keys
    from gitopsreg.upstream.opentofu_choice import Choice
    from gitopsreg.upstream.opentofu_folder import open_folder

    place, target = Path(directory), Path(out)
    choice = Choice(namespaces=tuple(namespace or ()), kind=_kind(only))
    inherited = importing.inherited(target, merge=merge)
    terms = Terms(
        url=_checked_url(url or _origin(place)),
        delivery=_delivery(delivery),
        constraint=_checked_constraint(constraint, choice.kind),
        inherited=inherited,
    )
    with importing.telling("Reading the registry"):
        folder = open_folder(place)
    entries = choice.entries(folder.layout)
    ring = read_keys(folder, entries if pin_keys else (), datetime.now(UTC))
    made = mirrored({entry.address: entry.written for entry in entries}, ring.keys, ring.trusted, terms)
    left_out = [LeftOut(one.ref, one.reason) for one in choice.skipped(folder.layout)]
    left_out += [*(LeftOut(str(address), why) for address, why in made.refused), *ring.left_out]
    adopted = importing.write(target, made.files, merge=inherited is not None, dry=dry_run)
    return _told(settings, _Result(made, adopted, tuple(left_out), target, terms.url, dry_run))


@dataclass(frozen=True, slots=True)
class _Result:
    made: "Mirrored"
    adopted: "Adopted"
    left_out: tuple[LeftOut, ...]
    folder: Path
    url: str
    dry: bool


def _told(settings: Settings, result: _Result) -> int:
    made = result.made
    counts = {kind: sum(address.kind == kind for address in made.packages) for kind in ("module", "provider")}
    if settings.output == "json":
        told = importing.as_json(result.adopted, result.folder, result.left_out, dry=result.dry)
        similar = [list(pair) for pair in made.similar]
        declared = {"modules": counts["module"], "providers": counts["provider"]}
        declared |= {"namespaces": len(made.namespaces), "keys": made.keys}
        output.print_json({"declared": declared, "url": result.url, **told, "similarNamespaces": similar})
        return DONE
    out = output.console()
    words = ", ".join(output.count(number, kind) for kind, number in counts.items())
    keys = output.count(made.keys, "key")
    output.say(out, f"{words} of {output.count(len(made.namespaces), 'namespace')} declared, with {keys}", "bold")
    output.say(out, printable(f"Their source is {result.url}: if it lies elsewhere, import again with --url"))
    importing.show_adopted(out, result.adopted, result.folder, dry=result.dry)
    importing.show_left_out(out, result.left_out, "FILE OR ADDRESS")
    if made.similar:
        output.say(out)
        alike = "; ".join(" and ".join(pair) for pair in made.similar[:_MOST_NAMED])
        output.say(out, printable(f"Look at these namespaces, which one mistakes for each other: {alike}"), "yellow")
    if not result.dry:
        advice = f"gitopsreg validate {shlex.quote(str(result.folder))}"
        output.say(out, printable(f"  next: {advice}   # then commit it"))
    return DONE


def _origin(place: Path) -> str:
    """Where the clone came from, else the public registry."""
    from gitopsreg.upstream.opentofu_folder import origin_of

    origin = origin_of(place) or _PUBLIC
    return Path(origin).as_uri() if origin.startswith("/") else origin


def _checked_url(url: str) -> str:
    from gitopsreg.catalog.urls import UNENCRYPTED, url_problem

    if (problem := url_problem(url, "", git=True)) and problem.rule != UNENCRYPTED:
        raise ConfigError(f"--url: {problem.message}; {problem.hint}")
    return url


def _delivery(text: str) -> "ContentDelivery":
    if text == "reference":
        return "reference"
    if text == "store":
        return "store"
    raise ConfigError(f'--delivery {quoted(text)}: write "reference" or "store"')


def _kind(only: str) -> "Kind":
    match only:
        case "modules":
            return "module"
        case "providers":
            return "provider"
        case "":
            return ""
    raise ConfigError(f'--only {quoted(only)}: write "modules" or "providers"')


def _checked_constraint(text: str, kind: "Kind") -> str:
    """Modules and providers read constraints a little differently."""
    from gitopsreg.model.constraint import Constraint, Reading

    readings: tuple[Reading, ...] = ("module", "provider")
    for reading in readings:
        if text and kind in {"", reading}:
            try:
                Constraint.parse(text, reading)
            except InvalidName as error:
                raise ConfigError(f"--constraint: {error}") from error
    return text
