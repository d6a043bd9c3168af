import gzip
import hashlib
import io
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from posixpath import dirname, relpath
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitopsreg.errors import IntegrityError
from gitopsreg.transport.git import Repository
from gitopsreg.upstream.archive import ArchiveFormat, PackedModule, pack
from tests.repositories import a_repository, commit, git, raw_tree, tree_of

FORMATS: tuple[ArchiveFormat, ...] = get_args(ArchiveFormat)
Unpacked = dict[str, tuple[bytes, int]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return a_repository(tmp_path / "repository")


def packed(folder: Path, subdirectory: str = "", archive_format: ArchiveFormat = "tar.gz") -> PackedModule:
    return pack(Repository(folder), tree_of(folder), subdirectory=subdirectory, archive_format=archive_format)


def unpacked(module: PackedModule) -> Unpacked:
    """Name → (content, mode); every entry must be a regular file."""
    if module.data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(module.data)) as archive:
            assert archive.testzip() is None
            infos = archive.infolist()
            assert len({info.filename for info in infos}) == len(infos)
            assert all(info.external_attr >> 28 == 0o10 for info in infos)
            return {info.filename: (archive.read(info), (info.external_attr >> 16) & 0o7777) for info in infos}
    with tarfile.open(fileobj=io.BytesIO(module.data)) as tar:
        members = tar.getmembers()
        assert all(member.isreg() for member in members)
        return {m.name: (file.read(), m.mode) for m in members if (file := tar.extractfile(m))}


def names(module: PackedModule) -> list[str]:
    return list(unpacked(module))


def refusal(folder: Path, subdirectory: str = "") -> IntegrityError:
    with pytest.raises(IntegrityError) as caught:
        packed(folder, subdirectory)
    return caught.value


GOLDEN: Mapping[str, str | bytes] = {
    "main.tf": 'variable "x" {}\n' * 50,
    "README.md": "# Golden\n",
    "modules/a/main.tf": "",
    "modules/a/link.tf": "-> ../../main.tf",
    "deep/" + "folder/" * 12 + "a-file-with-a-long-name-beyond-the-header.txt": b"\0\1\2" * 100,
    "é.txt": "accents",
    "linked": "-> modules/a",
}
GOLDEN_SHA256 = {
    "tar.gz": "fa8cbbd50178999044e14ca18505e432086e46b8b1754dc9a9e251bf694d4abb",
    "zip": "4f673df4fe46211309090536a0b5e8818f700038c8897f9db18d50ba6606e594",
}


@pytest.mark.parametrize("archive_format", FORMATS)
def test_the_same_tree_is_the_same_bytes_everywhere(folder: Path, archive_format: ArchiveFormat) -> None:
    """If this fails, every archive that anybody ever published changes its checksum: it must not."""
    commit(folder, GOLDEN)
    git(folder, "update-index", "--chmod=+x", "README.md")
    git(folder, "commit", "--quiet", "--message", "a mode")
    assert (
        hashlib.sha256(packed(folder, archive_format=archive_format).data).hexdigest() == GOLDEN_SHA256[archive_format]
    )


@pytest.mark.parametrize("archive_format", FORMATS)
def test_time_place_and_history_do_not_matter(folder: Path, tmp_path: Path, archive_format: ArchiveFormat) -> None:
    other = a_repository(tmp_path / "other")
    commit(folder, {"main.tf": "# x", "a/b": "b"})
    commit(other, {"module/old": "x"}, time="2020-01-01T00:00:00Z")
    (other / "module/old").unlink()
    commit(other, {"module/main.tf": "# x", "module/a/b": "b"}, time="2021-01-01T00:00:00Z")
    first, second = packed(folder, archive_format=archive_format), packed(other, "module", archive_format)
    assert first == second


def test_gzip_names_no_time_and_no_system(folder: Path) -> None:
    commit(folder, {"main.tf": "# x"})
    assert packed(folder).data[:10] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


