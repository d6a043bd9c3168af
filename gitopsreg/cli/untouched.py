"""A store into which nothing has come yet: no error, for the first reconcile makes it, and maybe not the one meant."""

from collections.abc import Iterator

from gitopsreg.catalog.report import printable
from gitopsreg.cli import again
from gitopsreg.settings import Settings
from gitopsreg.storage.address import StoreAddress


def lines(settings: Settings, deed: str) -> Iterator[str]:
    """What to say of it; `deed` is what has not been done, "published" or "reconciled"."""
    address = StoreAddress.parse(settings.store)
    yield f"Nothing has been {deed} into this store yet."
    if address.scheme == "file" and not address.directory.exists():
        made = "the first reconcile makes it; if a registry should be there, check --store and whether it is mounted"
        yield printable(f'There is no folder "{address.directory}": {made}.')
    yield printable(f"  next: {again.reconcile(settings)}")
