import io
import struct
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitopsreg.errors import IntegrityError
from gitopsreg.model.address import Platform
from gitopsreg.upstream.provider_zip import MAX_ENTRIES, MAX_UNPACKED, Inspected, inspect
from tests.releases import a_provider_zip, a_zip, an_entry

LINUX, WINDOWS = Platform("linux", "amd64"), Platform("windows", "amd64")
EXECUTABLE = an_entry("terraform-provider-foo_v1.0.0", mode=0o100755)
NAME = "terraform-provider-foo_1.0.0_linux_amd64.zip"


def inspected(data: bytes, platform: Platform = LINUX) -> Inspected:
    return inspect(io.BytesIO(data), name=NAME, provider_type="foo", platform=platform)


def refused(reason: str, data: bytes, platform: Platform = LINUX) -> str:
    with pytest.raises(IntegrityError) as caught:
        inspected(data, platform)
    assert caught.value.reason == reason
    assert f'"{NAME}"' in str(caught.value)
    return str(caught.value)


def with_entry(entry: zipfile.ZipInfo | str, content: bytes = b"") -> bytes:
    return a_zip([(EXECUTABLE, b"bin"), (entry, content)])


def test_h1_is_the_one_that_clients_compute() -> None:
    data = a_zip([(EXECUTABLE, b"bin"), ("docs/a.txt", b"a")])
    assert inspected(data) == Inspected("h1:2VXq1JCX9PUuyMTCSjeY4pBiXCdqcSVLmhAIvAkLUwU=", EXECUTABLE.filename)


def test_h1_sorts_by_bytes_and_reads_utf8_names() -> None:
    others = [(name, content.encode()) for name, content in {"é.txt": "5", "a/b": "3", "a-b": "4", "Z": "1"}.items()]
    assert inspected(a_zip([*others, (EXECUTABLE, b"b")])).h1 == "h1:awS54fNPkiRndbv2YODr3Dt81Wbo8Mg6DvYz9m/GDTk="


@pytest.mark.parametrize("name", ["", "_v1.0.0", "_v1.0.0_x5", ".exe", "_v1.0.0.exe"])
def test_every_name_that_clients_take_for_the_executable_is_taken(name: str) -> None:
    data = a_zip([(an_entry(f"terraform-provider-foo{name}", mode=0o100755), b"bin")])
    assert inspected(data).executable == f"terraform-provider-foo{name}"


@pytest.mark.pitfall(40)
def test_pitfall_40_executable_in_a_sub_folder_is_refused() -> None:
    message = refused("ArchiveInvalid", a_zip([(an_entry("dist/terraform-provider-foo", mode=0o100755), b"bin")]))
    assert "no executable" in message
    assert '"dist/terraform-provider-foo", which must lie at the root' in message


@pytest.mark.parametrize("name", ["README.md", "terraform-provider-foobar_v1.0.0", "terraform-provider-fo"])
def test_a_zip_without_the_provider_is_refused(name: str) -> None:
    assert '"terraform-provider-foo"' in refused("ArchiveInvalid", a_zip([(an_entry(name, mode=0o100755), b"bin")]))


def test_two_executables_are_refused() -> None:
    other = an_entry("terraform-provider-foo_v1.0.1", mode=0o100755)
    assert "more than one executable" in refused("ArchiveInvalid", with_entry(other))


def test_an_executable_that_can_not_be_started_is_refused() -> None:
    message = refused("ArchiveInvalid", a_zip([("terraform-provider-foo", b"bin")]))
    assert "chmod 0755" in message


def test_a_windows_build_needs_no_mode() -> None:
    assert inspected(a_zip([("terraform-provider-foo.exe", b"bin")]), WINDOWS).executable.endswith(".exe")


def test_a_zip_made_on_windows_has_no_mode_for_linux() -> None:
    entry = an_entry("terraform-provider-foo", mode=0o100755)
    entry.create_system = 0
    assert "executable bit" in refused("ArchiveInvalid", a_zip([(entry, b"bin")]))


@pytest.mark.pitfall(53)
def test_pitfall_53_directory_entry_is_refused() -> None:
    message = refused("UnsafeArchive", with_entry(an_entry("docs/", mode=0o040755)))
    assert "'docs/'" in message
    assert "zip -D" in message


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "a/../../evil",
        "..",
        "/etc/passwd",
        "C:/evil",
        "c:evil",
        "a\\b",
        "./a",
        "a//b",
        "a/./b",
        "a\nb",
        "\x7f",
    ],
)
def test_a_name_that_is_no_plain_relative_path_is_refused(name: str) -> None:
    assert repr(name) in refused("UnsafeArchive", with_entry(name))


def test_two_dots_inside_a_name_are_fine() -> None:
    assert inspected(with_entry("a..b")).executable == EXECUTABLE.filename


def test_a_name_cut_by_a_nul_is_refused() -> None:
    data = with_entry("evil_txt").replace(b"evil_txt", b"evil\0txt")
    assert "control characters" in refused("UnsafeArchive", data)


