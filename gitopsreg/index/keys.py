"""Where things lie on the shelf."""

from gitopsreg.index.model import Shelf
from gitopsreg.model.digest import Sha256

HEAD = "index/head"
LEASE = "lease/reconciler"
LINK_KEY = "private/link-key"
# There is one where the store began as a copy: what lies in other back ends is the original's.
COPIED = "private/copied"


def root_key(digest: Sha256) -> str:
    return f"index/roots/{digest.hex}"


def shard_key(digest: Sha256) -> str:
    return f"index/shards/{digest.hex}"


def package_key(digest: Sha256) -> str:
    return f"index/packages/{digest.hex}"


def blob_key(digest: Sha256, shelf: Shelf | None = None) -> str:
    """The key in the shelf's own back end."""
    folder = f"{shelf.folder}/" if shelf and shelf.folder else ""
    return f"{folder}blobs/{digest.hex}"
