"""Tokens for registries, from where terraform and tofu have them: `TF_TOKEN_<host>` and credentials.tfrc.json.

Read when asked for, never kept, never shown.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_PREFIX = "TF_TOKEN_"
_LARGEST = 1024 * 1024
USUAL = Path(".terraform.d/credentials.tfrc.json")


@dataclass(frozen=True, slots=True)
class TerraformCredentials:
    """`file` is the one that `terraform login` writes."""

    environment: Mapping[str, str]
    file: Path

    def token(self, host: str) -> str | None:
        """`host` in lower case, with its port if that is not 443. The environment wins, as it does for terraform."""
        for name, value in self.environment.items():
            if name.upper().startswith(_PREFIX) and value and _host(name[len(_PREFIX) :]) == host:
                return value
        return self._saved(host)

    def _saved(self, host: str) -> str | None:
        """None also for a file that can't be read: then the registry says that it wants a token."""
        try:
            with self.file.open("rb") as file:
                document = json.loads(file.read(_LARGEST))
            token = document["credentials"][host]["token"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        return token if isinstance(token, str) else None


def _host(name: str) -> str:
    """`my__reg_example_com` is my-reg.example.com; dots and dashes may stand as they are."""
    return name.replace("__", "-").replace("_", ".").lower()
