"""How many bytes a version is before anybody fetches it: known where its content lies in a repository at hand."""

from gitopsreg.errors import UpstreamError
from gitopsreg.transport.git import Repository
from gitopsreg.upstream.base import Found


def size_in(repository: Repository, found: Found) -> int | None:
    """The files of the version's tree, unpacked; None where its tree is not here."""
    if not found.tree:
        return None
    try:
        return sum(
            repository.size(entry.oid) for entry in repository.walk(found.tree) if entry.mode in {"file", "executable"}
        )
    except UpstreamError:
        return None
