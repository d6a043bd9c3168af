"""One catalog that many tests read: modules of every shape and a provider with good and bad releases."""

import zipfile
from pathlib import Path

from tests.e2e.catalogs import Files, a_catalog, a_catalog_module, a_catalog_provider, a_module, content_folder
from tests.e2e.client import HERE, a_release
from tests.releases import PLATFORMS, AReleaseFolder, a_zip, an_entry
from tests.repositories import commit

NET, MONO, ODD, ZIPPED, HELLO = (
    "acme/net/generic",
    "acme/mono/generic",
    "acme/odd/generic",
    "acme/zip/generic",
    "acme/hello",
)
# A build number is part of what clients ask for, with its plus.
ODD_VERSION = "1.0.0+build.5"
ODD_FOLDER = content_folder(ODD, "1.0.0")
ODD_CONTENT: Files = {
    "main.tf": "-> deep/shared.tf",
    "deep/shared.tf": 'output "shared" {\n  value = file("${path.module}/data.bin") == "" ? "no" : "yes"\n}\n',
    "variables.tf": 'variable "name" {\n  default = "ünï"\n}\n',
    "data.bin": "-> deep/inner/data.bin",
    "deep/inner/data.bin": b"plain\n",
    "bytes.bin": bytes(range(256)) * 40,
    "empty": b"",
    "ä file with spaces.txt": "ä\n",
    "scripts/run.sh": "#!/bin/sh\necho hello\n",
    "linked": "-> deep/inner",
    ".hidden": "hidden\n",
}
EXECUTABLES = {"scripts/run.sh"}


def releases() -> tuple[AReleaseFolder, ...]:
    """Two good ones of two signers; 1.2.0 lacks this platform, and 1.3.0 has a zip with folder entries."""
    others = tuple(platform for platform in PLATFORMS if platform != HERE)
    with_folders = a_release("1.3.0")
    executable = an_entry("terraform-provider-hello_v1.3.0", mode=0o100755)
    folder = zipfile.ZipInfo("docs/", (2026, 10, 1, 12, 0, 0))
    with_folders.files[with_folders.zip_name(HERE)] = a_zip([(executable, b"#!/bin/sh\n"), (folder, b"")])
    with_folders.seal()
    return (
        a_release("1.0.0"),
        a_release("1.1.0", signer="successor"),
        a_release("1.2.0", platforms=others),
        with_folders,
    )


def mono() -> Files:
    """A repository of several modules: the declared one lies in `subnets` and calls its neighbour."""
    folder = content_folder(MONO, "1.0.0")
    pins = [{"version": "1.0.0", "path": folder}]
    return a_module(MONO, {"type": "catalog", "path": "subnets"}, versions={"pins": pins}) | {
        f"{folder}/subnets/main.tf": 'module "shared" {\n  source = "../shared"\n}\n'
        'output "name" {\n  value = module.shared.name\n}\n',
        f"{folder}/subnets/modules/deep/main.tf": 'output "name" {\n  value = "deep"\n}\n',
        f"{folder}/shared/main.tf": 'output "name" {\n  value = "shared"\n}\n',
    }


def odd() -> Files:
    pins = [{"version": ODD_VERSION, "path": ODD_FOLDER}]
    content: Files = {f"{ODD_FOLDER}/{name}": data for name, data in ODD_CONTENT.items()}
    return a_module(ODD, {"type": "catalog"}, versions={"pins": pins}) | content


def a_sample(path: Path) -> Path:
    """The repository."""
    repository = a_catalog(
        path,
        a_catalog_module(NET, "1.0.0", "1.1.0", "1.10.0", "2.0.0"),
        a_catalog_module(ZIPPED, "1.0.0", archiveFormat="zip"),
        mono(),
        odd(),
        a_catalog_provider(HELLO, releases(), platforms=[HERE]),
    )
    for name in EXECUTABLES:
        repository.joinpath(ODD_FOLDER, name).chmod(0o755)
    commit(repository)
    return repository
