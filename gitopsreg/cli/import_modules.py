"""`gitopsreg import modules`: declarations for the modules of another registry, from where it says their Git is."""

import os
import shlex
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gitopsreg.catalog.report import printable
from gitopsreg.cli import importing, output
from gitopsreg.cli.failures import DONE, FOUND
from gitopsreg.cli.importing import DryRun, LeftOut, Merge, Out
from gitopsreg.cli.options import PRINTED, takes
from gitopsreg.errors import ConfigError, UpstreamUnavailable, quoted
from gitopsreg.settings import Settings

if TYPE_CHECKING:
    from gitopsreg.catalog.adopt import Adopted
    from gitopsreg.catalog.compose import NewModule
    from gitopsreg.upstream.moving import Moving, Wish

NAME = "modules"
SHORT = "Declare the modules of another registry, from their Git repositories."
HELP = """Declare the modules of another registry, from their Git repositories.

The registry is asked as clients ask it: which modules there are, their versions, and where each version lies. Where
that is Git, a module becomes a declaration with a source of type git, whose tags are its versions; a version that the
registry names by its commit is pinned to it. What lies elsewhere, archives for example, is left out and told.

ADDRESS is namespace/name/system. Registries that list their modules need none: then all are taken, or those of
--namespace; gitopsreg's own server lists none. A token is read from TF_TOKEN_<host>, or from what 'terraform login'
saved.

Exit codes: 0 written (also when something was left out), 1 there was nothing that could be written, 2 wrong use, or
CATALOG is not empty, 3 the registry can't be asked.
"""
EXAMPLES = """Examples:
  gitopsreg import modules --from https://registry.example.com --namespace platform --out catalog
  gitopsreg import modules --from https://registry.terraform.io terraform-aws-modules/vpc/aws --into network \\
    --constraint '>= 5.0.0' --out catalog --merge"""


@takes("allow_local_sources", "jobs", *PRINTED)
def command(
    settings: Settings,
    addresses: Annotated[
        list[str] | None, typer.Argument(metavar="[ADDRESS…]", help="The modules, if not all.", show_default=False)
    ] = None,
    *,
    registry: Annotated[
        str, typer.Option("--from", metavar="REGISTRY-URL", help="The registry to ask.", show_default=False)
    ],
    out: Out,
    namespace: Annotated[
        list[str] | None, typer.Option("--namespace", metavar="NAME", help="All modules of this one; may be repeated.")
    ] = None,
    into: Annotated[
        str, typer.Option("--into", metavar="NAME", help="Declare them in this namespace, not in the one they have.")
    ] = "",
    constraint: Annotated[
        str, typer.Option("--constraint", metavar="TEXT", help="Only these versions, like '>= 1.0.0'.")
    ] = "",
    merge: Merge = False,
    dry_run: DryRun = False,
) -> int:
    from gitopsreg.catalog.adopt import Adopted
    from gitopsreg.catalog.moved import moved, refusal
    from gitopsreg.upstream.moving import Wish

    target = Path(out)
    inherited = importing.inherited(target, merge=merge)
    wish = Wish.parse(addresses or (), namespaces=namespace or (), into=into, constraint=constraint)
    url = _url(registry, http=settings.allow_local_sources)
    with _next_steps(url, guessed="://" not in registry):
        found, left_out = _ask(settings, url, wish)
    new = {one: _new(one, constraint) for one in found}
    refused = {one: why for one, module in new.items() if (why := refusal(module))}
    left_out += tuple(LeftOut(one.module, why) for one, why in refused.items())
    kept = tuple(one for one in found if one not in refused)
    files = moved([new[one] for one in kept], is_new=inherited is None) if kept else {}
    write = partial(importing.write, target, files, merge=inherited is not None, dry=dry_run)
    adopted = write() if kept else Adopted(written=0)
    return _told(settings, _Result(kept, left_out, adopted), target, dry=dry_run)


@dataclass(frozen=True, slots=True)
class _Result:
    modules: "tuple[Moving, ...]"
    left_out: tuple[LeftOut, ...]
    adopted: "Adopted"


