"""What a registry kept in Git answers by itself, worked out from its files by plain code that shares nothing with ours.

https://opentofu.org/docs/internals/provider-registry-protocol/ and …/module-registry-protocol/, as opentofu/registry
renders them.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from hashlib import sha1
from typing import Any, NamedTuple
from urllib.parse import quote

Files = Mapping[str, bytes]
# HashiCorp's providers are built and signed by OpenTofu.
SIGNED_BY = {"hashicorp": "opentofu"}


class Original(NamedTuple):
    """One package: `address` in lower case, `name` as its path has it, and what its file says."""

    address: str
    name: str
    path: str
    document: dict[str, Any]

    @property
    def versions(self) -> dict[str, dict[str, Any]]:
        """By version without its "v"; of two that are the same the last counts.

        Clients ask for a module's `1.0` as 1.0.0, so that is its name, unless another entry has it already.
        """
        entries = {entry["version"].removeprefix("v"): entry for entry in self.document["versions"] or ()}
        if not self.address.startswith("module:"):
            return entries
        short = {_whole(version): entry for version, entry in entries.items() if _whole(version) not in entries}
        return {version: entry for version, entry in entries.items() if _whole(version) == version} | short


def _whole(version: str) -> str:
    """With all three numbers, each written plainly; what has no such numbers stays as it is."""
    numbers, mark, rest = re.match(r"([^-+]*)([-+]?)(.*)", version, re.DOTALL).groups()  # type: ignore[union-attr]
    parts = numbers.split(".")
    if len(parts) > 3 or not all(part.isascii() and part.isdigit() for part in parts):
        return version
    return ".".join(str(int(part)) for part in (*parts, "0", "0")[:3]) + mark + rest


def originals(files: Files) -> Iterator[Original]:
    for path in sorted(files):
        if path.startswith(("modules/", "providers/")) and path.endswith(".json"):
            top, _, *parts = path.removesuffix(".json").split("/")
            name = "/".join(parts)
            yield Original(f"{top[:-1]}:{name.lower()}", name, path, json.loads(files[path]))


def module_location(original: Original, entry: Mapping[str, Any]) -> str:
    """Its repository follows from its name. A plus would be read as a space by clients, so it is escaped."""
    namespace, name, system = original.name.split("/")
    ref = entry.get("commit") or quote(entry["version"], safe="")
    return f"git::https://github.com/{namespace}/terraform-{system}-{name}?ref={ref}"


def provider_version(version: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    platforms = sorted(({"os": target["os"], "arch": target["arch"]} for target in entry["targets"]), key=_platform)
    return {"version": version, "protocols": entry["protocols"], "platforms": platforms}


def _platform(target: Mapping[str, str]) -> tuple[str, str]:
    return target["os"], target["arch"]


def provider_download(entry: Mapping[str, Any], target: Mapping[str, str]) -> dict[str, Any]:
    """All but the keys."""
    urls = {name: entry[name] for name in ("shasums_url", "shasums_signature_url")}
    return {"protocols": entry["protocols"]} | urls | dict(target)


def key_files(files: Files, original: Original) -> dict[str, str]:
    """Armors of the namespace's and the provider's keys by path, without the white space that some lines end with."""
    namespace, type_ = original.name.split("/")
    owner = SIGNED_BY.get(namespace.lower(), namespace)
    folder = f"keys/{owner[0]}/{owner}"
    return {
        path: "\n".join(line.strip() for line in files[path].decode().strip().splitlines())
        for path in files
        if path.rpartition("/")[0] in {folder, f"{folder}/{type_}"}
    }


def key_id(armor: str) -> str:
    """Of the first packet, an OpenPGP key of version 4 (RFC 4880, 12.2): the end of its fingerprint."""
    lines = armor.split("\n\n", 1)[1].splitlines()
    packets = base64.b64decode("".join(line for line in lines if not line.startswith(("=", "-"))))
    if packets[0] & 0x40:
        first = packets[1]
        start, size = (2, first) if first < 192 else (3, ((first - 192) << 8) + packets[2] + 192)
    else:
        width = 1 << (packets[0] & 3)
        start, size = 1 + width, int.from_bytes(packets[1 : 1 + width], "big")
    body = packets[start : start + size]
    return sha1(b"\x99" + len(body).to_bytes(2, "big") + body, usedforsecurity=False).hexdigest()[-16:].upper()
