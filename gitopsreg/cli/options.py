"""The Typer options of a command, made from the table of settings so that nothing can drift. Reads no source itself."""

import functools
import inspect
import logging
import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from gitopsreg.errors import ConfigError
from gitopsreg.settings import TABLE, VARIABLE_PREFIX, Setting, Settings

Command = Callable[..., int]

CATALOG = ("catalog", "ref", "path", "allow_local_sources", "git_credentials_file", "ssh_directory", "cache", "jobs")
SERVING = (
    "backends",
    "delivery",
    "listen",
    "public_url",
    "tls_cert",
    "tls_key",
    "link_key_file",
    "link_ttl",
    "drain",
    "refresh",
    "access_log",
    "trusted_proxies",
)
LOGS = ("log_format", "log_level")
PRINTED = ("output", "log_level")

_CONFIG = "A YAML file with any of the settings named below. [env: GITOPSREG_CONFIG]"


def takes(*names: str, needs: Collection[str] = ()) -> Callable[[Command], Command]:
    """Give a command `settings` as its first argument, and an option for each named setting.

    What is in `needs` must be set by one of the sources, else ConfigError.
    """

    def wrap(command: Command) -> Command:
        own = [item for item in inspect.signature(command).parameters.values() if item.name != "settings"]

        @functools.wraps(command)
        def run(*, config: str | None, **given: Any) -> int:
            flags = {name: given.pop(name) for name in names}
            settings = settings_from(
                {name: value for name, value in flags.items() if value not in (None, [], ())}, config
            )
            require(settings, needs)
            logging.getLogger().setLevel(settings.log_level.upper())
            if settings.log_level != "debug":
                # Without a handler Python prints warnings of libraries as they are, beside the one error that we tell.
                logging.getLogger().addHandler(logging.NullHandler())
            return command(settings, **given)

        options = [_option(TABLE[name]) for name in names]
        signature = inspect.Signature([_keyword(item) for item in own] + [_config_option(), *options])
        cast("Any", run).__signature__ = signature
        return run

    return wrap


def settings_from(flags: dict[str, object], config: str | None = None) -> Settings:
    """All sources merged. With nothing to merge the defaults stand, and the libraries that merge stay unloaded."""
    if not flags and not config and not any(name.upper().startswith(VARIABLE_PREFIX) for name in os.environ):
        return Settings()
    from gitopsreg.settings.sources import load

    return load(flags, config=Path(config) if config else None)


def require(settings: Settings, needs: Collection[str], *, advice: str = "") -> None:
    """Raises ConfigError naming every needed setting that no source gives."""
    missing = [TABLE[name] for name in needs if not getattr(settings, name)]
    if missing:
        raise ConfigError(
            "\n".join(
                f'no {row.name} is given: write {row.flag} {row.metavar}, {row.variable}=… or "{row.name}: …" in '
                "a file for --config"
                for row in missing
            )
            + (f"\n{advice}" if advice else "")
        )


def _keyword(parameter: inspect.Parameter) -> inspect.Parameter:
    return parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)


def _config_option() -> inspect.Parameter:
    annotation = Annotated[str | None, typer.Option("--config", metavar="FILE", help=_CONFIG)]
    return inspect.Parameter("config", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _option(row: Setting) -> inspect.Parameter:
    default = f", default: {row.default}" if row.default else ""
    words = f"{row.help} [env: {row.variable}, file: {row.name}{default}]"
    if row.switch:
        flags = f"{row.flag}/--no-{row.flag.removeprefix('--')}"
        annotation: Any = Annotated[bool | None, typer.Option(flags, help=words, show_default=False)]
    else:
        kind: Any = list[str] if row.repeatable else str
        annotation = Annotated[kind | None, typer.Option(row.flag, metavar=row.metavar, help=words, show_default=False)]
    return inspect.Parameter(row.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
