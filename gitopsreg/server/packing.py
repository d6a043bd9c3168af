"""Answers packed with gzip, for clients that take them so. The answer is packed once: the memo remembers it packed."""

import gzip
import re
from functools import lru_cache

ENCODING = "gzip"
# Bytes from which it pays: smaller ones fit into one packet of a network either way.
WORTHWHILE = 1400

_LEVEL = 6
_LONGEST = 256  # bytes of a header that is looked at; browsers send 30
_WEIGHT = re.compile(rb"[ \t]*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)[ \t]*")


def packed(body: bytes) -> bytes:
    """The same bytes for the same body, with one release of zlib."""
    return gzip.compress(body, _LEVEL, mtime=0)


def takes_packed(accept: bytes | None) -> bool:
    """Whether an Accept-Encoding header wants gzip at least as much as no packing (RFC 9110 12.5.3)."""
    return accept is not None and len(accept) <= _LONGEST and _takes(accept)


@lru_cache(maxsize=512)
def _takes(accept: bytes) -> bool:
    weights = dict(_weighed(item) for item in accept.lower().split(b","))
    wanted = weights.get(b"gzip", weights.get(b"x-gzip", weights.get(b"*", 0.0)))
    return wanted > 0 and wanted >= weights.get(b"identity", 0.0)


def _weighed(item: bytes) -> tuple[bytes, float]:
    """A coding and how much it is wanted: 1 unless said otherwise, 0 when that can't be read."""
    coding, given, parameter = item.partition(b";")
    weight = _WEIGHT.fullmatch(parameter)
    return coding.strip(), (float(weight[1]) if weight else 0.0) if given else 1.0
