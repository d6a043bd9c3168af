"""A person's machine: a folder of configuration, the real terraform, and what it left behind."""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gitopsreg.cli import recipe
from tests.cli.shell import gitopsreg
from tests.releases import PLATFORMS, AReleaseFolder, a_signer
from tests.terraform import Result, Terraform

HERE = str(recipe.this_platform())


def a_release(version: str, *, signer: str = "release", **changes: Any) -> AReleaseFolder:
    """A provider release that this machine can install, too."""
    platforms = changes.pop("platforms", tuple(sorted({*PLATFORMS, HERE})))
    return AReleaseFolder(version, platforms=platforms, signer=a_signer(signer), **changes)


def client_config(url: str, *arguments: str) -> str:
    """What `gitopsreg client-config` prints for a registry at this address."""
    done = gitopsreg("client-config", "--url", url, *arguments)
    assert done.code == 0, done.stderr
    return done.stdout


def host_of(url: str) -> str:
    return urlsplit(url).netloc


def module_block(source: str, version: str = "", name: str = "m") -> str:
    constraint = f'  version = "{version}"\n' if version else ""
    return f'module "{name}" {{\n  source  = "{source}"\n{constraint}}}\n'


def provider_block(source: str, version: str = "", name: str = "hello") -> str:
    constraint = f'      version = "{version}"\n' if version else ""
    return (
        f"terraform {{\n  required_providers {{\n    {name} = {{\n"
        f'      source  = "{source}"\n{constraint}    }}\n  }}\n}}\n'
    )


@dataclass(frozen=True, slots=True)
class Locked:
    """One provider in a dependency lock file."""

    version: str
    hashes: tuple[str, ...]

    def scheme(self, name: str) -> set[str]:
        return {item for item in self.hashes if item.startswith(f"{name}:")}


class Workspace:
    """`tfrc` is the CLI configuration, word for word; `ca` the only authority that is trusted."""

    def __init__(self, folder: Path, tfrc: str = "", *, ca: Path | None = None, **environment: str) -> None:
        self.terraform = Terraform(folder / "home", ca=ca, environment=environment)
        self.terraform.config.write_text(tfrc, encoding="utf-8")
        self.folder = folder / "work"
        self.folder.mkdir()

    def write(self, configuration: str) -> None:
        self.folder.joinpath("main.tf").write_text(configuration, encoding="utf-8")

    def run(self, *arguments: str) -> Result:
        return self.terraform.run(*arguments, cwd=self.folder)

    def get(self, source: str, version: str = "") -> Path:
        """Install one module; where it lies."""
        self.write(module_block(source, version))
        result = self.run("get", "-no-color")
        assert result.code == 0, result.output
        return self.installed()

    def init(self, *arguments: str) -> Result:
        """It must work."""
        result = self.run("init", "-no-color", *arguments)
        assert result.code == 0, result.output
        return result

    def clean_init(self, *arguments: str) -> Result:
        """As on another machine that has the configuration and the lock file only."""
        self.forget()
        return self.init(*arguments)

    def forget(self) -> None:
        """Throw away what is installed."""
        shutil.rmtree(self.folder / ".terraform")

    def installed(self, name: str = "m") -> Path:
        return self.folder / self.module(name)["Dir"]

    def module(self, name: str = "m") -> dict[str, str]:
        """What terraform's own list says of an installed module: Key, Source, Version, Dir."""
        listed = json.loads(self.folder.joinpath(".terraform/modules/modules.json").read_text())["Modules"]
        found: dict[str, str] = next(item for item in listed if item["Key"] == name)
        return found

    @property
    def locks(self) -> dict[str, Locked]:
        """The lock file, by provider address."""
        path = self.folder / ".terraform.lock.hcl"
        blocks = re.findall(r'provider "([^"]+)" \{\n(.*?)\n\}', path.read_text() if path.exists() else "", re.DOTALL)
        return {
            address: Locked(
                (re.findall(r'version\s*= "([^"]+)"', body) or [""])[0],
                tuple(re.findall(r'"((?:h1|zh):[^"]+)"', body)),
            )
            for address, body in blocks
        }

    @property
    def providers(self) -> set[str]:
        """What is installed, as `host/namespace/type/version`; always for this platform."""
        root = self.folder / ".terraform/providers"
        found = list(root.glob("*/*/*/*/*"))
        assert all(path.name == HERE for path in found)
        return {str(path.parent.relative_to(root)) for path in found}
