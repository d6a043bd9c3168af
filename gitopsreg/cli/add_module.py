"""`gitopsreg add module`: a module from the URL of its Git repository. Clones nothing; asks for the tags if it may."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gitopsreg.cli import output
from gitopsreg.cli.adding import Description, In, Namespace, finish, open_catalog
from gitopsreg.cli.options import PRINTED, takes
from gitopsreg.errors import ConfigError, UpstreamUnavailable, quoted
from gitopsreg.settings import Settings

if TYPE_CHECKING:
    from gitopsreg.catalog.addition import Trial
    from gitopsreg.model.address import ModuleAddress

NAME = "module"
SHORT = "Declare a module whose versions are tags of a Git repository."
HELP = """Declare a module whose versions are tags of a Git repository.

Name and target system are guessed from a repository called terraform-<system>-<name>. The tags are asked for, to say
how many versions would be published; when that fails, or with --offline, the file is written all the same.

Exit codes: 0 written, 1 refused because the catalog would not be valid, 2 wrong use, or something is there already.
"""
EXAMPLES = """Examples:
  gitopsreg add module https://github.com/acme/terraform-aws-vpc.git --namespace platform
  gitopsreg add module git@github.com:acme/modules.git --namespace platform --name vpc --system aws \\
    --path modules/vpc --tag-prefix vpc/v --constraint '>= 1.0.0'"""

_CALLED = re.compile(r"terraform-(?P<system>[0-9a-z]+)-(?P<name>[0-9a-z][0-9a-z_-]*)")
_PREFIXED = re.compile(r"(?P<prefix>.*[/_-]v?)[0-9]+\.[0-9]+\.[0-9]+.*")


@takes("git_credentials_file", "ssh_directory", "allow_local_sources", *PRINTED)
def command(
    settings: Settings,
    url: Annotated[str, typer.Argument(metavar="GIT-URL", help="https://…, ssh://… or git@host:path.")],
    *,
    namespace: Namespace,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="The module's name, if not guessed.")] = "",
    system: Annotated[str, typer.Option("--system", metavar="NAME", help="Its target system, if not guessed.")] = "",
    folder: Annotated[
        str, typer.Option("--path", metavar="DIR", help="The module's folder in a repository that holds several.")
    ] = "",
    tag_prefix: Annotated[
        str | None,
        typer.Option("--tag-prefix", metavar="TEXT", help='What stands before the version in a tag, like "vpc/v".'),
    ] = None,
    constraint: Annotated[
        str, typer.Option("--constraint", metavar="TEXT", help="Publish only these versions, like '>= 1.0.0'.")
    ] = "",
    connection: Annotated[
        str, typer.Option("--connection", metavar="NAME", help="The Connection whose credentials are used.")
    ] = "",
    description: Description = "",
    directory: In = None,
    offline: Annotated[bool, typer.Option("--offline", help="Do not ask for the tags.")] = False,
) -> int:
    from gitopsreg.catalog import compose

    catalog = open_catalog(settings, directory)
    catalog.need_namespace(namespace)
    address = guess(url, folder, namespace=namespace, name=name, system=system)
    new = compose.NewModule(
        address=address,
        url=url,
        connection=connection,
        path=folder,
        tag_prefix=tag_prefix,
        constraint=constraint,
        description=description,
    )
    path = f"namespaces/{namespace}/modules/{address.name}/{address.system}.yaml"
    trial = catalog.try_file(path, compose.module(new))
    asked = None if offline or trial.errors else _ask(settings, trial, url, tag_prefix)
    return finish(
        settings,
        trial,
        told=[f"{address} from {url}", asked.told if asked else "not asked which versions there are"],
        then="gitopsreg validate, then commit it; gitopsreg plan shows what it publishes",
        document={"address": str(address), "versions": asked.document if asked else None},
    )


def guess(url: str, folder: str, *, namespace: str, name: str, system: str) -> "ModuleAddress":
    """The address, from what is given and what the repository and the folder are called. Raises ConfigError."""
    from gitopsreg.model.address import ModuleAddress

    repository = _last(url)
    inside = _CALLED.fullmatch(_last(folder))
    called = inside or _CALLED.fullmatch(repository)
    if not name:
        name = _last(folder) if folder and not inside else called["name"] if called else ""
    system = system or (called["system"] if called else "")
    missing = [flag for flag, given in (("--name", name), ("--system", system)) if not given]
    if missing:
        raise ConfigError(
            f"{quoted(repository)} is not called terraform-<system>-<name>, so {' and '.join(missing)} can't be "
            f"guessed: write {' '.join(f'{flag} …' for flag in missing)}"
        )
    return ModuleAddress(namespace, name, system)


def _last(text: str) -> str:
    """The last word of a URL or path, in lower case."""
    return re.split(r"[/:]", text.rstrip("/"))[-1].removesuffix(".git").lower()


@dataclass(frozen=True, slots=True)
class _Asked:
    """What upstream said, for people and for programs."""

    told: str
    document: dict[str, Any]


def _ask(settings: Settings, trial: "Trial", url: str, prefix: str | None) -> _Asked:
    from gitopsreg.reconcile.select import select
    from gitopsreg.upstream.git_tags import read_tags
    from gitopsreg.wiring import upstreams

    try:
        tags = upstreams.tags_of(settings, url)
    except UpstreamUnavailable as error:
        return _Asked(f"warning: its tags could not be read: {error}", {"unreachable": str(error)})
    (declared,) = (package for package in trial.loaded.catalog.packages if package.path == trial.path)
    found = [one.version for one in read_tags(tags, prefix).found]
    admitted = [version.text for version in select(declared.versions, found).admitted]
    document = {"tags": len(tags), "found": len(found), "admitted": admitted}
    return _Asked(_told(tags, len(found), admitted), document)


def _told(tags: dict[str, str], found: int, admitted: list[str]) -> str:
    if not tags:
        return "warning: the repository has no tags yet; each tag like v1.0.0 will be a version"
    if not found:
        first = next((match["prefix"] for tag in sorted(tags) if (match := _PREFIXED.fullmatch(tag))), "")
        hint = f'; perhaps --tag-prefix "{first}"?' if first else "; tags like v1.0.0 are"
        return f"warning: none of its {output.count(len(tags), 'tag')} is a version{hint}"
    ends = f": {admitted[0]}" + (f" … {admitted[-1]}" if len(admitted) > 1 else "") if admitted else ""
    return f"{output.count(found, 'version')} found, the rules admit {len(admitted)}{ends}"