def _url(text: str, *, http: bool) -> str:
    """`registry.example.com` is as good as its URL. Raises ConfigError."""
    from urllib.parse import urlsplit

    right = "write the registry's URL, like https://registry.example.com"
    if "@" in text:
        raise ConfigError(f"--from holds credentials: {right}, and give the token as Terraform has it (TF_TOKEN_…)")
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        usable = parts.scheme in {"https", "http"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError(f"--from {quoted(text)}: {right}")
    if parts.scheme == "http" and not http:
        without = "write https://, or --allow-local-sources to ask without encryption"
        raise ConfigError(f"--from {quoted(text)}: registries are asked over https:// only: {without}")
    return f"{parts.scheme}://{parts.netloc}/"


@contextmanager
def _next_steps(url: str, *, guessed: bool) -> Iterator[None]:
    """What to do when the registry can't be asked; `guessed` when nobody wrote that it speaks https."""
    try:
        yield
    except UpstreamUnavailable as error:
        plain = f"http://{url.partition('://')[2].rstrip('/')}"
        in_the_clear = f"write --from {plain} and --allow-local-sources if it speaks without encryption"
        trusted = "for a certificate of your own authority set SSL_CERT_FILE"
        error.next_step = {
            "AuthenticationFailed": "",
            "TLSFailed": f"{in_the_clear}; {trusted}",
        }.get(error.reason, "check --from, or try again later" + (f"; {in_the_clear}" if guessed else ""))
        raise


def _ask(settings: Settings, url: str, wish: "Wish") -> "tuple[tuple[Moving, ...], tuple[LeftOut, ...]]":
    """What can be declared and what can't. Raises UpstreamUnavailable when the registry can't be asked at all."""
    from gitopsreg.transport.http_json import Asker
    from gitopsreg.transport.terraform_credentials import USUAL, TerraformCredentials
    from gitopsreg.upstream.module_registry import ModuleRegistry
    from gitopsreg.upstream.moving import Moving, moves, wanted

    credentials = TerraformCredentials(os.environ, Path.home() / USUAL)
    found: list[Moving] = []
    left_out: list[LeftOut] = []
    with (
        Asker(token=credentials.token, allow_local=settings.allow_local_sources) as asker,
        ThreadPoolExecutor(settings.jobs, thread_name_prefix="ask") as pool,
    ):
        registry = ModuleRegistry.at(asker.get, url)
        modules = wanted(registry, wish)
        with importing.telling("Asking for modules", len(modules)) as told:
            for module, one in moves(registry, modules, wish, pool.map):
                if isinstance(one, Moving):
                    found.append(one)
                    left_out += [LeftOut(f"{module} {version}", why) for version, why in one.left_out]
                else:
                    left_out.append(LeftOut(module, one))
                told(module)
    return tuple(found), tuple(left_out)


def _new(moving: "Moving", constraint: str) -> "NewModule":
    from gitopsreg.catalog.compose import NewModule

    origin = moving.origin
    return NewModule(
        address=moving.address,
        url=origin.url,
        path=origin.path,
        tag_prefix=origin.tag_prefix,
        constraint=constraint,
        prereleases=moving.prereleases,
        pins=origin.pins,
    )


def _told(settings: Settings, result: _Result, target: Path, *, dry: bool) -> int:
    modules, left_out = result.modules, result.left_out
    if settings.output == "json":
        told = importing.as_json(result.adopted, target, left_out, dry=dry)
        output.print_json({"modules": [_as_json(module) for module in modules], **told})
        return DONE if modules else FOUND
    out = output.console()
    versions = output.count(sum(len(module.versions) for module in modules), "version")
    output.say(out, f"{output.count(len(modules), 'module')} declared, {versions} of them in Git", "bold")
    if not (modules or left_out):
        output.say(out, "The registry lists no modules: write their addresses if it has some, or give it a token")
    if modules:
        importing.show_adopted(out, result.adopted, target, dry=dry)
    else:
        output.say(out, "Nothing is written")
    importing.show_left_out(out, left_out, "MODULE")
    if any("is an archive" in one.reason for one in left_out):
        output.say(out, "Archives are not taken: declare these from the repository that they were made of")
    if modules and not dry:
        local = " --allow-local-sources" if settings.allow_local_sources else ""
        advice = f"gitopsreg validate --online{local} {shlex.quote(str(target))}"
        output.say(out, printable(f"  next: {advice}   # asks whether each tag is there; then commit it"))
    return DONE if modules else FOUND


def _as_json(module: "Moving") -> dict[str, Any]:
    origin = module.origin
    return {
        "address": str(module.address),
        "url": origin.url,
        "folder": origin.path,
        "tagPrefix": origin.tag_prefix,
        "pins": len(origin.pins),
        "versions": [version.text for version in module.versions],
    }
