"""The bytes of the index's documents: canonical JSON, the same value always the same bytes. The only door to orjson.

Decoding takes bytes from anywhere and gives a value or StorageError. It doesn't know keys and compares no digests.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import orjson

from gitopsreg.errors import StorageError
from gitopsreg.index.lease import LeaseRecord
from gitopsreg.index.model import Entry, ModulePackage, Package, ProviderPackage, Root
from gitopsreg.index.pointer import Pointer
from gitopsreg.index.shape import shape_of
from gitopsreg.index.status import PackageStatus, RegistrySummary

FORMAT = 1  # grows when an older release would misread the documents; additions that it may skip don't count
# Who knows no ledger and no hold would publish on top of what is served, and forget what was published since.
_HEAD_FORMAT = 2
_PREFIX = re.compile(r"[0-9a-f]{0,2}")

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shard:
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusIndex:
    """The registry's own status and the prefixes of the shards that hold the packages'."""

    status: RegistrySummary
    shards: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _StatusShard:
    packages: tuple[PackageStatus, ...]


def encode_head(pointer: Pointer) -> bytes:
    data = _encode_told(pointer)
    if pointer.ledger is None and pointer.hold is None:
        return data
    return orjson.dumps(orjson.loads(data) | {"format": _HEAD_FORMAT}, option=orjson.OPT_SORT_KEYS)


def decode_head(data: bytes) -> Pointer:
    return _load(Pointer, _parse(data, newest=_HEAD_FORMAT))


def encode_lease(record: LeaseRecord) -> bytes:
    return _encode_told(record)


def decode_lease(data: bytes) -> LeaseRecord:
    return _decode(LeaseRecord, data)


def encode_root(root: Root) -> bytes:
    return _encode(root)


def decode_root(data: bytes) -> Root:
    root = _decode(Root, data)
    _check_prefixes(tuple(prefix for prefix, _ in root.shards))
    return root


def encode_shard(entries: tuple[Entry, ...]) -> bytes:
    return _encode(_Shard(entries=entries))


def decode_shard(data: bytes) -> tuple[Entry, ...]:
    return _decode(_Shard, data).entries


def encode_package(package: Package) -> bytes:
    return _encode(package)


def decode_package(data: bytes) -> Package:
    plain = _parse(data)
    is_module = str(plain.get("address")).startswith("module:")
    return _load(ModulePackage, plain) if is_module else _load(ProviderPackage, plain)


def encode_status(index: StatusIndex) -> bytes:
    return _encode_told(index)


def decode_status(data: bytes) -> StatusIndex:
    index = _decode(StatusIndex, data)
    _check_prefixes(index.shards)
    return index


def encode_status_shard(packages: tuple[PackageStatus, ...]) -> bytes:
    return _encode_told(_StatusShard(packages=packages))


def decode_status_shard(data: bytes) -> tuple[PackageStatus, ...]:
    return _decode(_StatusShard, data).packages


def encode_export(pointer: Pointer, documents: Mapping[str, bytes]) -> bytes:
    """A whole snapshot in one document; those of the index are taken over byte by byte."""
    parts = {key: orjson.Fragment(data) for key, data in documents.items()}
    plain = {"format": FORMAT, "head": shape_of(Pointer).dump(pointer), "documents": parts}
    return orjson.dumps(plain, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def decode_export(data: bytes) -> tuple[Pointer, dict[str, bytes]]:
    """The pointer and the documents by key, each in canonical form again."""
    plain = _parse(data)
    documents = plain.get("documents")
    if not isinstance(documents, dict):
        raise StorageError('not an exported index: it must be an object with "documents"')
    head = plain.get("head")
    pointer = _load(Pointer, head if isinstance(head, dict) else {})
    return pointer, {key: orjson.dumps(value, option=orjson.OPT_SORT_KEYS) for key, value in documents.items()}


def _encode_told(value: Any) -> bytes:
    """As `_encode`, of words that may come from anywhere: bytes in them that are no UTF-8 are written as escapes."""
    try:
        return _encode(value)
    except StorageError:
        return _write(_legible(_plain(value)))


def _legible(plain: Any) -> Any:
    if isinstance(plain, str):
        return plain.encode(errors="backslashreplace").decode()
    if isinstance(plain, list):
        return [_legible(each) for each in plain]
    return {key: _legible(each) for key, each in plain.items()} if isinstance(plain, dict) else plain


def _encode(value: Any) -> bytes:
    return _write(_plain(value))


def _plain(value: Any) -> Any:
    kind: Any = type(value)
    return shape_of(kind).dump(value)


def _write(plain: Any) -> bytes:
    try:
        return orjson.dumps({"format": FORMAT, **plain}, option=orjson.OPT_SORT_KEYS)
    except TypeError as error:  # a lone surrogate, an integer of more than 64 bits
        raise StorageError(f"this can't be written as JSON: {error}") from error


def _decode(kind: Callable[..., _Value], data: bytes) -> _Value:
    return _load(kind, _parse(data))


def _parse(data: bytes, *, newest: int = FORMAT) -> dict[str, Any]:
    try:
        plain = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise StorageError(f"not a document of the index: {error}") from error
    number = plain.get("format") if isinstance(plain, dict) else None
    if type(number) is int and number > newest:
        raise StorageError(f'the document has format "{number}": upgrade gitopsreg, this release reads {newest}')
    if type(number) is not int or not FORMAT <= number <= newest:
        raise StorageError(f'not a document of the index: it must be an object with "format": {FORMAT}')
    return cast(dict[str, Any], plain)


def _load(kind: Callable[..., _Value], plain: dict[str, Any]) -> _Value:
    try:
        return cast(_Value, shape_of(kind).load(plain))
    except ValueError as error:
        raise StorageError(f"not a document of the index: {error}") from error


def _check_prefixes(prefixes: tuple[str, ...]) -> None:
    """Prefixes are of one length and in order: no package could be in two shards."""
    right = all(map(_PREFIX.fullmatch, prefixes)) and len({len(prefix) for prefix in prefixes}) <= 1
    if not right or sorted(set(prefixes)) != list(prefixes):
        raise StorageError(f"not a document of the index: {prefixes!r:.80} are no shards")
