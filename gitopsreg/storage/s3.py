"""A store in a bucket of S3, or of a server that speaks its protocol and honours conditional writes (see `probe`).

The address: s3://bucket/prefix, and after the "?" any of `region`, `endpoint` (the server's URL, when it is not
Amazon's), `path_style` (true with an endpoint, else false), `sse_kms_key` (every write is encrypted with it),
`role_arn` and `external_id` (a role to assume), `public_endpoint` (the server's URL in links, when clients know it by
another).
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from gitopsreg.errors import InvalidName, KeyMissing, PublishConflict
from gitopsreg.storage.address import StoreAddress
from gitopsreg.storage.base import LinkTerms, Stored, Token, check_key, check_prefix, check_range
from gitopsreg.storage.s3_client import open_bucket
from gitopsreg.storage.s3_download import Download
from gitopsreg.storage.s3_failures import NotSupported
from gitopsreg.storage.s3_upload import in_parts, put_in_parts, put_whole

_UNSAFE = re.compile(r"[^0-9A-Za-z._+-]")
_WEEK = 7 * 24 * 60 * 60  # seconds: no signature of S3 lasts longer


class S3Reader:
    """A `BlobReader` on a bucket. Raises ConfigError where credentials or the region are missing."""

    def __init__(self, address: StoreAddress) -> None:
        self._bucket = open_bucket(address)

    def get(self, key: str) -> bytes:
        return self.get_with_token(key)[0]

    def get_with_token(self, key: str) -> tuple[bytes, Token]:
        download = Download(self._bucket, check_key(key))
        return b"".join(download), Token(download.etag)

    def size(self, key: str) -> int:
        return self.stat(key).size

    def stat(self, key: str) -> Stored:
        return self._look(check_key(key))[0]

    def chunks(self, key: str, start: int = 0, length: int | None = None) -> Download:
        check_range(start, length)
        return Download(self._bucket, check_key(key), start, length)

    def keys(self, prefix: str) -> Iterator[str]:
        return (stored.key for stored in self.listing(prefix))

    def listing(self, prefix: str) -> Iterator[Stored]:
        return self._listed(check_prefix(prefix))

    def link(self, key: str, terms: LinkTerms) -> str | None:
        """Lasts a week at most, and not longer than the credentials that signed it: those of a role last an hour."""
        check_key(key)
        answer = {
            "ResponseContentType": terms.content_type,
            "ResponseContentDisposition": f'attachment; filename="{_UNSAFE.sub("_", terms.filename)}"',
        }
        lifetime = min(max(int(terms.lifetime.total_seconds()), 1), _WEEK)
        with self._bucket.explained(key):
            return self._bucket.links.generate_presigned_url(
                "get_object", Params={**self._bucket.place(key), **answer}, ExpiresIn=lifetime
            )

    def _look(self, key: str) -> tuple[Stored, str]:
        """With the ETag as the server writes it."""
        bucket = self._bucket
        try:
            with bucket.explained(key):
                seen = bucket.client.head_object(**bucket.place(key))
                return _stored(key, seen["ContentLength"], seen["LastModified"], seen["ETag"]), seen["ETag"]
        except KeyMissing:
            # Such an answer has no body to tell a missing key from a missing bucket.
            with bucket.explained():
                bucket.client.head_bucket(Bucket=bucket.name)
            raise

    def _listed(self, prefix: str) -> Iterator[Stored]:
        bucket = self._bucket
        more: Any = {"Bucket": bucket.name, "Prefix": bucket.prefix + prefix}
        while more:
            with bucket.explained():
                page = bucket.client.list_objects_v2(**more)
                more = {**more, "ContinuationToken": page["NextContinuationToken"]} if page["IsTruncated"] else None
            for entry in page.get("Contents", ()):
                key = entry["Key"].removeprefix(bucket.prefix)
                if _is_key(key):
                    yield _stored(key, entry["Size"], entry["LastModified"], entry["ETag"])


class S3Store(S3Reader):
    """A `BlobStore` on a bucket. A token is the ETag: a value that comes back may bring its token back, as on disk.

    When the answer to `replace` is lost and another writer builds on ours before we look again, we are told of a
    conflict although our value had its turn: nothing is lost by it, since he has read what we wrote.
    """

    def put(self, key: str, data: bytes | Iterable[bytes]) -> None:
        check_key(key)
        parts = in_parts([data] if isinstance(data, bytes) else data)
        first, is_all = next(parts)
        if is_all:
            put_whole(self._bucket, key, first, {})
        else:
            put_in_parts(self._bucket, key, _joined(first, parts))

    def replace(self, key: str, data: bytes, *, expected: Token | None) -> Token:
        check_key(key)
        condition = {"IfNoneMatch": "*"} if expected is None else {"IfMatch": expected.value}
        try:
            return Token(put_whole(self._bucket, key, data, condition))
        except KeyMissing as error:
            raise PublishConflict(f'"{key}" was deleted by another writer: read it again') from error

    def delete(self, key: str, *, seen: Stored | None = None) -> bool:
        """With `seen` what is stored is looked at, and removed on the condition that its ETag is still the same.

        Not told apart: the same bytes written twice within a second, and, where a server ignores the condition or has
        none for removals, what is written between the look and the removal.
        """
        try:
            now, etag = self._look(check_key(key))
            if seen is not None and now.state != seen.state:
                return False
            self._remove(key, {} if seen is None else {"IfMatch": etag})
        except (KeyMissing, PublishConflict):
            return False
        return True

    def _remove(self, key: str, condition: Any) -> None:
        try:
            with self._bucket.explained(key):
                self._bucket.client.delete_object(**self._bucket.place(key), **condition)
        except NotSupported:
            if not condition:
                raise
            self._remove(key, {})


def _joined(first: bytes, rest: Iterator[tuple[bytes, bool]]) -> Iterator[bytes]:
    yield first
    for part, _ in rest:
        yield part


def _stored(key: str, size: int, modified: datetime, etag: str) -> Stored:
    # Some servers write fractions of a second into listings, and some leave out the quotes in one place.
    seconds = int(modified.timestamp())
    bare = etag.strip('"')
    return Stored(key=key, size=size, modified=seconds, state=f"{bare}-{seconds}")


def _is_key(text: str) -> bool:
    try:
        check_key(text)
    except InvalidName:
        return False
    return True
