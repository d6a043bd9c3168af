"""The table of rules: every GRnnn there is, a family a file. Numbers never change their meaning; it checks nothing.

GR0 YAML syntax and limits · GR1 structure · GR2 schema · GR3 references · GR4 semantics · GR5 security · GR6 what
upstreams say (online) · GR7 changes (against a base).
"""

from gitopsreg.catalog.rules.rule import Example, Files, Rule, Severity, is_security, page_path
from gitopsreg.catalog.rules.table import RULES

__all__ = ["RULES", "Example", "Files", "Rule", "Severity", "is_security", "page_path"]
