"""Names of packages. Holding an address is the proof that it is legal and safe inside a storage key."""

import re
from dataclasses import dataclass
from typing import Self

from gitopsreg.errors import InvalidName, quoted

_SEGMENT = re.compile(r"[0-9a-z](?:[0-9a-z_-]{0,61}[0-9a-z])?")
_SYSTEM = re.compile(r"[0-9a-z]{1,63}")
_PROVIDER_PART = re.compile(r"(?!.*--)[0-9a-z](?:[0-9a-z-]{0,61}[0-9a-z])?")
_PLATFORM_PART = re.compile(r"[0-9a-z]{1,32}")


def _legal(pattern: re.Pattern[str], text: str, what: str, right: str) -> str:
    if not pattern.fullmatch(text):
        lower = text.lower()
        advice = f'write it in lower case, "{lower}"' if pattern.fullmatch(lower) else right
        raise InvalidName(f"{quoted(text)} is not a legal {what}: {advice}")
    return text


def namespace_name(text: str) -> str:
    """A legal namespace, as given; raises InvalidName."""
    return _legal(_SEGMENT, text, "namespace", 'use 1 to 63 of a-z, 0-9, with - or _ inside, like "platform"')


@dataclass(frozen=True, slots=True, order=True)
class ModuleAddress:
    """`namespace/name/system` (Terraform's module registry protocol), lower case."""

    namespace: str
    name: str
    system: str

    def __post_init__(self) -> None:
        namespace_name(self.namespace)
        _legal(_SEGMENT, self.name, "module name", 'use 1 to 63 of a-z, 0-9, with - or _ inside, like "vpc"')
        _legal(_SYSTEM, self.system, "target system", 'use 1 to 63 of a-z and 0-9, like "aws"')

    @classmethod
    def parse(cls, text: str) -> Self:
        parts = text.split("/")
        if len(parts) != 3:
            raise InvalidName(f'{quoted(text)} is not a module address: write "namespace/name/system"')
        return cls(*parts)

    @property
    def kind(self) -> str:
        return "module"

    @property
    def path(self) -> str:
        """`namespace/name/system`, as clients write it."""
        return f"{self.namespace}/{self.name}/{self.system}"

    def __str__(self) -> str:
        return f"module:{self.path}"


@dataclass(frozen=True, slots=True, order=True)
class ProviderAddress:
    """`namespace/type` (Terraform's provider registry protocol): letters, digits, single inner dashes."""

    namespace: str
    type: str

    def __post_init__(self) -> None:
        right = "use 1 to 63 of a-z, 0-9, with single dashes inside"
        _legal(_PROVIDER_PART, self.namespace, "provider namespace", right + ', like "platform"')
        _legal(_PROVIDER_PART, self.type, "provider type", right + ', like "internal"')
        if self.type.startswith("terraform-"):
            bare = self.type.removeprefix("terraform-").removeprefix("provider-")
            raise InvalidName(
                f'"{self.type}" is not a legal provider type: clients refuse the prefix "terraform-", write "{bare}"'
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        parts = text.split("/")
        if len(parts) != 2:
            raise InvalidName(f'{quoted(text)} is not a provider address: write "namespace/type"')
        return cls(*parts)

    @property
    def kind(self) -> str:
        return "provider"

    @property
    def path(self) -> str:
        """`namespace/type`, as clients write it."""
        return f"{self.namespace}/{self.type}"

    def __str__(self) -> str:
        return f"provider:{self.path}"


PackageAddress = ModuleAddress | ProviderAddress


def parse_address(text: str) -> PackageAddress:
    """`module:ns/name/system` or `provider:ns/type`; raises InvalidName."""
    kind, _, path = text.partition(":")
    if kind == "module":
        return ModuleAddress.parse(path)
    if kind == "provider":
        return ProviderAddress.parse(path)
    raise InvalidName(
        f'{quoted(text)} is not an address: write "module:namespace/name/system" or "provider:namespace/type"'
    )


@dataclass(frozen=True, slots=True, order=True)
class Platform:
    """`linux_amd64`: operating system and architecture, as Go names them, lower case."""

    os: str
    arch: str

    def __post_init__(self) -> None:
        right = 'use 1 to 32 of a-z and 0-9; a platform is written like "linux_amd64"'
        _legal(_PLATFORM_PART, self.os, "operating system", right)
        _legal(_PLATFORM_PART, self.arch, "architecture", right)

    @classmethod
    def parse(cls, text: str) -> Self:
        os, found, arch = text.partition("_")
        if not found:
            raise InvalidName(f'{quoted(text)} is not a platform: write one like "linux_amd64"')
        return cls(os, arch)

    def __str__(self) -> str:
        return f"{self.os}_{self.arch}"
