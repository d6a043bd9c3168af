"""Objects written: at once, or in parts that are seen when all are there. Every write bears a number of its own.

The number tells our write from another's when the answer was lost: the client library asks again, and then S3 refuses a
condition that the first request had already met.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from secrets import token_hex
from typing import Any

from gitopsreg.errors import KeyMissing, PublishConflict, StorageError
from gitopsreg.storage.s3_client import Bucket
from gitopsreg.storage.s3_failures import UploadGone

PART = 8 * 1024 * 1024


def put_whole(bucket: Bucket, key: str, data: bytes, condition: dict[str, str]) -> str:
    """One request, for 5 GB at most; the new ETag. Raises PublishConflict where the condition is not met."""
    number = token_hex(16)
    extra: Any = {**bucket.encryption, **condition, "Metadata": {"write": number}}
    try:
        with bucket.explained(key):
            return bucket.client.put_object(**bucket.place(key), Body=data, **extra)["ETag"]
    except (PublishConflict, KeyMissing):
        etag = _etag_of_write(bucket, key, number)
        if etag is None:
            raise
        return etag


def put_in_parts(bucket: Bucket, key: str, parts: Iterable[bytes]) -> None:
    """Raises StorageError, and whatever `parts` raises as it is; then the upload is aborted.

    A writer that is killed leaves its parts: give the bucket a lifecycle rule that aborts incomplete uploads.
    """
    number = token_hex(16)
    extra: Any = {**bucket.encryption, "Metadata": {"write": number}}
    with bucket.explained(key):
        started = bucket.client.create_multipart_upload(**bucket.place(key), **extra)
        upload = {**bucket.place(key), "UploadId": started["UploadId"]}
    try:
        done = [_put_part(bucket, key, upload, at, part) for at, part in enumerate(parts, 1)]
        _complete(bucket, key, upload, done, number)
    except BaseException:
        with suppress(StorageError), bucket.explained(key):
            bucket.client.abort_multipart_upload(**upload)
        raise


def _put_part(bucket: Bucket, key: str, upload: Any, at: int, part: bytes) -> Any:
    with bucket.explained(key):
        answer = bucket.client.upload_part(**upload, PartNumber=at, Body=part)
        return {"PartNumber": at, "ETag": answer["ETag"]}


def _complete(bucket: Bucket, key: str, upload: Any, done: list[Any], number: str) -> None:
    try:
        with bucket.explained(key):
            bucket.client.complete_multipart_upload(**upload, MultipartUpload={"Parts": done})
    except UploadGone:
        if _etag_of_write(bucket, key, number) is None:
            raise


def _etag_of_write(bucket: Bucket, key: str, number: str) -> str | None:
    """The ETag of what is stored, if this write stored it."""
    with suppress(KeyMissing), bucket.explained(key):
        stored = bucket.client.head_object(**bucket.place(key))
        return stored["ETag"] if stored["Metadata"].get("write") == number else None
    return None


def in_parts(pieces: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Parts to upload, each with whether it is the last: at least one, and one in memory at a time.

    S3 takes 10,000 parts: after every thousand they double, which is enough for 5 TB. In objects below 8 GB they are
    of one size, since some servers ask for that.
    """
    number, part = 0, bytearray()
    for piece in pieces:
        rest = memoryview(piece)
        while rest:
            if len(part) == _size(number):
                whole = bytes(part)
                part.clear()
                yield whole, False
                del whole
                number += 1
            taken = rest[: _size(number) - len(part)]
            part += taken
            rest = rest[len(taken) :]
    yield bytes(part), True


def _size(number: int) -> int:
    """Bytes of the part with this number, counted from 0."""
    return PART << number // 1000
