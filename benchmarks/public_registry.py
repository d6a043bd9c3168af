"""How long `gitopsreg validate` takes on a catalog made from the public OpenTofu registry's own data.

`python benchmarks/public_registry.py [ARCHIVE]`: ARCHIVE is a tar of a folder laid out like opentofu/registry; by
default the one that lies beside the clone, if it does. Names that no catalog can have are left out, and counted.
"""

import json
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from validate import measure

from gitopsreg.errors import InvalidName
from gitopsreg.model.address import ModuleAddress, PackageAddress, ProviderAddress
from gitopsreg.model.version import Version

BESIDE = Path(__file__).parents[2] / "shared" / "data" / "opentofu-registry-a-m.tar.xz"
_HEAD = "apiVersion: gitopsreg.io/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec:\n"
_NAMESPACE = "apiVersion: gitopsreg.io/v1alpha1\nkind: Namespace\nmetadata: {{name: {name}}}\nspec: {{}}\n"
_SOURCE = "  source: {type: opentofu-git, url: https://github.com/opentofu/registry.git}\n  suspend: true\n"


def main(archive: Path) -> None:
    if not archive.exists():
        print(f"no data at {archive.name}: name an archive of a registry laid out like opentofu/registry")
        return
    with tempfile.TemporaryDirectory() as folder:
        catalog = Path(folder) / "catalog"
        written, left_out = convert(archive, catalog)
        print(f"{written:,} packages of the public registry; {left_out:,} left out for their names\n")
        measure(Path(folder), catalog)


def convert(archive: Path, catalog: Path) -> tuple[int, int]:
    """One declaration a package, its versions as pins; (packages written, packages left out)."""
    written = left_out = 0
    with tarfile.open(archive) as tar:
        for member in tar:
            path = PurePosixPath(member.name)
            content = tar.extractfile(member) if member.isfile() and path.suffix == ".json" else None
            if content is None or path.parts[0] not in {"modules", "providers"}:
                continue
            try:
                _write(catalog, _address(path), json.load(content))
                written += 1
            except (InvalidName, FileExistsError):
                left_out += 1
    return written, left_out


def _address(path: PurePosixPath) -> PackageAddress:
    parts = [part.lower() for part in (*path.parts[2:-1], path.stem)]
    kind = ModuleAddress if path.parts[0] == "modules" else ProviderAddress
    return kind.parse("/".join(parts))


def _write(catalog: Path, address: PackageAddress, package: dict[str, list[dict[str, str]]]) -> None:
    home = catalog / "namespaces" / address.namespace
    if isinstance(address, ModuleAddress):
        place, kind, name, system = (
            home / "modules" / address.name / f"{address.system}.yaml",
            "Module",
            address.name,
            address.system,
        )
    else:
        place, kind, name, system = home / "providers" / f"{address.type}.yaml", "Provider", address.type, ""
    place.parent.mkdir(parents=True, exist_ok=True)
    head = _HEAD.format(kind=kind, name=json.dumps(name), namespace=json.dumps(address.namespace))
    own = f"  system: {json.dumps(system)}\n" if system else ""
    pins = "".join(f'      - {{version: "{version}"}}\n' for version in _versions(package))
    with place.open("x") as file:
        file.write(head + own + _SOURCE + (f"  versions:\n    pins:\n{pins}" if pins else ""))
    (home / "namespace.yaml").write_text(_NAMESPACE.format(name=json.dumps(address.namespace)))


def _versions(package: dict[str, list[dict[str, str]]]) -> Iterator[str]:
    seen = set()
    for entry in package.get("versions") or []:
        try:
            version = Version.parse(entry["version"].removeprefix("v"))
        except InvalidName:
            continue
        if version.without_build not in seen:
            seen.add(version.without_build)
            yield version.text


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else BESIDE)
