"""People who push to their repositories, and the registry as they see it: what `commit_to_served` measures."""

import http.client
import json
import random
import re
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from benchmarks.bare_repository import BareRepository
from benchmarks.world import World

SECRET = "a-secret-of-this-benchmark"  # noqa: S105
_PATIENCE = 60.0
_LOOK = 0.005  # seconds between two looks whether it is listed
_HEAD = "apiVersion: gitopsreg.io/v1alpha1\n"
_PART = b'variable "name" {\n  type        = string\n  description = "What it is called."\n}\n'
_MODULE = re.compile(r"modules/[0-9a-z]/[0-9a-z-]+/[0-9a-z-]+/[0-9a-z]+\.json")
_VERSION = re.compile(rb'"version": "v?[0-9]+\.[0-9]+\.[0-9]+"')


class Team:
    """People who push. `base` is where they reach their repositories, with a slash at the end."""

    def __init__(self, world: World, base: str) -> None:
        self.world = world
        self.base = base
        self.catalog = world.catalog
        self.module = BareRepository(world.folder / "module.git")
        self._later: list[tuple[str, bytes]] = []
        self._tags = 0

    def settle(self, most: int) -> None:
        """Half of the pushes will declare what is not declared yet; the other half tag a module, which is."""
        self.module.commit(((f"part-{number}.tf", _PART * 40) for number in range(100)), tag="v0.0.0")
        self._later = [(path, self.catalog.read(path)) for path in _with_versions(self.world, most)]
        module = (
            f"  system: aws\n  delivery: store\n  source: {{type: git, url: {json.dumps(self.base + 'module.git')}}}\n"
        )
        files = {
            "namespaces/our-team/namespace.yaml": f"{_HEAD}kind: Namespace\nmetadata: {{name: our-team}}\nspec: {{}}\n",
            "namespaces/our-team/modules/tagged/aws.yaml": f"{_HEAD}kind: Module\n"
            f"metadata: {{name: tagged, namespace: our-team}}\nspec:\n{module}",
        }
        self.catalog.commit(
            ((path, text.encode()) for path, text in files.items()), without=[path for path, _ in self._later]
        )
        for name in ("catalog", "module"):
            BareRepository(self.world.folder / f"{name}.git").git("config", "http.receivepack", "true")
            BareRepository(self.world.folder / f"{name}.git").clone(self.world.folder / f"our-{name}.git")
        self.catalog = BareRepository(self.world.folder / "our-catalog.git")
        self.module = BareRepository(self.world.folder / "our-module.git")

    def push_all(self, server: "Server", pushes: int) -> dict[str, list[float]]:
        """Seconds from each push to the listed version, by what was pushed; of each kind half."""
        seconds: dict[str, list[float]] = {"a tag": [], "a declaration": []}
        chance = random.Random(1)  # noqa: S311
        for number in range(pushes):
            # People are no clockwork; and a hook may be called once a second, more often only thirty times.
            time.sleep(chance.uniform(0.7, 1.3))
            push = self._declare if number % 2 else self._tag
            path, listed = push()
            began = time.perf_counter()
            server.hook()
            server.wait_for(path, listed)
            seconds["a declaration" if number % 2 else "a tag"].append(time.perf_counter() - began)
        return seconds

    def _declare(self) -> tuple[str, str]:
        path, text = self._later.pop()
        self.catalog.commit([(path, text)])
        self.catalog.git("push", "--quiet", f"{self.base}catalog.git", "main")
        return _address(path), '"version"'

    def _tag(self) -> tuple[str, str]:
        self._tags += 1
        tag = f"v1.0.{self._tags}"
        self.module.commit([("part-0.tf", _PART + b"# %s\n" % tag.encode())], tag=tag)
        self.module.git("push", "--quiet", f"{self.base}module.git", "main", tag)
        return "/v1/modules/our-team/tagged/aws/versions", f'"{tag.removeprefix("v")}"'

    def listed(self, most: int = 1_000) -> list[str]:
        """Where clients ask for versions: modules that were there from the beginning."""
        declared = set(self.catalog.paths())
        return [_address(path) for path in _with_versions(self.world, most) if path in declared]


@dataclass(frozen=True, slots=True)
class Server:
    """A registry as its clients see it, where it takes webhooks, and the memory that it has now (MB)."""

    netloc: str
    hooks: str
    memory: Callable[[], float]

    def hook(self) -> None:
        with closing(http.client.HTTPConnection(self.hooks)) as connection:
            connection.request("POST", "/hooks/push", b"{}", {"Authorization": f"Bearer {SECRET}"})
            answer = connection.getresponse()
            if answer.status >= 300:
                raise RuntimeError(f"the webhook was answered with {answer.status}: {answer.read()!r}")

    def wait_for(self, path: str, text: str) -> None:
        until = time.monotonic() + _PATIENCE
        with closing(http.client.HTTPConnection(self.netloc)) as connection:
            while time.monotonic() < until:
                connection.request("GET", path)
                if text in connection.getresponse().read().decode():
                    return
                time.sleep(_LOOK)
        raise TimeoutError(f"{path} does not list {text} after {_PATIENCE:.0f} s")


def _address(path: str) -> str:
    _, namespace, _, name, system = path.removesuffix(".yaml").split("/")
    return f"/v1/modules/{namespace}/{name}/{system}/versions"


def _with_versions(world: World, most: int) -> list[str]:
    """The files of the catalog that declare modules whose upstream has a version, for sure; always the same ones."""
    registry, declared = world.registry, set(world.catalog.paths())
    found: list[str] = []
    paths = [path for path in registry.paths() if _MODULE.fullmatch(path)]
    random.Random(2).shuffle(paths)  # noqa: S311
    for path in paths:
        _, _, namespace, name, system = path.removesuffix(".json").split("/")
        file = f"namespaces/{namespace}/modules/{name}/{system}.yaml"
        if file in declared and _VERSION.search(registry.read(path)):
            found.append(file)
        if len(found) == most:
            break
    return found