@pytest.mark.parametrize("archive_format", FORMATS)
def test_times_owners_and_order_are_fixed(folder: Path, archive_format: ArchiveFormat) -> None:
    commit(folder, {"main.tf": "# x", "b": "b", "a/c": "c", "a.c": "d"})
    data = packed(folder, archive_format=archive_format).data
    if archive_format == "zip":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
            assert archive.namelist() == ["a.c", "a/c", "b", "main.tf"]
    else:
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            assert {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in tar.getmembers()} == {(315532800, 0, 0, "", "")}
            assert tar.getnames() == ["a.c", "a/c", "b", "main.tf"]


def test_system_tools_unpack_it(folder: Path, tmp_path: Path) -> None:
    commit(folder, GOLDEN)
    target = tmp_path / "target"
    target.mkdir()
    subprocess.run(["tar", "-xzf", "-", "-C", str(target)], input=packed(folder).data, check=True)
    listed = {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()}
    assert listed == set(names(packed(folder)))


@pytest.mark.pitfall(18)
@pytest.mark.parametrize("archive_format", FORMATS)
def test_pitfall_18_links_are_replaced_by_their_content(folder: Path, archive_format: ArchiveFormat) -> None:
    commit(
        folder,
        {
            "shared/versions.tf": "terraform {}",
            "shared/own.tf": "-> versions.tf",
            "main.tf": "-> shared/versions.tf",
            "chain.tf": "-> middle.tf",
            "middle.tf": "-> ./shared/../main.tf",
            "folder": "-> shared",
            "through.tf": "-> folder/own.tf",
        },
    )
    files = unpacked(packed(folder, archive_format=archive_format))
    assert set(files) == {
        "chain.tf", "folder/own.tf", "folder/versions.tf", "main.tf", "middle.tf", "shared/own.tf",
        "shared/versions.tf", "through.tf",
    }  # fmt: skip
    assert {content for content, _ in files.values()} == {b"terraform {}"}


@pytest.mark.pitfall(19)
@pytest.mark.parametrize("archive_format", FORMATS)
def test_pitfall_19_there_is_no_folder_around_the_module(folder: Path, archive_format: ArchiveFormat) -> None:
    commit(folder, {"main.tf": "# x", "modules/a/main.tf": "# a"})
    module = packed(folder, archive_format=archive_format)
    assert (names(module), module.subdirectory) == (["main.tf", "modules/a/main.tf"], "")


def test_modes_are_normal(folder: Path) -> None:
    commit(folder, {"main.tf": "# x", "run.sh": "x"})
    git(folder, "update-index", "--chmod=+x", "run.sh")
    git(folder, "commit", "--quiet", "--message", "a mode")
    for archive_format in FORMATS:
        files = unpacked(packed(folder, archive_format=archive_format))
        assert {name: mode for name, (_, mode) in files.items()} == {"main.tf": 0o644, "run.sh": 0o755}


def test_control_files_of_git_are_kept_and_not_obeyed(folder: Path) -> None:
    commit(folder, {"main.tf": "# x", ".gitattributes": "*.md export-ignore", "a.md": "a", ".github/x": "x"})
    assert names(packed(folder)) == [".gitattributes", ".github/x", "a.md", "main.tf"]


