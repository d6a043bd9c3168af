"""The command that goes on where this one stopped, with what this one was told: to be pasted into a shell. Pure."""

import shlex
from collections.abc import Iterator

from gitopsreg.settings import TABLE, Settings

_MEANT = (
    "catalog",
    "ref",
    "path",
    "store",
    "backends",
    "allow_local_sources",
    "git_credentials_file",
    "ssh_directory",
    "link_key_file",
)
_UNKNOWN = "…"


def reconcile(settings: Settings, *, catalog: str = _UNKNOWN, store: str = _UNKNOWN) -> str:
    """`gitopsreg reconcile` of this catalog into this store; `catalog` and `store` stand where none is known."""
    given = dict(_given(settings))
    words = {"catalog": ["--catalog", catalog], "store": ["--store", store]} | given
    return " ".join(["gitopsreg reconcile", *(_pasted(word) for name in _MEANT for word in words.get(name, ()))])


def _given(settings: Settings) -> Iterator[tuple[str, list[str]]]:
    """The flags of what is not as it is anyway."""
    usual = Settings()
    for name in _MEANT:
        value, flag = getattr(settings, name), TABLE[name].flag
        if name == "backends":
            yield name, [word for backend in value for word in (flag, f"{backend.name}={backend.url}")]
        elif value != getattr(usual, name):
            yield name, [flag] if TABLE[name].switch else [flag, str(value)]


def _pasted(word: str) -> str:
    return word if word == _UNKNOWN else shlex.quote(word)
