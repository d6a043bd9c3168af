"""What tests of the store's care share: a lease that is simply held, and the proof that what is served is whole."""

from collections.abc import Mapping
from dataclasses import dataclass

from gitopsreg.errors import StorageError
from gitopsreg.index import repository
from gitopsreg.index.contents import places
from gitopsreg.index.model import Snapshot
from gitopsreg.model.digest import Sha256
from gitopsreg.storage.base import BlobReader


@dataclass
class FakeLease:
    """Held, until a test says that it was lost."""

    epoch: int = 1
    lost: bool = False
    checked: int = 0

    def check(self) -> None:
        self.checked += 1
        if self.lost:
            raise StorageError("the lease was lost")


HELD = FakeLease()


def served_whole(stores: Mapping[str, BlobReader]) -> Snapshot | None:
    """What a server would serve now; raises KeyMissing or StorageError unless every byte that it names is there."""
    head = repository.read_head(stores[""])
    if head is None:
        return None
    snapshot = repository.load(stores[""], head.root, jobs=1)
    for place, blob in places(snapshot).items():
        data = b"".join(stores[place.backend].chunks(place.key))
        if Sha256.of(data) != blob.sha256:
            raise StorageError(f'"{place.key}" holds other bytes')
    return snapshot
