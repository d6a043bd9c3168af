"""A large blob written in blocks: seen when they are committed, and never when something fails before."""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from secrets import token_hex

from gitopsreg.errors import StorageError
from gitopsreg.storage.azure_client import Container, block_id
from gitopsreg.storage.azure_failures import BlocksGone

BLOCK = 8 * 1024 * 1024  # Azure takes 50,000 of them: 390 GB
_DIGEST = "sha256"


def in_blocks(pieces: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Blocks to stage, each with whether it is the last: one at least, and one in memory at a time."""
    block = bytearray()
    for piece in pieces:
        rest = memoryview(piece)
        while rest:
            if len(block) == BLOCK:
                whole, block = bytes(block), bytearray()
                yield whole, False
            taken = rest[: BLOCK - len(block)]
            block += taken
            rest = rest[len(taken) :]
    yield bytes(block), True


def upload(container: Container, key: str, blocks: Iterable[bytes]) -> None:
    """Raises StorageError, and whatever `blocks` raises as it is.

    What was staged and not committed can't be taken back; nobody sees it, and the service discards it after a week.
    """
    nonce, staged = token_hex(16), list[str]()
    size, digest = 0, sha256()
    for number, block in enumerate(blocks):
        staged.append(block_id(nonce, number))
        with container.explained(key):
            container.blob(key).stage_block(staged[-1], block, length=len(block))
        size += len(block)
        digest.update(block)
    try:
        with container.explained(key):
            container.commit(key, staged, {_DIGEST: digest.hexdigest()})
    except BlocksGone:
        if not _holds(container, key, size, digest.hexdigest()):
            raise


def _holds(container: Container, key: str, size: int, digest: str) -> bool:
    """Whether the other writer stored the same value: usual, since most keys are named by their content."""
    try:
        with container.explained(key):
            found = container.blob(key).get_blob_properties()
    except StorageError:
        return False
    return found.size == size and (found.metadata or {}).get(_DIGEST) == digest
