"""The files of a registry in Git as large as one likes: the public one's own, then the same under other names.

Where its data is not at hand they are made up: as many versions and platforms, but all alike.
"""

import json
import random
import re
from collections.abc import Iterator
from hashlib import sha256
from itertools import count, islice
from pathlib import Path

PUBLIC = 27_479  # packages of the public registry in January 2025
_PLATFORMS = ("darwin_amd64", "darwin_arm64", "linux_386", "linux_amd64", "linux_arm", "linux_arm64", "windows_amd64")
_PACKAGE = re.compile(r"(?:modules|providers)/.*\.json")

File = tuple[str, bytes]


def registry_files(packages: int, data: Path | None) -> Iterator[File]:
    """(path, content) of so many packages, in no order but always the same, and of the keys of their namespaces."""
    if data is None:
        yield from islice(_made_up(), packages)
        return
    paths = sorted(path.relative_to(data).as_posix() for path in data.glob("*/*/*/**/*.json"))
    paths = [path for path in paths if _PACKAGE.fullmatch(path)]
    random.Random(0).shuffle(paths)  # noqa: S311
    homes = set()
    for number in range(packages):
        turn, at = divmod(number, len(paths))
        letter, namespace = paths[at].split("/")[1:3]
        homes.add((letter, namespace, turn))
        yield _under(paths[at], namespace, turn), _renamed((data / paths[at]).read_bytes(), namespace, turn)
    for letter, namespace, turn in sorted(homes):
        for key in sorted((data / "keys" / letter / namespace).rglob("*.asc")):
            yield _under(key.relative_to(data).as_posix(), namespace, turn), key.read_bytes()


def with_one_more_version(content: bytes) -> bytes:
    """What the registry's own robot does when somebody releases: one more entry, in front."""
    package = json.loads(content)
    newest = dict(package["versions"][0])
    text = json.dumps(newest).replace(newest["version"].removeprefix("v"), "999.0.0")
    package["versions"].insert(0, json.loads(text))
    return json.dumps(package, indent=2).encode()


def _under(path: str, namespace: str, turn: int) -> str:
    return path.replace(f"/{namespace}/", f"/{namespace}-{turn}/", 1) if turn else path


def _renamed(content: bytes, namespace: str, turn: int) -> bytes:
    """Other URLs, so that no two packages are alike."""
    return content.replace(f"/{namespace}/".encode(), f"/{namespace}-{turn}/".encode()) if turn else content


def _made_up() -> Iterator[File]:
    for number in count():
        namespace = f"team{number // 20}"
        if number % 6:
            versions: list[dict[str, object]] = [{"version": f"v1.{minor}.0"} for minor in range(9, -1, -1)]
            path = f"modules/t/{namespace}/part-{number}/aws.json"
        else:
            versions = [_provider_version(f"{namespace}/terraform-provider-p{number}", minor) for minor in range(10)]
            path = f"providers/t/{namespace}/p{number}.json"
        yield path, json.dumps({"versions": versions}, indent=2).encode()


def _provider_version(repository: str, minor: int) -> dict[str, object]:
    version, name = f"1.{minor}.0", repository.partition("/")[2]
    home = f"https://github.com/{repository}/releases/download/v{version}/{name}_{version}_"
    targets = [
        {
            "os": platform.partition("_")[0],
            "arch": platform.partition("_")[2],
            "filename": f"{name}_{version}_{platform}.zip",
            "download_url": f"{home}{platform}.zip",
            "shasum": sha256(f"{home}{platform}".encode()).hexdigest(),
        }
        for platform in _PLATFORMS
    ]
    return {
        "version": version,
        "protocols": ["5.0"],
        "shasums_url": f"{home}SHA256SUMS",
        "shasums_signature_url": f"{home}SHA256SUMS.sig",
        "targets": targets,
    }
