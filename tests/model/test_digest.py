from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.errors import InvalidName
from gitopsreg.model.digest import Sha256, h1
from gitopsreg.storage.base import check_key

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_the_digest_of_nothing() -> None:
    digest = Sha256.of(b"")
    assert digest.hex == EMPTY
    assert str(digest) == f"sha256:{EMPTY}"
    assert digest.zh == f"zh:{EMPTY}"


@given(st.binary())
def test_a_digest_reads_back(data: bytes) -> None:
    digest = Sha256.of(data)
    assert Sha256.parse(str(digest)) == Sha256.parse(digest.hex.upper()) == digest
    assert check_key(f"blobs/{digest.hex}")


@pytest.mark.parametrize("text", ["", "sha256:", "abc", EMPTY[:-1], EMPTY + "0", "g" + EMPTY[1:], EMPTY + "\n", "../x"])
def test_what_is_no_digest_is_refused(text: str) -> None:
    with pytest.raises(InvalidName, match="is not a sha256: write 64 lower-case hex digits"):
        Sha256.parse(text)


def test_a_digest_in_hand_is_lower_case() -> None:
    with pytest.raises(InvalidName):
        Sha256(EMPTY.upper())


def entries(**contents: str) -> list[tuple[str, str]]:
    return [(name, sha256(content.encode()).hexdigest()) for name, content in contents.items()]


# Seen in lock files that a real client wrote.
VECTORS = {
    "files": (
        {"terraform-provider-foo_v1.0.0": "bin", "docs/a.txt": "a"},
        "h1:2VXq1JCX9PUuyMTCSjeY4pBiXCdqcSVLmhAIvAkLUwU=",
    ),
    "a zip with a directory entry": (
        {"terraform-provider-foo_v1.0.0": "bin", "docs/a.txt": "a", "docs/": ""},
        "h1:aCip6HUZDqmtKeRrt1Ly4wkle8qweKUtquB8UFLowLw=",
    ),
    "names sorted by bytes": (
        {"terraform-provider-foo_v1.0.0": "b", "Z": "1", "a-b": "4", "a/b": "3", "é.txt": "5"},
        "h1:awS54fNPkiRndbv2YODr3Dt81Wbo8Mg6DvYz9m/GDTk=",
    ),
    "no entries": ({}, "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
}


@pytest.mark.parametrize("case", VECTORS)
def test_h1_is_what_clients_compute(case: str) -> None:
    contents, expected = VECTORS[case]
    assert h1(entries(**contents)) == expected
    assert h1(reversed(entries(**contents))) == expected


@given(st.dictionaries(st.text(st.characters(codec="utf-8", exclude_characters="\n")), st.text()))
def test_h1_does_not_depend_on_the_order(contents: dict[str, str]) -> None:
    pairs = entries(**contents)
    assert h1(sorted(pairs)) == h1(sorted(pairs, reverse=True))


@pytest.mark.parametrize(("name", "right"), [("a\nb", "may hold no newline"), ("a\udcff", "must be UTF-8")])
def test_h1_refuses_a_name_it_cannot_hash(name: str, right: str) -> None:
    with pytest.raises(InvalidName, match=right):
        h1([(name, EMPTY)])


@pytest.mark.pitfall(53)
def test_pitfall_53_a_directory_entry_changes_the_h1() -> None:
    files, _ = VECTORS["files"]
    with_directory, _ = VECTORS["a zip with a directory entry"]
    assert h1(entries(**files)) != h1(entries(**with_directory))
