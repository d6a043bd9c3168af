"""`gitopsreg plan`: what a change of the catalog would do. Fetches no content and writes nothing to any store."""

from typing import Annotated

import typer

from gitopsreg.cli.options import CATALOG, require, takes
from gitopsreg.errors import ConfigError
from gitopsreg.settings import Settings

NAME = "plan"
SHORT = "Show what a change of the catalog would do."
HELP = """Show what a change of the catalog would do, without fetching or publishing anything.

With --base, inside a clone: what the change from that revision does, every field after defaults, with the risks that a
reviewer should know. Needs no network and no credentials. With --store or --index, or with --online, upstreams are
asked as well, and the plan is the one that a reconcile after the merge carries out and that --approve names.

Without --base: what the next reconcile of --catalog would publish into --store.

FORMAT is human, json or markdown (a comment for the pull request).

Exit codes: 0 done, 1 an error in the catalog, 2 wrong use or an internal error, 3 the catalog, the store or an upstream
can't be reached. With --detailed-exitcode: 0 no changes, 1 any error, 2 changes, 3 as before.
"""
EXAMPLES = """Examples:
  gitopsreg plan --base origin/main
  gitopsreg plan --base origin/main --path catalog --output markdown=comment.md --output human
  gitopsreg plan --base origin/main --index index.json --detailed-exitcode
  gitopsreg plan --catalog . --path example-catalog --store file:///var/lib/gitopsreg"""

_OUTPUT = (
    "human (text), json or markdown, to stdout or with =FILE to a file; may be given several times. "
    "[env: GITOPSREG_OUTPUT, file: output, default: text]"
)


@takes(*CATALOG, "store", "log_level")
def command(
    settings: Settings,
    base: Annotated[
        str | None, typer.Option("--base", metavar="REV", help="Compare with this revision, like origin/main.")
    ] = None,
    head: Annotated[
        str, typer.Option("--head", metavar="REV", help="Plan this revision, or the files as they lie there.")
    ] = "worktree",
    online: Annotated[
        bool | None,
        typer.Option("--online/--offline", help="Ask upstreams. Default: when there is a store or an index."),
    ] = None,
    index: Annotated[
        str | None,
        typer.Option("--index", metavar="FILE", help="What is published, as 'gitopsreg index export' wrote it."),
    ] = None,
    outputs: Annotated[list[str] | None, typer.Option("--output", metavar="FORMAT[=FILE]", help=_OUTPUT)] = None,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit with 2 when there are changes.")
    ] = False,
) -> int:
    from gitopsreg.cli import plan_outlets

    outlets = plan_outlets.parse(outputs or [settings.output])
    if base is None:
        _refuse_strays(head, online, index)
        require(
            settings, ("catalog", "store"), advice="or compare with another revision of a clone: --base origin/main"
        )
        return plan_outlets.published(settings, outlets, detailed=detailed_exitcode)
    from gitopsreg.cli import plan_change

    asked = plan_change.Asked(base=base, head=head, online=online, index=index)
    return plan_outlets.proposed(settings, plan_change.propose(settings, asked), outlets, detailed=detailed_exitcode)


def _refuse_strays(head: str, online: bool | None, index: str | None) -> None:
    given = {"--head": head != "worktree", "--online or --offline": online is not None, "--index": index is not None}
    if strays := [flag for flag, is_given in given.items() if is_given]:
        raise ConfigError(f"{strays[0]} goes with --base REV: say what to compare with, like --base origin/main")
