"""The lines that a newcomer pastes into another shell to install something real from this registry. Pure."""

import platform
from collections.abc import Iterable, Mapping

from gitopsreg.cli import tfrc
from gitopsreg.index.model import ModulePackage, ModuleVersion, Package, ProviderPackage, ProviderVersion
from gitopsreg.model.address import ModuleAddress, PackageAddress, Platform, ProviderAddress
from gitopsreg.model.version import Version

_ARCHITECTURES = {
    "x86_64": "amd64",
    "amd64": "amd64",
    "aarch64": "arm64",
    "arm64": "arm64",
    "i386": "386",
    "i686": "386",
}
FOLDER = "try-gitopsreg"


def this_platform() -> Platform | None:
    """What terraform calls this machine; None for one it does not know."""
    architecture = _ARCHITECTURES.get(platform.machine().lower())
    return Platform(platform.system().lower(), architecture) if architecture else None


def examples(packages: Mapping[PackageAddress, Package], on: Platform | None) -> tuple[Package, ...]:
    """The first module and the first provider that can be installed, of packages in the order of their addresses: all
    that `lines` needs of a registry of any size.
    """
    found = (packages[address] for address in packages if isinstance(address, ModuleAddress))
    module = next(
        (package for package in found if isinstance(package, ModulePackage) and _newest_module(package)), None
    )
    others = (packages[address] for address in packages if isinstance(address, ProviderAddress))
    provider = next((p for p in others if isinstance(p, ProviderPackage) and _newest_provider(p, on)), None)
    return tuple(package for package in (module, provider) if package is not None)


def lines(packages: Iterable[Package], url: str, on: Platform | None) -> str:
    """A shell script that ends in `terraform init`, or "" when nothing can be installed."""
    found = sorted(packages, key=lambda package: str(package.address))
    module = next(filter(None, (_newest_module(p) for p in found if isinstance(p, ModulePackage))), None)
    provider = next(filter(None, (_newest_provider(p, on) for p in found if isinstance(p, ProviderPackage))), None)
    if module is None and provider is None:
        return ""
    host = tfrc.host_of(url)
    configuration = (_provider(host, *provider) if provider else "") + (_module(host, *module) if module else "")
    plain = url.startswith("http://")
    return (
        f"mkdir -p {FOLDER} && cd {FOLDER}\n"
        + (_file("registry.tfrc", tfrc.host_block(host, url)) if plain else "")
        + _file("main.tf", configuration)
        + ("" if plain else "# with a CA of your own: export SSL_CERT_FILE=/path/to/ca.pem\n")
        + ('TF_CLI_CONFIG_FILE="$PWD/registry.tfrc" ' if plain else "")
        + "terraform init\n"
    )


def _file(name: str, content: str) -> str:
    return f"cat > {name} <<'EOF'\n{content}EOF\n"


def _newest_module(package: ModulePackage) -> tuple[ModulePackage, Version] | None:
    newest = _newest(package.versions) if package.archived is None else None
    return (package, newest) if newest else None


def _newest_provider(package: ProviderPackage, on: Platform | None) -> tuple[ProviderPackage, Version] | None:
    usable = [version for version in package.versions if on is None or version.build(on)]
    newest = _newest(usable) if package.archived is None else None
    return (package, newest) if newest else None


def _newest(versions: Iterable[ModuleVersion | ProviderVersion]) -> Version | None:
    """The newest that clients would choose by themselves, else the newest pre-release."""
    good = [item.version for item in versions if item.listing == "listed" and not item.yanked]
    return max([version for version in good if "-" not in version.text.partition("+")[0]] or good, default=None)


def _module(host: str, package: ModulePackage, version: Version) -> str:
    return (
        f'module "{package.address.name}" {{\n'
        f'  source  = "{host}/{package.address.path}"\n'
        f'  version = "{version}"\n'
        "}\n"
    )


def _provider(host: str, package: ProviderPackage, version: Version) -> str:
    return (
        "terraform {\n"
        "  required_providers {\n"
        f"    {package.address.type} = {{\n"
        f'      source  = "{host}/{package.address.path}"\n'
        f'      version = "{version}"\n'
        "    }\n"
        "  }\n"
        "}\n\n"
    )
