"""The catalog that newcomers copy, as `make run` serves it, and the lines that they paste."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.shell import gitopsreg
from tests.e2e.client import Workspace, client_config, host_of, provider_block
from tests.e2e.process import places, running
from tests.repositories import a_repository, commit
from tests.terraform import find_terraform

pytestmark = pytest.mark.e2e

EXAMPLE = Path(__file__).parents[2] / "example-catalog"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("example")


@pytest.fixture(scope="module")
def printed(folder: Path) -> Iterator[str]:
    """All that `up` printed on its start."""
    repository = a_repository(folder / "repository")
    shutil.copytree(EXAMPLE, repository / "example-catalog")
    commit(repository)
    where = ("--catalog", repository, "--path", "example-catalog", *places(folder), "--listen", "127.0.0.1:0")
    with running("up", *where, log=folder / "up.log") as registry:
        registry.line(lambda line: line.startswith("Following "))
        yield "\n".join(registry.lines)


@pytest.fixture(scope="module")
def url(printed: str) -> str:
    found = re.search(r"^Serving (http://127\.0\.0\.1:\d+)$", printed, re.MULTILINE)
    assert found, printed
    return found[1]


@pytest.fixture
def client(url: str, tmp_path: Path) -> Workspace:
    return Workspace(tmp_path, client_config(url))


def test_the_first_line_says_what_was_done(printed: str) -> None:
    first = printed.partition("\n")[0]
    assert re.fullmatch(
        r"Published main@[0-9a-f]{10}: \d+ packages, \d+ versions added, [\d.]+ [KM]iB stored, "
        r"[\d.]+ s, snapshot [0-9a-f]{12}",
        first,
    )


def test_the_lines_work_when_they_are_pasted(printed: str, tmp_path: Path) -> None:
    script = printed.partition("to install from it:\n")[2].partition("\nFollowing ")[0]
    done = subprocess.run(
        ["bash"],
        input=script,
        text=True,
        cwd=tmp_path,
        env={"PATH": f"{Path(find_terraform()).parent}:{os.environ['PATH']}", "HOME": str(tmp_path), "NO_PROXY": "*"},
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Terraform has been successfully initialized!" in done.stdout
    assert list(tmp_path.glob("*/.terraform/providers/*/*/*/*/*"))
    assert list(tmp_path.glob("*/.terraform/modules/**/main.tf"))
    assert not done.stderr


@pytest.mark.parametrize("address", ["platform/naming/generic", "platform/labels/generic", "network/subnets/generic"])
def test_every_listed_version_can_be_installed(url: str, folder: Path, client: Workspace, address: str) -> None:
    listed = gitopsreg("status", "--store", folder / "store", "--output", "json", address).json["listed"]
    assert len(listed) > 1
    for version in listed:
        assert list(client.get(f"{host_of(url)}/{address}", version).glob("*.tf")), version


def test_a_provider_of_this_platform(url: str, client: Workspace) -> None:
    client.write(provider_block(f"{host_of(url)}/platform/hello"))
    client.init()
    assert client.providers == {f"{host_of(url)}/platform/hello/1.1.0"}


def test_a_yanked_version_is_not_chosen(url: str, client: Workspace) -> None:
    client.get(f"{host_of(url)}/network/subnets/generic", "~> 1.0.0")
    assert client.module()["Version"] == "1.0.1"


def test_applied(url: str, client: Workspace) -> None:
    """`terraform_data` is built in, so applying needs no provider; the outputs are those of the modules' logic."""
    host = host_of(url)
    client.write(
        f'module "naming" {{\n  source  = "{host}/platform/naming/generic"\n  version = "2.0.0"\n'
        '  team = "payments"\n  application = "checkout"\n  environment = "prod"\n}\n'
        f'module "label" {{\n  source  = "{host}/platform/naming/generic//modules/dns-label"\n  version = "~> 2.0"\n'
        "  name = module.naming.name\n}\n"
        f'module "subnets" {{\n  source  = "{host}/network/subnets/generic"\n  version = "1.1.0"\n'
        '  cidr = "10.20.0.0/16"\n  names = ["a", "b", "c"]\n}\n'
        'output "all" {\n  value = [module.naming.name, module.label.label, module.subnets.ranges, '
        "module.naming.tags]\n}\n"
    )
    client.init()
    applied = client.run("apply", "-no-color", "-auto-approve", "-input=false")
    assert applied.code == 0, applied.output
    assert "module.naming.terraform_data.name: Creation complete" in applied.output
    outputs = json.loads(client.run("output", "-no-color", "-json").output)
    name = "payments-checkout-prod"
    assert outputs["all"]["value"] == [
        name,
        name,
        {"a": "10.20.0.0/18", "b": "10.20.64.0/18", "c": "10.20.128.0/18"},
        {"team": "payments", "application": "checkout", "environment": "prod", "name": name},
    ]
    again = client.run("plan", "-no-color", "-detailed-exitcode")
    assert again.code == 0, again.output
