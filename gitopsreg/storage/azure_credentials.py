"""Who we are to Azure, from the environment, by the names that Azure's own tools use. The first that fits is taken:

1. AZURE_STORAGE_CONNECTION_STRING, if it is of the account that is asked for: its AccountKey or SharedAccessSignature.
   Where the store lies is told by its address alone.
2. AZURE_STORAGE_KEY, an account key.
3. AZURE_STORAGE_SAS_TOKEN, a shared access signature of the container or the account.
4. Microsoft Entra ID, as azure.identity finds it: a service principal (AZURE_CLIENT_ID, …), workload identity,
   managed identity, the signed-in Azure CLI.

2 and 3 are of the account AZURE_STORAGE_ACCOUNT, if that is set; so stores in other accounts can use 4 beside them.
"""

import binascii
from base64 import b64decode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from gitopsreg.errors import ConfigError

_CONNECTION = "AZURE_STORAGE_CONNECTION_STRING"


@dataclass(frozen=True, slots=True)
class AccountKey:
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SasToken:
    """Without a question mark in front."""

    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class EntraId:
    """Nothing yet: tokens are fetched when first needed."""


Credential = AccountKey | SasToken | EntraId


def find_credential(account: str, environment: Mapping[str, str]) -> Credential:
    """Raises ConfigError, which names the variable and never its value."""
    connection = _connection(environment.get(_CONNECTION, ""))
    if connection.get("accountname") == account:
        return _of_connection(connection)
    if environment.get("AZURE_STORAGE_ACCOUNT", account) == account:
        if key := environment.get("AZURE_STORAGE_KEY"):
            return _account_key(key, "AZURE_STORAGE_KEY")
        if token := environment.get("AZURE_STORAGE_SAS_TOKEN"):
            return _sas_token(token, "AZURE_STORAGE_SAS_TOKEN")
    return EntraId()


def _connection(text: str) -> dict[str, str]:
    fields = dict(_fields(text.split(";")))
    if text and "accountname" not in fields:
        raise ConfigError(f'{_CONNECTION} has no AccountName: copy it from "Access keys" of the storage account')
    return fields


def _fields(parts: Iterable[str]) -> Iterable[tuple[str, str]]:
    for part in parts:
        name, _, value = part.strip().partition("=")
        yield name.lower(), value


def _of_connection(connection: Mapping[str, str]) -> Credential:
    if key := connection.get("accountkey"):
        return _account_key(key, f"AccountKey in {_CONNECTION}")
    if token := connection.get("sharedaccesssignature"):
        return _sas_token(token, f"SharedAccessSignature in {_CONNECTION}")
    raise ConfigError(f"{_CONNECTION} has neither AccountKey nor SharedAccessSignature")


def _account_key(text: str, name: str) -> AccountKey:
    try:
        b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ConfigError(
            f'{name} is no account key, which is base64: copy it from "Access keys" of the storage account'
        ) from None
    return AccountKey(text)


def _sas_token(text: str, name: str) -> SasToken:
    token = text.lstrip("?")
    if "sig" not in parse_qs(token):
        raise ConfigError(f'{name} is no shared access signature: write one like "sv=…&sp=…&sig=…"')
    return SasToken(token)