def test_an_empty_name_is_refused() -> None:
    assert "control characters" in refused("UnsafeArchive", with_entry("evil_txt").replace(b"evil_txt", b"\0vil_txt"))


def test_a_name_in_no_known_encoding_is_refused() -> None:
    data = with_entry("evil_txt").replace(b"evil_txt", b"evil\xfftxt")
    assert "UTF-8" in refused("UnsafeArchive", data)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["README.md", "readme.MD"])
def test_a_name_that_is_there_twice_is_refused(name: str) -> None:
    assert "twice" in refused("UnsafeArchive", a_zip([(EXECUTABLE, b"bin"), ("README.md", b"1"), (name, b"2")]))


def test_a_file_that_is_also_a_folder_is_refused() -> None:
    data = a_zip([(EXECUTABLE, b"bin"), ("docs", b"1"), ("docs/a.txt", b"2")])
    assert "file and folder" in refused("UnsafeArchive", data)


@pytest.mark.parametrize("kind", [0o120777, 0o010644, 0o060644], ids=["link", "pipe", "device"])
def test_what_is_no_regular_file_is_refused(kind: int) -> None:
    assert "symbolic link" in refused("UnsafeArchive", with_entry(an_entry("a", mode=kind), b"/etc/passwd"))


def test_an_encrypted_entry_is_refused() -> None:
    data = bytearray(with_entry("secret", b"x"))
    at = data.rindex(b"PK\x01\x02")
    struct.pack_into("<H", data, at + 8, 1)
    assert "password" in refused("UnsafeArchive", bytes(data))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_packing_that_clients_can_not_undo_is_refused(method: int) -> None:
    entry = an_entry("a")
    entry.compress_type = method
    assert "deflate" in refused("UnsafeArchive", with_entry(entry, b"x"))


def test_a_stored_entry_is_fine() -> None:
    entry = an_entry("a")
    entry.compress_type = zipfile.ZIP_STORED
    assert inspected(with_entry(entry, b"x")).executable == EXECUTABLE.filename


def test_a_zip_that_unpacks_to_far_more_than_itself_is_refused() -> None:
    message = refused("TooLarge", with_entry("zeros", bytes(100 * 1024**2)))
    assert "100 times" in message


def test_a_declared_size_past_all_bounds_is_refused_before_anything_is_unpacked() -> None:
    data = bytearray(with_entry("a", b"x"))
    for _ in range(2):
        at = data.rindex(b"PK\x01\x02")
        struct.pack_into("<L", data, at + 24, 2**32 - 2)
    assert str(MAX_UNPACKED) in refused("TooLarge", bytes(data))


def test_an_entry_that_is_larger_than_it_says_is_refused() -> None:
    data = bytearray(with_entry("a", b"x" * 1000))
    struct.pack_into("<L", data, data.rindex(b"PK\x01\x02") + 24, 10)
    refused("ArchiveInvalid", bytes(data))


def test_too_many_entries_are_refused_before_the_directory_is_read() -> None:
    data = bytearray(with_entry("a"))
    struct.pack_into("<HH", data, len(data) - 14, MAX_ENTRIES + 1, MAX_ENTRIES + 1)
    assert "at most" in refused("TooLarge", bytes(data))


def test_a_directory_that_hides_its_count_is_refused() -> None:
    data = a_zip((f"{number}", b"") for number in range(MAX_ENTRIES + 1))
    hidden = bytearray(data)
    struct.pack_into("<HH", hidden, len(hidden) - 14, 1, 1)
    assert str(MAX_ENTRIES) in refused("TooLarge", bytes(hidden))


def test_a_zip64_is_refused() -> None:
    data = with_entry("a")
    end = data.rindex(b"PK\x05\x06")
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1)
    assert "zip64" in refused("ArchiveInvalid", data[:end] + locator + data[end:])


def test_content_that_changed_after_packing_is_refused() -> None:
    entry = an_entry("a")
    entry.compress_type = zipfile.ZIP_STORED
    assert "CRC" in refused("ArchiveInvalid", with_entry(entry, b"needle").replace(b"needle", b"Needle", 1))


@pytest.mark.parametrize("data", [b"", b"PK", b"hello" * 100, a_provider_zip("linux_amd64")[:-30]])
def test_what_is_no_zip_is_refused(data: bytes) -> None:
    refused("ArchiveInvalid", data)


def test_an_archive_comment_is_fine() -> None:
    file = io.BytesIO(a_zip([(EXECUTABLE, b"bin")]))
    with zipfile.ZipFile(file, "a") as archive:
        archive.comment = b"made by hand, PK\x05\x06 and all"[:12]
    assert inspected(file.getvalue()).executable == EXECUTABLE.filename


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_any_damage_is_refused_with_our_error_or_changes_nothing(data: st.DataObject) -> None:
    good = a_zip([(EXECUTABLE, b"bin"), ("docs/a.txt", b"a")])
    at = data.draw(st.integers(0, len(good) - 1))
    damaged = good[:at] + data.draw(st.binary(min_size=1, max_size=4)) + good[at + 1 :]
    with suppress(IntegrityError):
        inspected(damaged)
