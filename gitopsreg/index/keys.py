"""Where things lie on the shelf."""

from gitopsreg.model.digest import Sha256

HEAD = "index/head"
LINK_KEY = "private/link-key"


def root_key(digest: Sha256) -> str:
    return f"index/roots/{digest.hex}"


def shard_key(digest: Sha256) -> str:
    return f"index/shards/{digest.hex}"


def package_key(digest: Sha256) -> str:
    return f"index/packages/{digest.hex}"


def blob_key(digest: Sha256) -> str:
    return f"blobs/{digest.hex}"
