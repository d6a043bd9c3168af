"""Every answer of a registry that was imported carries the facts of the original's files.

The documents come from the functions that the server renders them with; a sample of them over real HTTP, too. The
expected side is tests.e2e.original, which knows nothing of ours. CI has a small registry of our own making in the same
layout; where the public one's data lies beside the clone, all of it is compared.
"""

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitopsreg.index.model import ModulePackage, Package, ProviderPackage
from gitopsreg.protocol import modules, providers
from tests.e2e import original
from tests.e2e.carried import Carried, carry, files_of
from tests.e2e.original import Original
from tests.server.house import ask, running

SAMPLE = Path(__file__).parent / "opentofu-registry"
PUBLIC = Path(__file__).parents[3] / "shared" / "data" / "opentofu-registry-a-m.tar.xz"
ASKED_OVER_HTTP = 60
# In memory only: some file systems have no two such folders.
CLASH = {
    "modules/o/odd/Clash/aws.json": b'{"versions": [{"version": "v2.0.0"}]}',
    "modules/o/odd/clash/aws.json": b'{"versions": [{"version": "v1.0.0"}]}',
}


class Compared:
    """Both sides, package by package; what is not there must have been told, with the reason."""

    def __init__(self, files: original.Files, carried: Carried) -> None:
        self.files = files
        self.keys = {path: data for path, data in files.items() if path.startswith("keys/")}
        self.carried = carried
        self.packages = {str(address): package for address, package in carried.snapshot.packages.items()}
        self.told = {str(one.address): dict(one.skipped) for one in carried.status.packages.values()}
        self.left_out = carried.left_out
        self.wrong: list[str] = []
        self.versions = self.missing = 0

    def all(self) -> None:
        for one in self.declared():
            self._package(one, self.packages.get(one.address))

    def declared(self) -> Iterator[Original]:
        """All but those that the import left out."""
        for one in original.originals(self.files):
            if one.path not in self.left_out and one.address not in self.left_out:
                yield one

    def _package(self, one: Original, package: Package | None) -> None:
        served = set() if package is None else {item.version.text for item in package.versions}
        versions = one.versions
        self.versions += len(versions)
        for version in versions.keys() - served:
            self._untold(one, versions[version]["version"])
        if served - versions.keys():
            self.wrong.append(f"{one.address}: {served - versions.keys()} are not in its file")
        elif isinstance(package, ModulePackage):
            self._module(one, package)
        elif isinstance(package, ProviderPackage):
            self._provider(one, package)

    def _untold(self, one: Original, tag: str) -> None:
        self.missing += 1
        if not self.told.get(one.address, {}).get(tag):
            self.wrong.append(f"{one.address}: {tag} is missing, and nothing is told of it")

    def _module(self, one: Original, package: ModulePackage) -> None:
        listed = [item["version"] for item in modules.versions(package)["modules"][0]["versions"]]
        self._equal(one.address, set(listed), {item.version.text for item in package.versions})
        versions = one.versions
        for item in package.versions:
            location = modules.location(package, item, _no_link, "")
            self._equal(one.address, location, original.module_location(one, versions[item.version.text]))

    def _provider(self, one: Original, package: ProviderPackage) -> None:
        document = providers.versions(package)
        versions = one.versions
        texts = [item.version.text for item in reversed(package.versions)]
        self._equal(
            one.address, document["versions"], [original.provider_version(text, versions[text]) for text in texts]
        )
        self._equal(one.address, document.get("warnings", []), one.document.get("warnings", []))
        keys = self._keys(one)
        for item in package.versions:
            entry = versions[item.version.text]
            targets = {(target["os"], target["arch"]): target for target in entry["targets"]}
            for build in item.builds:
                answer = providers.download(item, build, _no_link, "")
                trusted = answer.pop("signing_keys")["gpg_public_keys"]
                wanted = original.provider_download(entry, targets.get((build.platform.os, build.platform.arch), {}))
                self._equal(one.address, answer, wanted)
                self._equal(one.address, {(key["key_id"], key["ascii_armor"].strip()) for key in trusted}, keys)

    def _keys(self, one: Original) -> set[tuple[str, str]]:
        """(key id, armor), less those that were left out."""
        found = original.key_files(self.keys, one)
        return {(original.key_id(armor), armor) for path, armor in found.items() if path not in self.left_out}

    def _equal(self, what: str, ours: object, theirs: object) -> None:
        if ours != theirs:
            self.wrong.append(f"{what}: {ours!r}, the original has {theirs!r}")


