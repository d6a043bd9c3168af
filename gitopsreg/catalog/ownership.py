"""Who may publish what: reserved names, and the sources that a namespace allows (GR504, GR505)."""

from collections.abc import Mapping

from gitopsreg.catalog.facts import Allowed, SourceFacts
from gitopsreg.catalog.urls import below, is_same, matches
from gitopsreg.model.address import PackageAddress

# Public namespaces: a package of ours under such a name would stand in for somebody else's.
RESERVED = frozenset({
    "aws", "azure", "azurerm", "builtin", "google", "google-beta", "hashicorp", "helm", "kubernetes", "opentofu",
    "terraform", "terraform-aws-modules", "terraform-google-modules", "terraform-providers",
})  # fmt: skip
# `/v1/modules/search` is a path of the registry protocol: no namespace can have that name.
UNUSABLE = frozenset({"search"})
_MIRRORS = {"registry", "opentofu-git"}


def is_mirror(source: SourceFacts, address: PackageAddress) -> bool:
    """Whether the source is the very package whose address this is, somewhere else."""
    if source.type not in _MIRRORS:
        return False
    elsewhere = source.address.lower()
    if source.type == "registry":
        elsewhere = elsewhere.partition("/")[2]
    return elsewhere in {address.path, ""}


def is_allowed(source: SourceFacts, entries: tuple[Allowed, ...], connections: Mapping[str, str]) -> bool:
    """Whether an entry admits the source. `connections` are the base URLs of the catalog's Connections."""
    return any(_admits(entry, source, connections) for entry in entries)


def _admits(entry: Allowed, source: SourceFacts, connections: Mapping[str, str]) -> bool:
    if entry.catalog:
        return source.type == "catalog"
    if entry.url:
        url = source.url or (source.type == "registry" and f"https://{source.address}")
        return bool(url) and matches(entry.url, str(url))
    there = connections.get(entry.connection, "")
    # A connection to one repository allows that one; who names it beside the URL uses its credentials too.
    if source.type == "opentofu-git" and entry.repositories is None and is_same(there, source.url):
        return True
    repository = source.repository or below(there, source.url)
    if not entry.connection or entry.connection != source.connection or repository is None:
        return False
    return entry.repositories is None or any(matches(pattern, repository) for pattern in entry.repositories)
