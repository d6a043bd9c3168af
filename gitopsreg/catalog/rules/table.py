"""All rules in one table, by number."""

from gitopsreg.catalog.rules import (
    changes,
    intentions,
    online,
    references,
    schema,
    security,
    semantics,
    structure,
    syntax,
)
from gitopsreg.catalog.rules.rule import Rule

FAMILIES = (syntax, structure, schema, references, semantics, intentions, security, online, changes)

RULES: dict[str, Rule] = {rule.id: rule for family in FAMILIES for rule in family.RULES}