def _no_link(*_: object) -> str:
    raise AssertionError("nothing is stored, so there is nothing of ours to link to")


def over_http(url: str, compared: Compared, some: list[Original]) -> None:
    """The same of a few packages, as a client asks: versions, and each version's download."""
    for one in some:
        package = compared.packages[one.address]
        kind = "modules" if isinstance(package, ModulePackage) else "providers"
        base = f"{url}/v1/{kind}/{package.address.path}"
        listed = json.loads(ask(base, "/versions").body)
        entries = listed["modules"][0]["versions"] if kind == "modules" else listed["versions"]
        assert {entry["version"] for entry in entries} == {item.version.text for item in package.versions}
        for version in package.versions[-3:]:
            entry = one.versions[version.version.text]
            if kind == "modules":
                answer = ask(base, f"/{version.version}/download")
                assert answer.headers["x-terraform-get"] == original.module_location(one, entry)
                continue
            target = entry["targets"][0]
            document = json.loads(ask(base, f"/{version.version}/download/{target['os']}/{target['arch']}").body)
            del document["signing_keys"]
            assert document == original.provider_download(entry, target)


def compare(files: dict[str, bytes], carried: Carried) -> Compared:
    compared = Compared(files, carried)
    compared.all()
    return compared


def assert_served(compared: Compared) -> None:
    assert compared.wrong[:20] == []
    published = [one for one in compared.declared() if one.address in compared.packages]
    chosen = random.Random(5).sample(published, min(ASKED_OVER_HTTP, len(published)))
    with running(compared.carried.store) as url:
        over_http(url, compared, chosen)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Carried:
    return carry(files_of(SAMPLE) | CLASH, tmp_path_factory.mktemp("small"))


def test_a_small_registry_with_everything_odd(small: Carried) -> None:
    compared = compare(files_of(SAMPLE) | CLASH, small)
    assert_served(compared)
    assert small.imported.json["declared"] == {"modules": 7, "providers": 4, "namespaces": 5, "keys": 3}
    assert sorted(compared.left_out) == [
        "keys/h/harbor/torn.asc",
        "module:search/x/aws",
        "modules/o/odd/Clash/aws.json",
        "modules/o/odd/deeper/still/aws.json",
        "modules/o/odd/dots.in/aws.json",
    ]
    assert {"provider:tides/table", "module:azure/aks/azurerm"} <= set(compared.packages)
    assert set(compared.told["module:odd/numbers/aws"]) == {"latest", "v01.0.0", "v1.2.3+second", "v1.0.0"}


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("providers/h/harbor/crane.json", b'"shasum": "', b'"shasum": "0'),
        ("providers/h/harbor/crane.json", b'"arch": "arm64"', b'"arch": "arm65"'),
        ("providers/h/harbor/crane.json", b'"5.0"', b'"5.1"'),
        ("providers/h/harbor/crane.json", b"_SHA256SUMS.sig", b"_SHA256SUMS.asc"),
        ("providers/h/hashicorp/tide.json", b"again by others", b"once more"),
        ("modules/h/harbor/quay/aws.json", b'"v1.1.0"', b'"v1.1.1"'),
        ("modules/t/tides/clock/generic.json", b"9c1d", b"9c1e"),
        ("keys/h/harbor/provider.asc", b"BYJKwYBBAH", b"BYJKwYBBAG"),
    ],
)
def test_a_difference_is_seen(small: Carried, path: str, old: bytes, new: bytes) -> None:
    """The comparison itself: any fact that differs from the files is one too many."""
    files = files_of(SAMPLE) | CLASH
    assert old in files[path]
    assert compare(files | {path: files[path].replace(old, new)}, small).wrong


@pytest.mark.skipif(not PUBLIC.exists(), reason="the public registry's data is not beside this clone")
def test_the_public_registry(tmp_path: Path) -> None:
    """Its packages a to m: 16,317 files."""
    files = files_of(PUBLIC)
    compared = compare(files, carry(files, tmp_path))
    assert_served(compared)
    declared = compared.carried.imported.json["declared"]
    assert declared["modules"] + declared["providers"] + len(compared.left_out) == 16_317
    assert compared.versions > 150_000
    # Left out, each with its reason: "1.0" and the like, and doubles.
    assert compared.missing < compared.versions / 40