class TestLinksThatAreRefused:
    @pytest.mark.parametrize(
        ("target", "says"),
        [
            ("../outside", "outside of what is packed"),
            ("a/../../outside", "outside of what is packed"),
            ("/etc/passwd", "relative to the link"),
            ("nothing", "does not exist"),
            ("main.tf/x", "does not exist"),
            ("main.tf/../a/b", "does not exist"),
            ("link", "circle"),
            ("other", "circle"),
            (".", "leads into itself"),
            ("a/..", "leads into itself"),
        ],
    )
    def test_with_link_and_target_named(self, folder: Path, target: str, says: str) -> None:
        commit(folder, {"main.tf": "# x", "a/b": "b", "link": f"-> {target}", "other": "-> link"})
        error = refusal(folder)
        assert error.reason == "UnsafeArchive"
        assert says in str(error)
        assert "'link'" in str(error) or "'other'" in str(error)

    def test_folders_that_link_to_each_other(self, folder: Path) -> None:
        commit(folder, {"main.tf": "# x", "a/to": "-> ../b", "b/to": "-> ../a"})
        assert "leads into itself" in str(refusal(folder))

    def test_to_a_submodule(self, folder: Path) -> None:
        oid = commit(folder, {"main.tf": "# x"})
        git(folder, "update-index", "--add", "--cacheinfo", f"160000,{oid},module")
        git(folder, "commit", "--quiet", "--message", "a submodule")
        assert "submodule" in str(refusal(folder))

    def test_links_that_multiply_end(self, folder: Path) -> None:
        """Ten links to a folder with ten links to a folder …: 10^12 files in a few hundred bytes."""
        files: dict[str, str | bytes] = {"main.tf": "# x", "d0/file": "x"}
        for level in range(1, 13):
            files |= {f"d{level}/l{n}": f"-> ../d{level - 1}" for n in range(10)}
        commit(folder, files)
        assert refusal(folder).reason in {"TooLarge", "UnsafeArchive"}

    def test_links_to_links_that_multiply_end(self, folder: Path) -> None:
        files: dict[str, str | bytes] = {"main.tf": "# x", "l0/file": "x"}
        files |= {f"l{n}": f"-> l{n - 1}/../l{n - 1}/../l{n - 1}" for n in range(1, 41)}
        commit(folder, files)
        assert "leads through more than" in str(refusal(folder))

    def test_links_that_take_long_to_follow(self, folder: Path) -> None:
        """A few kilobytes of them could keep a walker busy for hours."""
        winding = b"d/../" * 200 + b"main.tf"
        inner = raw_tree(folder, [("100644", b"x", b"x")])
        entries: list[tuple[str, bytes, bytes | str]] = [("100644", b"main.tf", b"# x"), ("40000", b"d", inner)]
        entries += [("120000", b"%04d" % number, winding) for number in range(1_000)]
        tree = raw_tree(folder, entries)
        with pytest.raises(IntegrityError, match="takes too long to read") as caught:
            pack(Repository(folder), tree, subdirectory="", archive_format="zip")
        assert caught.value.reason == "TooLarge"

    def test_a_long_target(self, folder: Path) -> None:
        commit(folder, {"main.tf": "# x", "link": "-> " + "./" * 600 + "main.tf"})
        assert refusal(folder).reason == "TooLarge"


def test_many_links_through_the_same_ones_are_followed_once(folder: Path) -> None:
    many = raw_tree(folder, [("120000", b"%05d" % number, b"../c39") for number in range(8_000)])
    top: list[tuple[str, bytes, bytes | str]] = [("100644", b"main.tf", b"# x"), ("100644", b"c0", b"x")]
    top += [("120000", b"c%d" % number, b"c%d" % (number - 1)) for number in range(1, 40)]
    tree = raw_tree(folder, [*top, ("40000", b"many", many)])
    module = pack(Repository(folder), tree, subdirectory="", archive_format="zip")
    assert len(names(module)) == 8_041


@pytest.mark.parametrize("subdirectory", ["c#", "50%25", "a?b", "a//b", "a\nb", "a\\b", "a\x85b"])
def test_a_folder_that_no_address_could_name_is_refused(folder: Path, subdirectory: str) -> None:
    commit(folder, {f"{subdirectory}/main.tf": "# x"})
    error = refusal(folder, subdirectory)
    assert error.reason == "UnsafeArchive"
    assert "can't be a module's: rename it without" in str(error)


@pytest.mark.parametrize("name", [b"a\\b", b"a\nb", b"a\x7fb", b"\xff", b"a\xc2\x85b", b"x" * 1100])
def test_a_name_that_is_unsafe_to_unpack_is_refused(folder: Path, name: bytes) -> None:
    tree = raw_tree(folder, [("100644", b"main.tf", b"# x"), ("100644", name, b"x")])
    with pytest.raises(IntegrityError) as caught:
        pack(Repository(folder), tree, subdirectory="", archive_format="tar.gz")
    assert caught.value.reason == "UnsafeArchive"


