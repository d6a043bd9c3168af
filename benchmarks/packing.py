"""How fast modules are packed and provider zips are taken in, beside what a shell would do, in one run.

`python -m benchmarks.packing [--quick] [--json FILE]`. A ratio is the yardstick's time by ours: above 1 we are faster.
Needs git, gzip and sha256sum; openssl and unzip are compared with where they are.

The zips hold machine code (that of the libraries installed here), which packs like a provider does. sha256sum only has
to read the zip; to verify a provider every file in it must be unpacked and hashed too (the lock file's `h1:`), three to
four times as many bytes. So there are three yardsticks: the zip's own sum, the sums of the zip and of what is in it
(already unpacked: hashing the same bytes), and the sum of the zip and of what `unzip -p` writes (the same work).
"""

import random
import shutil
import site
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from benchmarks.result import Cell, Result, arguments, compared, shell
from gitopsreg.model.address import Platform
from gitopsreg.model.declaration import ProviderDeclaration
from gitopsreg.transport.git import Repository
from gitopsreg.upstream import provider_zip
from gitopsreg.upstream.archive import ArchiveFormat, pack
from gitopsreg.upstream.provider_release import verify
from gitopsreg.upstream.release_folder import find_releases
from gitopsreg.upstream.spool import Spool
from tests.releases import a_provider_declaration, a_signer, an_entry

MB = 1_000_000
# name: files, bytes of each
MODULES = {"100 files": (100, 3_000), "2,000 files": (2_000, 3_000), "20 MB": (400, 50_000)}
# name: bytes unpacked; they pack to about a third
ZIPS = {"20 MB": 62 * MB, "200 MB": 620 * MB}
PLATFORMS = ("darwin_amd64", "darwin_arm64", "linux_amd64", "linux_arm64")
WORDS = (  # noqa: SIM905  # a list of strings would be three times as long
    "variable resource data module output locals provider string number bool list map object default description type "
    "value for_each count tags name cidr_block private public enabled create merge try null true false aws_vpc"
).split()


def main() -> None:
    options = arguments(__doc__).parse_args()
    result = Result("packing")
    with tempfile.TemporaryDirectory() as folder:
        for name, (files, size) in MODULES.items():
            _packing(result, name, _module(Path(folder) / name, files, size), times=3 if options.quick else 9)
        for name, size in ZIPS.items():
            if not (options.quick and name == "200 MB"):
                _taking_in(result, name, Path(folder), size)
        _release(result, Path(folder))
    result.save(options.json)


def _packing(result: Result, name: str, repository: Path, times: int) -> None:
    tree = _git(repository, "rev-parse", "HEAD^{tree}")

    def ours(archive_format: ArchiveFormat) -> int:
        packed = pack(Repository(repository / ".git"), tree, subdirectory="", archive_format=archive_format).data
        sha256(packed).hexdigest()  # as every archive's
        return len(packed)

    works: dict[str, tuple[Callable[[], int], str]] = {
        "tar.gz, gzip -6": (lambda: ours("tar.gz"), f"git archive --format=tar {tree} | gzip -n -6"),
        "tar.gz, gzip -1": (lambda: ours("tar.gz"), f"git archive --format=tar {tree} | gzip -n -1"),
        "zip": (lambda: ours("zip"), f"git archive --format=zip {tree}"),
    }
    for yardstick, (work, command) in works.items():
        mine, theirs = compared(work, shell(command, repository), times=times)
        their_size = len(subprocess.run(command, shell=True, cwd=repository, check=True, capture_output=True).stdout)  # noqa: S602
        result.row(
            "Packing a module, compared with git archive",
            {
                "module": name, "compared with": yardstick, **_figures(mine, theirs),
                "our kB": work() / 1000, "their kB": their_size / 1000,
            },
        )  # fmt: skip


def _taking_in(result: Result, name: str, folder: Path, size: int) -> None:
    unpacked, packed = _a_zip(folder, size)

    def ours() -> None:
        with Spool(_pieces(packed), name=packed.name, limit=provider_zip.MAX_SIZE) as spool, spool.file() as file:
            platform = Platform.parse("linux_amd64")
            provider_zip.inspect(file, name=packed.name, provider_type="hello", platform=platform)

    _compare(result, f"a zip of {name}", folder, ours, [packed.name], unpacked.name)


