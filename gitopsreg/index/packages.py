"""The packages of a snapshot: decoded when they are asked for, and only the last few stay decoded.

Decoded they take ten times what their packed documents do, and most are hardly ever asked for.
"""

from collections import OrderedDict
from collections.abc import ItemsView, Iterator, Mapping, Sequence, ValuesView
from threading import Lock

from gitopsreg.errors import StorageError
from gitopsreg.index import codec
from gitopsreg.index.documents import Document, Documents
from gitopsreg.index.keys import package_key
from gitopsreg.index.model import Package
from gitopsreg.index.reading import checked, decoded
from gitopsreg.index.side_by_side import JOBS, in_slices
from gitopsreg.model.address import ModuleAddress, PackageAddress, ProviderAddress
from gitopsreg.model.digest import Sha256
from gitopsreg.storage.base import BlobReader

_BUDGET = 16 * 1024 * 1024  # bytes of documents whose packages stay decoded, which takes about thrice as much
_SMALL = 4 * 1024  # bytes packed: decoding so little takes a millisecond


class Recent:
    """The packages that were decoded last, by their documents' digests. Safe for threads."""

    def __init__(self, budget: int = _BUDGET) -> None:
        self._budget = self._left = budget
        self._packages: OrderedDict[Sha256, tuple[Package, int]] = OrderedDict()
        self._lock = Lock()

    def find(self, digest: Sha256) -> Package | None:
        with self._lock:
            found = self._packages.get(digest)
            if found is None:
                return None
            self._packages.move_to_end(digest)
            return found[0]

    def keep(self, digest: Sha256, package: Package, size: int) -> None:
        """`size` is the document's, in bytes. Nothing that alone would take all of the room."""
        with self._lock:
            if size > self._budget or digest in self._packages:
                return
            self._packages[digest] = package, size
            self._left -= size
            while self._left < 0:
                self._left += self._packages.popitem(last=False)[1][1]


class Source:
    """Where documents come from that were not read yet. Snapshots that follow each other share what is decoded."""

    def __init__(self, reader: BlobReader, known: "Source | None" = None) -> None:
        self._reader = reader
        self.recent: Recent = known.recent if known else Recent()

    def decode(self, document: Document) -> tuple[Package, int]:
        """The package and its document's size. Raises StorageError."""
        data = self.read(document)
        entry = document.entry
        key = package_key(entry.digest)
        package = decoded(key, data, codec.decode_package)
        if package.address != entry.address:
            raise StorageError(f'"{key}" is "{package.address}", not "{entry.address}"')
        return package, len(data)

    def read(self, document: Document) -> bytes:
        """The document's bytes; the first time from the store, and then they are held. Raises StorageError."""
        data = document.data
        if data is None:
            key = package_key(document.entry.digest)
            data = checked(key, self._reader.get(key), document.entry.digest, bytes)
            document.hold(data)
        return data

    def prove(self, document: Document) -> None:
        """Read it, if it was not, and see that it is this package's, without decoding it. Raises StorageError."""
        if document.packed is None and not self.read(document).startswith(_beginning(document)):
            document.packed = None
            self.decode(document)  # says what it is


def _beginning(document: Document) -> bytes:
    """How the canonical document of the package begins: no name of a field comes before its address."""
    return b'{"address":"%b",' % str(document.entry.address).encode()


class Packages(Mapping[PackageAddress, Package]):
    """Packages by address, in the order of addresses' text. Going through all of them keeps none.

    What was not read yet is read from the store, then and there: any look-up may raise StorageError. The same package
    asked for twice may be two objects; whether a package changed its entry's digest tells.
    """

    def __init__(self, documents: Documents, source: Source) -> None:
        self.documents = documents
        self.source = source

    def __getitem__(self, address: PackageAddress) -> Package:
        document = self.documents.find(address)
        if document is None:
            raise KeyError(address)
        package = self.source.recent.find(document.entry.digest)
        if package is None:
            package, size = self.source.decode(document)
            self.source.recent.keep(document.entry.digest, package, size)
        return package

    def __contains__(self, address: object) -> bool:
        return isinstance(address, (ModuleAddress, ProviderAddress)) and self.documents.find(address) is not None

    def __iter__(self) -> Iterator[PackageAddress]:
        return (document.entry.address for document in self.documents)

    def __len__(self) -> int:
        return len(self.documents)

    def values(self) -> ValuesView[Package]:
        return _Values(self)

    def items(self) -> ItemsView[PackageAddress, Package]:
        return _Items(self)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Packages):
            return _digests(self) == _digests(other)
        return super().__eq__(other)

    __hash__ = None  # type: ignore[assignment]  # as other mappings

    def __repr__(self) -> str:
        return f"<{len(self)} packages>"

    def is_quick(self, address: PackageAddress) -> bool:
        """Whether a look-up takes no time to speak of: it asks no store, and decodes little."""
        document = self.documents.find(address)
        if document is None or (document.packed is not None and len(document.packed) <= _SMALL):
            return True
        return self.source.recent.find(document.entry.digest) is not None

    def fill(self, documents: Sequence[Document] | None = None, *, jobs: int = JOBS, spare: int = 0) -> None:
        """Read and prove these, or all that were not read yet. Up to `spare` that can't be read stay unread; one more
        ends it: StorageError.
        """
        wanted = self.documents.unread() if documents is None else documents
        missed: list[StorageError] = []

        def prove(document: Document) -> None:
            try:
                self.source.prove(document)
            except StorageError as error:
                missed.append(error)
                if len(missed) > spare:
                    raise

        with in_slices(prove, wanted, jobs=jobs) as proven:
            for _ in proven:
                pass

    def each(self) -> Iterator[tuple[PackageAddress, Package]]:
        self.fill()
        for document in self.documents:
            package = self.source.recent.find(document.entry.digest) or self.source.decode(document)[0]
            yield document.entry.address, package


class _Values(ValuesView[Package]):
    _mapping: Packages

    def __iter__(self) -> Iterator[Package]:
        return (package for _, package in self._mapping.each())


class _Items(ItemsView[PackageAddress, Package]):
    _mapping: Packages

    def __iter__(self) -> Iterator[tuple[PackageAddress, Package]]:
        return self._mapping.each()


def _digests(packages: Packages) -> dict[PackageAddress, Sha256]:
    return {document.entry.address: document.entry.digest for document in packages.documents}
