"""The module registry protocol: the list of versions, and where to fetch one. Pure: package in, document out."""

import re
from urllib.parse import urlsplit

from gitopsreg.errors import NotPublished, quoted
from gitopsreg.index.model import ModulePackage, ModuleVersion, Remote
from gitopsreg.protocol.document import Document
from gitopsreg.protocol.links import Link
from gitopsreg.protocol.lookup import listed_module_versions
from gitopsreg.protocol.notices import reason_not_to_use

_PLAIN = re.compile(r"[0-9A-Za-z/._~+-]*")


def versions(package: ModulePackage) -> Document:
    """`GET …/versions`. Only the first module and its version strings are read; raises NotPublished when archived."""
    entry: Document = {}
    source = _web_source(package)
    if source:
        entry["source"] = source
    entry["versions"] = [_version(package, version) for version in listed_module_versions(package)]
    return {"modules": [entry]}


def _version(package: ModulePackage, version: ModuleVersion) -> Document:
    document: Document = {"version": version.version.text}
    reason = reason_not_to_use(package, version)
    if reason is not None:
        document["deprecation"] = {"reason": reason}
    return document


def _web_source(package: ModulePackage) -> str | None:
    """The repository, when a browser and bots can open it; never with credentials."""
    for url in (package.source, *(version.origin.url for version in reversed(package.versions))):
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc:
            return url
    return None


def archive_name(package: ModulePackage, version: ModuleVersion) -> str:
    """Ends in the archive's suffix: clients tell by it that this is no web page."""
    address = package.address
    return f"{address.name}-{address.system}-{version.version}.{version.archive_format}"


def location(package: ModulePackage, version: ModuleVersion, link: Link, base: str) -> str:
    """The `X-Terraform-Get` of one version: a go-getter address, resolved against the URL of the request.

    `…/vpc-aws-1.4.2.tar.gz//modules/vpc?archive=tar.gz&checksum=sha256:…&expires=…&signature=…`. The client joins the
    sub-directory with the one that the user wrote, verifies the checksum before unpacking, and keeps both from us.

    Raises NotPublished for a sub-directory that no address can name.
    """
    if isinstance(version.archive, Remote):
        return version.archive.url
    path, _, query = link(version.archive.sha256, archive_name(package, version)).partition("?")
    inside = _inside(package, version)
    # Of a relative address terraform escapes the sub-directory and then looks for "a%20dir"; an absolute one, with our
    # own origin as `base`, it leaves as it is.
    start = "" if _PLAIN.fullmatch(inside) else base
    checksum = f"checksum={version.archive.sha256}"
    more = f"&{query}" if query else ""
    return f"{start}{path}{inside}?archive={version.archive_format}&{checksum}{more}"


def _inside(package: ModulePackage, version: ModuleVersion) -> str:
    """`//` and the sub-directory as it is: terraform never undoes quoting there, so "%23" would be looked for as such.

    What would end the sub-directory, and make checksum and signature part of something else, is refused therefore.
    """
    folder = version.subdirectory
    if "?" in folder or "#" in folder or not folder.isprintable():
        raise NotPublished(
            f'module "{package.address.path}" version "{version.version}" lies in {quoted(folder)}, which no address '
            "of a module can name: rename the folder, without ? and #"
        )
    return f"//{folder}" if folder else ""