def test_names_that_differ_in_case_only_are_let_through(folder: Path) -> None:
    tree = raw_tree(folder, [("100644", b"Main.tf", b"1"), ("100644", b"main.tf", b"2")])
    module = pack(Repository(folder), tree, subdirectory="", archive_format="zip")
    assert names(module) == ["Main.tf", "main.tf"]


def test_too_many_files_are_refused(folder: Path) -> None:
    blob = raw_tree(folder, [("100644", b"%05d.tf" % number, b"") for number in range(1000)])
    tree = raw_tree(folder, [("40000", b"%03d" % number, blob) for number in range(51)])
    with pytest.raises(IntegrityError) as caught:
        pack(Repository(folder), tree, subdirectory="", archive_format="tar.gz")
    assert caught.value.reason == "TooLarge"


def test_too_many_bytes_are_refused(folder: Path) -> None:
    """One blob of a megabyte, 257 times: small on the wire, large unpacked."""
    large = raw_tree(folder, [("100644", b"a", bytes(1024 * 1024))])
    tree = raw_tree(folder, [("40000", b"%03d" % number, large) for number in range(257)])
    with pytest.raises(IntegrityError) as caught:
        pack(Repository(folder), tree, subdirectory="", archive_format="tar.gz")
    assert caught.value.reason == "TooLarge"


@pytest.mark.parametrize("name", ["main.tf", "main.tf.json", "main.tofu", "main.tofu.json"])
def test_any_configuration_file_makes_a_module(folder: Path, name: str) -> None:
    commit(folder, {name: "{}"})
    assert names(packed(folder)) == [name]


def test_a_folder_without_configuration_is_no_module(folder: Path) -> None:
    commit(folder, {"README.md": "x", "modules/a/main.tf": "# a", "docs/x": "x"})
    for subdirectory in ("", "docs"):
        error = refusal(folder, subdirectory)
        assert error.reason == "IncompleteRelease"
        assert "holds no *.tf or *.tofu file" in str(error)


def test_a_missing_folder_is_said_so(folder: Path) -> None:
    commit(folder, {"main.tf": "# x", "link": "-> ."})
    for subdirectory in ("none", "main.tf", "link"):
        error = refusal(folder, subdirectory)
        assert error.reason == "IncompleteRelease"
        assert f'no folder "{subdirectory}"' in str(error)


class TestSubdirectories:
    def test_a_folder_that_keeps_to_itself_is_packed_alone(self, folder: Path) -> None:
        commit(folder, {"vpc/main.tf": 'module "a" {\n  source = "./a"\n}', "vpc/a/main.tf": "# a", "other/x": "x"})
        module = packed(folder, "vpc")
        assert (names(module), module.subdirectory) == (["a/main.tf", "main.tf"], "")
        assert module.tree == tree_of(folder, "vpc")

    def test_one_that_calls_a_sibling_brings_the_repository(self, folder: Path) -> None:
        commit(folder, {"vpc/main.tf": 'module "s" {\n  source = "../shared"\n}', "shared/main.tf": "# s"})
        module = packed(folder, "vpc")
        assert (names(module), module.subdirectory) == (["shared/main.tf", "vpc/main.tf"], "vpc")
        assert module.tree == tree_of(folder)

    def test_one_that_calls_a_sibling_in_json_too(self, folder: Path) -> None:
        commit(folder, {"vpc/main.tf.json": '{"module": {"s": {"source": "../shared"}}}', "shared/main.tf": "# s"})
        assert packed(folder, "vpc").subdirectory == "vpc"

    def test_one_that_links_to_a_sibling_brings_the_repository(self, folder: Path) -> None:
        commit(folder, {"vpc/main.tf": "# x", "vpc/versions.tf": "-> ../shared/versions.tf", "shared/versions.tf": "v"})
        module = packed(folder, "vpc")
        assert module.subdirectory == "vpc"
        assert unpacked(module)["vpc/versions.tf"][0] == b"v"

    def test_a_link_out_and_back_in_keeps_to_itself(self, folder: Path) -> None:
        commit(folder, {"vpc/main.tf": "# x", "vpc/a/link.tf": "-> ../main.tf"})
        assert packed(folder, "vpc").subdirectory == ""

    @pytest.mark.parametrize("subdirectory", ["", "vpc"])
    def test_a_call_out_of_the_repository_is_refused(self, folder: Path, subdirectory: str) -> None:
        source = "../../other" if subdirectory else "../other"
        text = f'module "a" {{\n  source = "./a"\n}}\nmodule "o" {{\n  source = "{source}"\n}}'
        commit(folder, {f"{subdirectory}/main.tf".lstrip("/"): text})
        error = refusal(folder, subdirectory)
        assert error.reason == "UnsafeArchive"
        assert source in str(error)

    def test_a_call_out_of_the_repository_from_a_called_module_is_refused(self, folder: Path) -> None:
        commit(
            folder,
            {
                "main.tf": 'module "a" {\n  source = "./modules/a"\n}',
                "modules/a/main.tf": 'module "o" {\n  source = "../../../other"\n}',
            },
        )
        assert "modules/a/main.tf" in str(refusal(folder))

    def test_an_example_may_call_whatever_it_likes(self, folder: Path) -> None:
        example = 'module "o" {\n  source = "../../../other"\n}'
        commit(folder, {"main.tf": "# x", "examples/a/main.tf": example})
        assert packed(folder).subdirectory == ""


