import io
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitopsreg.upstream import zip_content
from tests.releases import a_zip, an_entry

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def digests(data: bytes) -> dict[str, str]:
    file = io.BytesIO(data)
    with zipfile.ZipFile(file) as archive, ThreadPoolExecutor(1) as beside:
        return {entry.filename: zip_content.digest(archive, file, entry, beside) for entry in archive.infolist()}


def packed(content: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    entry = an_entry("file")
    entry.compress_type = method
    return a_zip([("first", b"in front"), (entry, content), ("last", b"")])


@given(st.binary(max_size=2000), st.integers(1, 2000), st.sampled_from(METHODS))
@settings(max_examples=100, deadline=None)
def test_it_is_the_digest_of_what_was_packed(piece: bytes, times: int, method: int) -> None:
    content = piece * times
    assert digests(packed(content, method)) == {
        "first": sha256(b"in front").hexdigest(),
        "file": sha256(content).hexdigest(),
        "last": sha256(b"").hexdigest(),
    }


def test_what_unpacks_to_far_more_comes_in_small_pieces() -> None:
    """A chunk of zeros that were packed stands for a thousand times as many."""
    content = bytes(300 * 1024 * 1024)
    file = io.BytesIO(packed(content))
    with zipfile.ZipFile(file) as archive:
        sizes = [len(piece) for piece in zip_content._unpacked(file, archive.getinfo("file"))]
    assert sum(sizes) == len(content)
    assert max(sizes) <= 4 * 1024 * 1024


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("more", [-1, 1])
def test_a_size_that_is_not_the_real_one_is_refused(method: int, more: int) -> None:
    file = io.BytesIO(packed(b"x" * 1000, method))
    with zipfile.ZipFile(file) as archive, ThreadPoolExecutor(1) as beside:
        entry = archive.getinfo("file")
        entry.file_size += more
        with pytest.raises(zipfile.BadZipFile, match="size of 'file'"):
            zip_content.digest(archive, file, entry, beside)


def test_nothing_is_unpacked_past_the_declared_size() -> None:
    file = io.BytesIO(packed(bytes(100 * 1024 * 1024)))
    with zipfile.ZipFile(file) as archive:
        entry = archive.getinfo("file")
        entry.file_size = 10
        assert sum(map(len, zip_content._unpacked(file, entry))) <= 4 * 1024 * 1024


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_damage_in_front_of_the_directory_is_noticed_or_changes_nothing(data: st.DataObject) -> None:
    content = b"some content that is packed " * 20
    good = packed(content)
    at = data.draw(st.integers(0, good.index(b"PK\1\2") - 1))
    with suppress(zipfile.BadZipFile, EOFError, ValueError, NotImplementedError):
        found = digests(good[:at] + data.draw(st.binary(min_size=1, max_size=1)) + good[at + 1 :])
        assert found["file"] == sha256(content).hexdigest()
