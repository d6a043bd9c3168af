"""The provider network mirror protocol, for this registry's own providers. Pure: package in, document out.

Other hosts' providers are not here: their index is absent, so that clients ask elsewhere, and their versions have no
archives. A 404 for a version would be a hard error for a client that has a second place to look.
"""

import re
from collections.abc import Iterable

from gitopsreg.errors import InvalidName, NotPublished
from gitopsreg.index.model import ProviderBuild, ProviderPackage, ProviderVersion, Snapshot
from gitopsreg.protocol import lookup
from gitopsreg.protocol.document import Document
from gitopsreg.protocol.links import Link, url_of

_HOST = re.compile(r"[0-9a-z](?:[0-9a-z.-]{0,252})(?::[0-9]{1,5})?|\[[0-9a-f:.]{2,45}\](?::[0-9]{1,5})?")
_NAME = re.compile(r"[\w-]{1,128}")


def canonical_host(text: str) -> str:
    """As clients write a registry's host in a mirror's path: lower case, punycode, no `:443`."""
    host = text.lower()
    if not host.isascii():
        try:
            host = host.encode("idna").decode()
        except UnicodeError as error:
            raise InvalidName(f'"{text}" is not a host name: write one like "registry.example.com"') from error
    return host.removesuffix(":443")


def index(snapshot: Snapshot, own: Iterable[str], host: str, namespace: str, type_: str) -> Document:
    """`index.json`; raises NotPublished for other hosts and unknown or archived providers. `own` are our hosts."""
    if not _is_own(host, own):
        raise NotPublished(f'this mirror has no providers of "{host}", only those of this registry')
    return listing(lookup.provider(snapshot, namespace, type_))


def listing(package: ProviderPackage) -> Document:
    return {"versions": {version.version.text: {} for version in lookup.listed_provider_versions(package)}}


def version_document(snapshot: Snapshot, own: Iterable[str], path: tuple[str, str, str, str], link: Link) -> Document:
    """`VERSION.json` of (host, namespace, type, version): without archives for all that is not here.

    Raises NotPublished only for what can't name a provider's version at all.
    """
    host, namespace, type_, version = path
    if not (_HOST.fullmatch(host.lower()) and _NAME.fullmatch(namespace) and _NAME.fullmatch(type_)):
        raise NotPublished(f'"{host}/{namespace}/{type_}" is not a provider: write "host/namespace/type"')
    try:
        lookup.normalised(version)
    except InvalidName as error:
        raise NotPublished(str(error)) from error
    if not _is_own(host, own):
        return {"archives": {}}
    try:
        found = lookup.provider_version(lookup.provider(snapshot, namespace, type_), version)
    except NotPublished:
        return {"archives": {}}
    return archives(found, link)


def archives(version: ProviderVersion, link: Link) -> Document:
    """URLs of what is stored are relative to the document's own."""
    return {
        "archives": {
            str(build.platform): {
                "url": url_of(build.zip, build.filename, link),
                "hashes": _hashes(build),
            }
            for build in version.builds
        }
    }


def _hashes(build: ProviderBuild) -> list[str]:
    """One that matches is enough for clients; both forms are true."""
    zh = build.zip.sha256.zh if build.zip.sha256 else ""
    return [form for form in (build.h1, zh) if form]


def _is_own(host: str, own: Iterable[str]) -> bool:
    return canonical_host(host) in {canonical_host(name) for name in own}
