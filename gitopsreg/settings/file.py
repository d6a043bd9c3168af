"""The YAML file of settings: small, one mapping. Knows the line of each key, for messages. Never shows a value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gitopsreg.catalog import loader
from gitopsreg.catalog.problem import Problem
from gitopsreg.catalog.scalar import Ambiguous
from gitopsreg.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What the file says, and where."""

    path: Path = Path()
    values: Mapping[str, object] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)

    def place(self, key: str) -> str:
        return f"{self.path}:{self.lines.get(key, 1)}"


def read_file(path: Path) -> Written:
    """Raises ConfigError with every problem of the file."""
    parsed = loader.parse(_bytes(path))
    if parsed.problems:
        raise ConfigError("\n".join(_told(path, problem) for problem in parsed.problems))
    document = parsed.document
    if document is None or not isinstance(document.value, dict):
        raise ConfigError(f'{path}: a file of settings is a mapping, like "store: file:///var/lib/gitopsreg"')
    places = document.places()
    keys = {key: places.get(f"/{key}", (None, None))[0] for key in document.value}
    return Written(
        path=path,
        values={key: _plain(value) for key, value in document.value.items() if value is not None},
        lines={key: span.line for key, span in keys.items() if span is not None},
    )


def _bytes(path: Path) -> bytes:
    try:
        with path.expanduser().open("rb") as file:
            return file.read(loader.MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f'--config "{path}" can\'t be read: {error.strerror}') from error


def _told(path: Path, problem: Problem) -> str:
    line = problem.span.line if problem.span else 1
    return f"{path}:{line}: {problem.message}" + (f"; {problem.hint}" if problem.hint else "")


def _plain(value: Any) -> Any:
    """A scalar that YAML readers disagree about counts as it was written: each setting has its own parser."""
    if isinstance(value, Ambiguous):
        return value.raw
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