SEGMENT = st.text("abc.-é 0", min_size=1, max_size=3).filter(lambda name: name not in {".", ".."})
PATH = st.lists(SEGMENT, min_size=1, max_size=4).map("/".join)
CONTENT = st.binary(max_size=40)


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(PATH, st.tuples(CONTENT, st.booleans()), max_size=8),
    st.dictionaries(PATH, st.integers(0, 100), max_size=3),
    st.sampled_from(FORMATS),
)
def test_an_unpacked_archive_is_exactly_the_tree(
    files: dict[str, tuple[bytes, bool]], links: dict[str, int], archive_format: ArchiveFormat
) -> None:
    plain = {
        path: file for path, file in files.items() if not any(_clash(path, other) for other in files.keys() - {path})
    }
    plain["main.tf"] = (b"# x", False)
    targets = sorted(plain)
    pointing = {
        path: targets[number % len(targets)]
        for path, number in links.items()
        if not any(_clash(path, other) for other in [*plain, *(link for link in links if link != path)])
    }
    with tempfile.TemporaryDirectory() as temporary:
        folder = a_repository(Path(temporary) / "repository")
        words: dict[str, str | bytes] = {
            path: f"-> {relpath(target, dirname(path) or '.')}" for path, target in pointing.items()
        }
        commit(folder, words | {path: content for path, (content, _) in plain.items()})
        for path in (path for path, (_, executable) in plain.items() if executable):
            git(folder, "update-index", "--chmod=+x", "--", path)
        git(folder, "commit", "--quiet", "--allow-empty", "--message", "modes")
        first, second = (packed(folder, archive_format=archive_format) for _ in range(2))
    assert first.data == second.data
    expected = {path: (content, 0o755 if executable else 0o644) for path, (content, executable) in plain.items()}
    expected |= {path: expected[target] for path, target in pointing.items()}
    assert unpacked(first) == expected


def _clash(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")


NAME = st.binary(min_size=1, max_size=6).filter(lambda name: b"\0" not in name)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["100644", "120000", "100755"]), NAME, CONTENT), max_size=4))
def test_whatever_is_accepted_stays_inside(entries: list[tuple[str, bytes, bytes]]) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = a_repository(Path(temporary) / "repository")
        tree = raw_tree(folder, [("100644", b"main.tf", b"# x"), *entries])
        try:
            module = pack(Repository(folder), tree, subdirectory="", archive_format="tar.gz")
        except IntegrityError:
            return
        target = Path(temporary) / "target"
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(module.data))) as tar:
            tar.extractall(target, filter="data")
        for name in names(module):
            assert (target / name).resolve().is_relative_to(target.resolve())
            assert not name.startswith("/")
            assert ".." not in name.split("/")
