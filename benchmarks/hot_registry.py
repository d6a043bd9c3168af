"""The small registry whose answers `hot_path` measures, and the requests."""

from dataclasses import dataclass, replace
from pathlib import Path

from gitopsreg.index.link_key import ensure_link_key
from gitopsreg.index.model import Package
from gitopsreg.model.address import ModuleAddress
from gitopsreg.storage.filesystem import FilesystemStore
from tests.builders import a_module
from tests.protocol.samples import a_build, a_provider, a_provider_version
from tests.server.house import publish_packages

_PLATFORMS = [f"{system}_{arch}" for system in ("linux", "darwin", "windows") for arch in ("amd64", "arm64")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`packed`: the client takes gzip. `linked`: the answer holds links, which are signed anew from time to time."""

    name: str
    path: str
    status: int = 200
    packed: bool = False
    linked: bool = False


_LARGE = "/v1/modules/platform/large/aws/versions"
CASES = (
    Case(name="discovery", path="/.well-known/terraform.json"),
    Case(name="20 versions", path="/v1/modules/platform/small/aws/versions"),
    Case(name="2,000 versions", path=_LARGE),
    Case(name="2,000, gzip", path=_LARGE, packed=True),
    Case(name="provider download", path="/v1/providers/platform/hello/1.0.0/download/linux/amd64", linked=True),
    Case(name="mirror", path="/v1/mirror/registry.example.com/platform/hello/1.0.0.json", linked=True),
    Case(name="304", path="/v1/modules/platform/small/aws/versions", status=304),
    Case(name="404", path="/v1/modules/platform/nothing/aws/versions", status=404),
)


def make_store(folder: Path) -> None:
    """Metadata only: nothing is downloaded."""
    store = FilesystemStore(folder)
    ensure_link_key(store)
    publish_packages(store, _module("small", 20), _module("large", 2000), _provider())


def _module(name: str, versions: int) -> Package:
    numbers = (f"{number // 100}.{number // 10 % 10}.{number % 10}" for number in range(versions))
    return a_module(*numbers, address=ModuleAddress("platform", name, "aws"))


def _provider() -> Package:
    builds = tuple(a_build(platform) for platform in _PLATFORMS)
    return a_provider(replace(a_provider_version(), builds=builds))
