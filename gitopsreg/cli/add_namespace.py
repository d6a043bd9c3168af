"""`gitopsreg add namespace`: a namespace and who owns it. Asks no forge whether the owners exist."""

from typing import Annotated

import typer

from gitopsreg.cli.adding import In, finish, open_catalog
from gitopsreg.cli.options import PRINTED, takes
from gitopsreg.settings import Settings

NAME = "namespace"
SHORT = "Declare a namespace and who owns it."
HELP = """Declare a namespace and who owns it.

An owner is @organisation/team or @user (GitHub), gitlab-group:path, gitlab-user:name, an e-mail address, or
oidc-group:name. Owners review what changes below the namespace's folder: see 'gitopsreg codeowners'.

Exit codes: 0 written, 1 refused because the catalog would not be valid, 2 wrong use, or something is there already.
"""
EXAMPLES = """Examples:
  gitopsreg add namespace platform --owner @acme/platform
  gitopsreg add namespace data --owner gitlab-group:acme/data --owner data@example.com --display-name 'Data team'"""


@takes(*PRINTED)
def command(
    settings: Settings,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The namespace, as in NAME/vpc/aws.")],
    owner: Annotated[list[str], typer.Option("--owner", metavar="OWNER", help="Who owns it; may be repeated.")],
    display_name: Annotated[str, typer.Option("--display-name", metavar="TEXT", help="A name for people.")] = "",
    directory: In = None,
) -> int:
    from gitopsreg.catalog import compose
    from gitopsreg.catalog.owners import parse_owner
    from gitopsreg.catalog.ownership import RESERVED
    from gitopsreg.model.address import namespace_name

    catalog = open_catalog(settings, directory)
    path = f"namespaces/{namespace_name(name)}/namespace.yaml"
    owners = tuple(dict.fromkeys(parse_owner(text) for text in owner))
    trial = catalog.try_file(path, compose.namespace(name, owners=owners, display_name=display_name))
    told = [f"namespace {name}, owned by {', '.join(who for _, who in owners)}"]
    if name in RESERVED:
        told.append("warning: the name is reserved: only mirrors of that public namespace may be in it")
    return finish(
        settings,
        trial,
        told=told,
        then=f"gitopsreg codeowners --write, then gitopsreg add module GIT-URL --namespace {name}",
        document={"namespace": name, "owners": [f"{kind}:{who}" for kind, who in owners]},
    )
