"""Flags before environment before file before defaults. The one door to pydantic-settings; never shows a secret."""

import difflib
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import PlainValidator, ValidationError, create_model
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from gitopsreg.errors import ConfigError, quoted
from gitopsreg.settings.file import Written, read_file
from gitopsreg.settings.model import CONFIG_VARIABLE, TABLE, VARIABLE_PREFIX, Settings
from gitopsreg.settings.values import LooksSecret


def load(flags: Mapping[str, Any], *, config: Path | None = None) -> Settings:
    """All sources merged. `flags` holds what was given, by the settings' names.

    Raises ConfigError with every problem, each naming its source.
    """
    _check_variables(os.environ)
    path = config or Path(os.environ.get(CONFIG_VARIABLE) or "")
    written = read_file(path) if path != Path() else Written()
    _check_keys(written)
    try:
        merged = _model(written)(**flags)
    except ValidationError as error:
        raise ConfigError("\n".join(_explained(problem, flags, written) for problem in error.errors())) from error
    return Settings(**{name: getattr(merged, name) for name in merged.model_fields_set})


def _model(written: Written) -> type[BaseSettings]:
    class Sources(BaseSettings):
        model_config = SettingsConfigDict(env_prefix=VARIABLE_PREFIX, env_ignore_empty=True, validate_default=False)

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - named by the library
            file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - named by the library
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return init_settings, env_settings, InitSettingsSource(settings_cls, dict(written.values))

    rows: dict[str, Any] = {
        name: (Annotated[Any, PlainValidator(setting.parse)], None) for name, setting in TABLE.items()
    }
    return create_model("Sources", __base__=Sources, **rows)


def _check_variables(environment: Mapping[str, str]) -> None:
    known = {setting.variable for setting in TABLE.values()} | {CONFIG_VARIABLE}
    unknown = sorted(name for name in environment if name.upper().startswith(VARIABLE_PREFIX) and name not in known)
    if unknown:
        raise ConfigError("\n".join(f'no variable is called "{name}"{did_you_mean(name, known)}' for name in unknown))


def _check_keys(written: Written) -> None:
    unknown = [key for key in written.values if key not in TABLE]
    if unknown:
        raise ConfigError(
            "\n".join(
                f'{written.place(key)}: no setting is called "{key}"{did_you_mean(key, TABLE)}' for key in unknown
            )
        )


def did_you_mean(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f'; did you mean "{close[0]}"?' if close else ""


def _explained(problem: Any, flags: Mapping[str, object], written: Written) -> str:
    name = str(problem["loc"][0])
    setting = TABLE[name]
    if name in flags:
        source = setting.flag
    elif os.environ.get(setting.variable):
        source = setting.variable
    else:
        source = f"{written.place(name)}: {name}"
    why = problem.get("ctx", {}).get("error", problem["msg"])
    value = problem["input"]
    shown = isinstance(value, (str, int, float)) and not isinstance(why, LooksSecret) and not setting.secretive
    return f"{source} {quoted(str(value))}: {why}" if shown else f"{source}: {why}"
