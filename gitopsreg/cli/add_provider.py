"""`gitopsreg add provider`: a provider from a folder of release files in the catalog. Uploads and signs nothing."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gitopsreg.cli import output
from gitopsreg.cli.adding import Description, In, Namespace, finish, open_catalog, refuse, refuse_bytes
from gitopsreg.cli.options import PRINTED, takes
from gitopsreg.errors import ConfigError, IntegrityError, quoted
from gitopsreg.settings import Settings

if TYPE_CHECKING:
    from gitopsreg.catalog.addition import CatalogFolder, Trial
    from gitopsreg.catalog.compose import NewProvider
    from gitopsreg.upstream.release_folder import ReleaseFolder

NAME = "provider"
SHORT = "Declare a provider whose release files lie in the catalog."
HELP = """Declare a provider whose release files lie in the catalog.

FOLDER holds one version's files (the zips, SHA256SUMS and SHA256SUMS.sig), or one folder a version. Every release is
verified just as the registry will do it: signature, checksums, zip contents, platforms. Without --key the key that
signed is found among the namespace's.

Exit codes: 0 written, 1 refused because a release or the catalog would not be valid, 2 wrong use, or something is there
already.
"""
EXAMPLES = """Examples:
  gitopsreg add provider content/providers/hello --namespace platform
  gitopsreg add provider content/providers/hello/1.0.0 --namespace platform --key example-release"""


@takes(*PRINTED)
def command(
    settings: Settings,
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="The release files, inside the catalog.")],
    namespace: Namespace,
    key: Annotated[
        list[str] | None, typer.Option("--key", metavar="NAME", help="A key of the namespace; may be repeated.")
    ] = None,
    description: Description = "",
    directory: In = None,
) -> int:
    from gitopsreg.upstream.release_folder import find_releases

    catalog = open_catalog(settings, directory)
    catalog.need_namespace(namespace)
    releases = find_releases(_inside(catalog.root, folder))
    keys = _keys(catalog, namespace, key or ())
    trial = catalog.try_file(*_text(catalog, namespace, releases, keys, description))
    if trial.errors:
        return refuse(trial.errors, trial.path)
    try:
        signing = _verified(trial, releases)
    except IntegrityError as error:
        return refuse_bytes(error)
    if not key and set(signing) != set(keys):
        trial = catalog.try_file(*_text(catalog, namespace, releases, signing, description))
    versions = [release.version.text for release in releases]
    return finish(
        settings,
        trial,
        told=[
            f"provider:{namespace}/{releases[0].type}, {output.count(len(versions), 'version')}: {', '.join(versions)}",
            f"verified, signed by {', '.join(signing)}",
        ],
        then="gitopsreg validate, then commit the file and the release folders",
        document={"address": f"provider:{namespace}/{releases[0].type}", "versions": versions, "keys": list(signing)},
    )


def _inside(root: Path, folder: str) -> Path:
    """The folder, from here or from the catalog's root, as a path below that root. Raises ConfigError."""
    places = [place for place in (Path(folder), root / folder) if place.is_dir()]
    if not places:
        raise ConfigError(f"{quoted(folder)} is no folder: name the one that holds the release files")
    top = root.resolve()
    for place in places:
        if top in place.resolve().parents:
            return root / place.resolve().relative_to(top)
    raise ConfigError(
        f"{quoted(folder)} is not inside the catalog: copy the release files into it, "
        "like content/providers/hello/1.0.0"
    )


def _keys(catalog: "CatalogFolder", namespace: str, given: list[str] | tuple[()]) -> tuple[str, ...]:
    keys = tuple(dict.fromkeys(given)) or catalog.keys(namespace)
    if not keys:
        raise ConfigError(
            f"the namespace {quoted(namespace)} has no keys, and clients refuse providers without a signature: "
            f"add it first, 'gitopsreg add key FILE --namespace {namespace}'"
        )
    return keys


def _text(
    catalog: "CatalogFolder",
    namespace: str,
    releases: "tuple[ReleaseFolder, ...]",
    keys: tuple[str, ...],
    description: str,
) -> tuple[str, str]:
    """(path, text) of the declaration."""
    from gitopsreg.catalog import compose
    from gitopsreg.model.address import ProviderAddress

    address = ProviderAddress(namespace, releases[0].type)
    new: NewProvider = compose.NewProvider(
        address=address,
        pins=tuple((one.version, one.folder.relative_to(catalog.root).as_posix()) for one in releases),
        platforms=tuple(sorted(frozenset.intersection(*(one.platforms for one in releases)))),
        keys=keys,
        description=description,
    )
    return f"namespaces/{namespace}/providers/{address.type}.yaml", compose.provider(new)


def _verified(trial: "Trial", releases: "tuple[ReleaseFolder, ...]") -> tuple[str, ...]:
    """The names of the keys that signed, each once. Raises IntegrityError with the version that is not whole."""
    from gitopsreg.model.declaration import ProviderDeclaration
    from gitopsreg.upstream.provider_release import verify

    (declared,) = (one for one in trial.loaded.catalog.packages if one.path == trial.path)
    if not isinstance(declared, ProviderDeclaration):
        raise TypeError(declared)
    names = {key.fingerprint[-16:]: key.name for key in declared.keys}
    signing = []
    for release in releases:
        try:
            with verify(declared, release.version, release.files) as verified:
                signing.append(names[verified.keys[0].key_id])
        except IntegrityError as error:
            raise IntegrityError(f"version {release.version}: {error}", reason=error.reason) from error
    return tuple(dict.fromkeys(signing))
