"""A provider release's `…_manifest.json`: which plugin protocols the provider speaks. Decides nothing else."""

import json
import re

from gitopsreg.errors import IntegrityError, quoted

MAX_SIZE = 64 * 1024
_PROTOCOL = re.compile(r"([0-9]{1,4})(?:\.[0-9]{1,4})?")
_SPOKEN = (5, 6)  # what clients of today can start
_RIGHT = '{"version": 1, "metadata": {"protocol_versions": ["5.0"]}}'


def protocols(data: bytes, name: str) -> tuple[str, ...]:
    """`metadata.protocol_versions`; raises IntegrityError (ManifestInvalid)."""
    versions = _versions(data, name)
    if not isinstance(versions, list) or not versions:
        raise _invalid(name, "has no list metadata.protocol_versions")
    for version in versions:
        if not isinstance(version, str):
            raise _invalid(name, f"names the protocol {json.dumps(version)[:40]}, which must be a string in quotes")
        found = _PROTOCOL.fullmatch(version)
        if not found or int(found[1]) not in _SPOKEN:
            raise _invalid(name, f'names the protocol {quoted(version)}, where clients speak "5" and "6"')
    return tuple(dict.fromkeys(versions))


def _versions(data: bytes, name: str) -> object:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _invalid(name, "is no JSON") from error
    metadata = document.get("metadata") if isinstance(document, dict) else None
    return metadata.get("protocol_versions") if isinstance(metadata, dict) else None


def _invalid(name: str, problem: str) -> IntegrityError:
    return IntegrityError(f'"{name}" {problem}: write {_RIGHT}', reason="ManifestInvalid")
