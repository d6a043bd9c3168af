"""The names of the formats, and the one function behind each. A format is imported when it is asked for."""

import json
from collections.abc import Callable
from importlib import import_module

from gitopsreg.catalog.report import Report, as_json, human

# `text` is what other commands call the human report.
ALIASES = {"text": "human"}
# These name files for a service, which counts from the top of the repository.
OF_SERVICES = ("sarif", "github", "junit", "gitlab-codequality", "azure", "markdown")
FORMATS = ("human", "json", "jsonl", *OF_SERVICES)


def renderer(name: str) -> Callable[[Report], str]:
    """The function from a report to the whole text in one of FORMATS, which ends with a line break unless empty."""
    match name:
        case "human":
            return _human
        case "json":
            return _json
        case _:
            made: Callable[[Report], str] = import_module(f"{__package__}.{name.replace('-', '_')}").render
            return made


def _human(report: Report) -> str:
    return human(report.findings, files=report.files, seconds=report.seconds) + "\n"


def _json(report: Report) -> str:
    return json.dumps(as_json(report), indent=2, ensure_ascii=False) + "\n"