def _release(result: Result, folder: Path) -> None:
    """All of a release's zips, through the gate: its signature and checksums too."""
    unpacked, packed = _a_zip(folder, ZIPS["20 MB"])
    home = folder / "release"
    home.mkdir()
    prefix = "terraform-provider-hello_1.0.0"
    names = [f"{prefix}_{platform}.zip" for platform in PLATFORMS]
    for name in names:
        shutil.copy(packed, home / name)
    digest = sha256(packed.read_bytes()).hexdigest()
    sums = "".join(f"{digest}  {name}\n" for name in names).encode()
    (home / f"{prefix}_SHA256SUMS").write_bytes(sums)
    (home / f"{prefix}_SHA256SUMS.sig").write_bytes(a_signer().sign(sums))
    release = find_releases(home)[0]
    declaration: ProviderDeclaration = replace(a_provider_declaration(), protocols=("5.0",))
    shutil.copy(unpacked, home / unpacked.name)

    def ours() -> None:
        verify(declaration, release.version, release.files).close()

    _compare(result, f"a release of {len(names)} such zips", home, ours, names, unpacked.name)


def _compare(result: Result, what: str, folder: Path, ours: Callable[[], None], zips: list[str], unpacked: str) -> None:
    listed = " ".join(zips)
    yardsticks = {
        "sha256sum ZIP": f"sha256sum {listed}",
        "sha256sum of ZIP and CONTENT (same bytes)": f"sha256sum {listed} {' '.join([unpacked] * len(zips))}",
    }
    if shutil.which("openssl"):
        yardsticks["openssl dgst -sha256 ZIP"] = f"openssl dgst -sha256 {listed}"
    if shutil.which("unzip"):
        each = "; ".join(f"unzip -p {name} | sha256sum" for name in zips)
        yardsticks["sha256sum, unzip -p, sha256sum (same work)"] = f"sha256sum {listed}; {each}"
    mine, *theirs = compared(ours, *(shell(command, folder) for command in yardsticks.values()), times=5)
    for yardstick, their in zip(yardsticks, theirs, strict=True):
        table = "Taking in a provider's zips, compared with sha256sum"
        result.row(table, {"what": what, "compared with": yardstick, **_figures(mine, their)})


def _figures(mine: tuple[float, float], theirs: tuple[float, float]) -> dict[str, Cell]:
    """Of (seconds on the wall, of CPU)."""
    return {
        "our ms": mine[0] * 1000, "their ms": theirs[0] * 1000, "ratio": theirs[0] / mine[0],
        "our CPU ms": mine[1] * 1000, "their CPU ms": theirs[1] * 1000, "CPU ratio": theirs[1] / mine[1],
    }  # fmt: skip


def _module(folder: Path, files: int, size: int) -> Path:
    """Configuration that nobody wrote; one file in ten calls a neighbour."""
    chance = random.Random(1)  # noqa: S311
    for number in range(files):
        file = folder / "modules" / f"part-{number // 20}" / f"file-{number % 20}.tf"
        file.parent.mkdir(parents=True, exist_ok=True)
        call = 'module "near" {\n  source = "../part-0"\n}\n' if number % 10 == 0 else ""
        file.write_text(call + _configuration(chance, size))
    (folder / "main.tf").write_text('module "first" {\n  source = "./modules/part-0"\n}\n')
    _git(folder, "init", "--quiet")
    _git(folder, "add", "--all")
    _git(folder, "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "--message", "all")
    _git(folder, "gc", "--quiet")
    return folder


def _configuration(chance: random.Random, size: int) -> str:
    blocks: list[str] = []
    while sum(map(len, blocks)) < size:
        first, second, third = chance.choices(WORDS, k=3)
        text = " ".join(chance.choices(WORDS, k=8))
        name = f"{second}_{chance.randrange(999)}"
        blocks.append(f'{first} "{name}" {{\n  {third} = {second}.{first}\n  description = "{text}"\n}}\n\n')
    return "".join(blocks)


def _a_zip(folder: Path, size: int) -> tuple[Path, Path]:
    """(what is in it, the zip), made once."""
    unpacked, packed = folder / f"{size}.bin", folder / f"{size}.zip"
    if not packed.exists():
        with unpacked.open("wb") as file:
            for piece in _machine_code(size):
                file.write(piece)
        executable = an_entry("terraform-provider-hello_v1.0.0", mode=0o100755)
        with zipfile.ZipFile(packed, "w") as archive:
            executable._compresslevel = 3  # type: ignore[attr-defined]  # noqa: SLF001  # three times as quick as the usual level
            with unpacked.open("rb") as source, archive.open(executable, "w") as entry:
                shutil.copyfileobj(source, entry, MB)
            archive.writestr(an_entry("LICENSE"), "Do as you like.\n" * 500)
    return unpacked, packed


def _machine_code(size: int) -> Iterator[bytes]:
    libraries = sorted(path for home in site.getsitepackages() for path in Path(home).rglob("*.so"))
    while size > 0:
        for library in libraries:
            piece = library.read_bytes()[:size]
            size -= len(piece)
            yield piece


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(MB):
            yield piece


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


if __name__ == "__main__":
    main()
