"""`gitopsreg rule`: the page of a rule, or the list of all. Reads no catalog and no file."""

import sys
from typing import Annotated

import typer

from gitopsreg.cli import output
from gitopsreg.cli.failures import DONE
from gitopsreg.cli.options import PRINTED, takes
from gitopsreg.errors import ConfigError, quoted
from gitopsreg.settings import Settings

NAME = "rule"
SHORT = "Explain a rule, or list all."
HELP = """Explain a rule of gitopsreg validate: what it looks at, why, an example that breaks it, and how to mend it.

RULE is a number like GR401; without it all rules are listed.

Exit codes: 0 done, 2 wrong use.
"""
EXAMPLES = """Examples:
  gitopsreg rule
  gitopsreg rule GR401
  gitopsreg rule --output json | jq '.rules[] | select(.severity == "warning").id'"""


@takes(*PRINTED)
def command(
    settings: Settings,
    rule: Annotated[str | None, typer.Argument(metavar="RULE", help="A rule's number.", show_default=False)] = None,
) -> int:
    from gitopsreg.catalog.rules import RULES
    from gitopsreg.catalog.rules.page import page

    rules = list(RULES.values()) if rule is None else [RULES[_number(rule)]]
    if settings.output == "json":
        output.print_json(
            {
                "rules": [
                    {
                        "id": one.id,
                        "title": one.title,
                        "why": one.why,
                        "what": one.what,
                        "fix": one.fix,
                        "severity": one.severity,
                        "canBeIgnored": one.can_be_ignored,
                        "page": one.page,
                    }
                    for one in rules
                ]
            }
        )
    elif rule is None:
        sys.stdout.writelines(f"{one.id}  {one.severity:<7}  {one.title}\n" for one in rules)
    else:
        # The first lines are for those who edit the page as a file.
        sys.stdout.write(page(rules[0]).partition("\n\n")[2])
    return DONE


def _number(text: str) -> str:
    """The rule's number as the table has it; raises ConfigError with what would be right."""
    from gitopsreg.catalog.nearest import did_you_mean
    from gitopsreg.catalog.rules import RULES

    wanted = text.strip().upper()
    wanted = wanted if wanted.startswith("GR") else f"GR{wanted}"
    if wanted in RULES:
        return wanted
    hint = did_you_mean(wanted, RULES) or '"gitopsreg rule" lists them'
    raise ConfigError(f"there is no rule {quoted(text)}: {hint}")
