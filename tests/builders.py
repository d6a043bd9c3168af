"""One-line values for tests."""

from gitopsreg.index.model import Blob, Origin
from gitopsreg.model.digest import Sha256


def a_blob(data: bytes = b"bytes") -> Blob:
    return Blob(Sha256.of(data), len(data))


def an_origin(commit: str = "c" * 40, tree: str = "7" * 40, ref: str = "v1.0.0") -> Origin:
    return Origin(url="https://git.example.com/acme/vpc.git", ref=ref, commit=commit, tree=tree)
