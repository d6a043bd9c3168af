"""JSON of strangers, read strictly: what the files of packages have in common. A door to orjson, which is fast enough
for a quarter of a gigabyte.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from typing import Any

import orjson

from gitopsreg.errors import IntegrityError, InvalidName, quoted
from gitopsreg.model.version import Version

# The largest of the public registry's files has 2 MB and 900 versions.
MAX_SIZE = 32 * 1024 * 1024
_MOST_VERSIONS = 20_000
_MOST_WARNINGS = 20
_LONGEST_WARNING = 4_000
_HOST = r"[0-9A-Za-z](?:[0-9A-Za-z.-]{0,252}[0-9A-Za-z])?(?::[0-9]{1,5})?"
_REST = r"/[!#-;=?-\[\]_a-z~]{0,1900}"
_HTTPS = re.compile(rf"https://{_HOST}{_REST}")
_HTTP = re.compile(rf"https?://{_HOST}{_REST}")
# Any path of so many characters is short enough: `_REST` need not count them.
SHORT_URL = 1_900
_NUMBERS = re.compile(r"([0-9]{1,19})(?:\.([0-9]{1,19}))?(?:\.([0-9]{1,19}))?([-+].*)?")
_COMMIT = re.compile(r"[0-9a-f]{40}")


def document(data: bytes, path: str) -> dict[str, Any]:
    """The file's JSON object. Raises IntegrityError (`ManifestInvalid`)."""
    try:
        read = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise _invalid(path, f"is no JSON: {error}") from error
    if not isinstance(read, dict):
        raise _invalid(path, "holds no JSON object")
    return read


def versions_in(read: dict[str, Any], path: str) -> list[Any]:
    """Raises IntegrityError (`ManifestInvalid`, `TooLarge`)."""
    versions = read.get("versions")
    if not isinstance(versions, list):
        raise _invalid(path, 'has no list "versions"')
    if len(versions) > _MOST_VERSIONS:
        message = f"{quoted(path)} lists {len(versions):,} versions: {_MOST_VERSIONS:,} at most"
        raise IntegrityError(message, reason="TooLarge")
    return versions


def warnings_in(read: dict[str, Any], path: str) -> tuple[str, ...]:
    """Raises IntegrityError (`ManifestInvalid`)."""
    found = read.get("warnings") or []
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise _invalid(path, 'has "warnings" that are no list of strings')
    return tuple(one[:_LONGEST_WARNING] for one in found[:_MOST_WARNINGS])


def mapping(value: object, what: str) -> dict[str, Any]:
    """Raises InvalidName."""
    if not isinstance(value, dict):
        raise InvalidName(f"{what} is no JSON object")
    return value


def text(read: dict[str, Any], key: str) -> str:
    """Raises InvalidName."""
    value = read.get(key)
    if type(value) is str:
        return value
    raise InvalidName(f'"{key}" is {"missing" if value is None else "no string"}')


def version_of(tag: str) -> Version:
    """The version that a tag stands for: one "v" in front is its author's habit. Raises InvalidName."""
    return Version.parse(tag.removeprefix("v"))


@lru_cache(2**16)  # thousands of modules have the same few tags
def module_version_of(tag: str) -> Version:
    """As `version_of`, but read as both clients read the versions of modules: `1.0` is 1.0.0, and so is `1.00`.

    They ask for it by all three parts, whatever was listed.
    """
    match = _NUMBERS.fullmatch(tag.removeprefix("v"))
    if match is None:
        return version_of(tag)
    return Version.parse(".".join(str(int(part or 0)) for part in match.groups()[:3]) + (match[4] or ""))


def url(read: dict[str, Any], key: str, *, allow_http: bool) -> str:
    """Where clients may be sent. Raises InvalidName."""
    found = text(read, key)
    if not (_HTTP if allow_http else _HTTPS).fullmatch(found):
        raise InvalidName(f'"{key}" is {quoted(found)}: it must be an https URL, with nothing in it to be escaped')
    return found


def commit_in(read: dict[str, Any]) -> str:
    """The recorded commit, "" where there is none. Raises InvalidName."""
    if read.get("commit") is None:
        return ""
    found = text(read, "commit").lower()
    if found and not _COMMIT.fullmatch(found):
        raise InvalidName(f'"commit" is {quoted(found)}: it must have 40 hex digits')
    return found


def facts_digest(facts: Iterable[str]) -> str:
    """40 hex digits that change when any of the facts does, as a tree's do."""
    return sha256("\n".join(facts).encode(errors="surrogatepass")).hexdigest()[:40]


def shown(value: object) -> str:
    """What to call an entry that may be anything."""
    tag = value.get("version") if isinstance(value, dict) else None
    return quoted(tag)[1:-1] if isinstance(tag, str) else "an entry without a version"


def _invalid(path: str, problem: str) -> IntegrityError:
    return IntegrityError(f"{quoted(path)} {problem}", reason="ManifestInvalid")
