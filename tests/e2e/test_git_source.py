"""Modules from the tags of a real Git server over HTTP."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.asking import conditions, module_archive, module_versions, reconcile_now, status
from tests.e2e.catalogs import a_catalog, a_module, module_content, module_file
from tests.e2e.client import Workspace, client_config, host_of
from tests.e2e.process import Gitopsreg, eventually, up
from tests.repositories import GitServer, a_repository, commit, git, tag

pytestmark = pytest.mark.e2e

NET, DNS = "acme/net/generic", "acme/dns/generic"
TOKEN = "a token of the receiver"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    """One repository of two modules with tags of their own, light and annotated."""
    modules = a_repository(tmp_path / "git" / "modules")
    shared = {"shared/main.tf": 'output "name" {\n  value = "shared"\n}\n'}
    for version in ("1.0.0", "1.1.0", "2.0.0"):
        commit(modules, module_content("net", version) | module_content("dns", version) | shared)
        tag(modules, f"net/v{version}", annotated=version == "1.1.0")
        tag(modules, f"v{version}", annotated=version == "2.0.0")
    commit(modules, {"net/uses.tf": 'module "shared" {\n  source = "../shared"\n}\n'})
    tag(modules, "net/v2.1.0+build.1", annotated=True)
    tag(modules, "net/v3.0.0-rc.1")
    tag(modules, "net/vfoo")
    with GitServer(modules.parent) as running:
        yield running


@pytest.fixture
def catalog(server: GitServer, tmp_path: Path) -> Path:
    url = server.url("modules")
    net = {"type": "git", "url": url, "path": "net", "tagPrefix": "net/v"}
    dns = {"type": "git", "url": url, "path": "dns"}
    return a_catalog(
        tmp_path / "catalog",
        a_module(NET, net),
        a_module(DNS, dns, versions={"constraint": ">= 1.0.0, < 2.0.0", "exclude": [r"^1\.0\."]}),
    )


@pytest.fixture
def registry(catalog: Path, tmp_path: Path) -> Iterator[Gitopsreg]:
    receiver = ("--receiver", "now=bearer,env:HOOK_TOKEN")
    with up(catalog, tmp_path, "--allow-local-sources", *receiver, HOOK_TOKEN=TOKEN) as running:
        yield running


def test_tags_become_versions_that_terraform_installs(registry: Gitopsreg, tmp_path: Path) -> None:
    url = registry.url
    assert module_versions(url, NET) == ["1.0.0", "1.1.0", "2.0.0", "2.1.0+build.1"]
    assert module_versions(url, DNS) == ["1.1.0"]
    for number, (source, constraint, chosen) in enumerate(
        (
            (NET, "~> 1.0", "1.1.0"),
            (NET, "2.0.0", "2.0.0"),
            (NET, ">= 2.0.0", "2.1.0+build.1"),
            (DNS, "", "1.1.0"),
        )
    ):
        client = Workspace(tmp_path / f"client-{number}", client_config(url))
        client.get(f"{host_of(url)}/{source}", constraint)
        assert client.module()["Version"] == chosen


def test_a_module_of_a_monorepo_comes_with_what_it_uses(registry: Gitopsreg, tmp_path: Path) -> None:
    client = Workspace(tmp_path / "client", client_config(registry.url))
    folder = client.get(f"{host_of(registry.url)}/{NET}", "2.1.0+build.1")
    assert folder.joinpath("main.tf").read_text() == 'output "version" {\n  value = "2.0.0"\n}\n'
    assert client.installed("m.shared").joinpath("main.tf").read_text().count("shared") == 1
    inner = Workspace(tmp_path / "inner", client_config(registry.url))
    assert inner.get(f"{host_of(registry.url)}/{NET}//modules/inner", "1.1.0").joinpath("main.tf").is_file()


def test_a_new_tag_is_found_and_a_moved_one_changes_nothing(
    registry: Gitopsreg, server: GitServer, tmp_path: Path
) -> None:
    url, modules = registry.url, server.root / "modules"
    before = module_archive(url, NET, "1.0.0")
    commit(modules, {"net/main.tf": "# other content\n"})
    tag(modules, "net/v1.0.0")
    tag(modules, "net/v2.2.0")
    reconcile_now(url, TOKEN)
    eventually(lambda: "2.2.0" in module_versions(url, NET))
    assert module_archive(url, NET, "1.0.0") == before
    eventually(lambda: conditions(tmp_path, NET) == {"Ready": "Succeeded", "UpstreamMutated": "TagMoved"})
    (mutated,) = (item for item in status(tmp_path, NET)["conditions"] if item["type"] == "UpstreamMutated")
    assert "1.0.0" in mutated["message"]
    assert b"other content" not in before
    client = Workspace(tmp_path / "client", client_config(url))
    assert "other content" not in client.get(f"{host_of(url)}/{NET}", "1.0.0").joinpath("main.tf").read_text()
    assert "other content" in client.get(f"{host_of(url)}/{NET}", "2.2.0").joinpath("main.tf").read_text()


def test_a_deleted_tag_takes_nothing_away(registry: Gitopsreg, server: GitServer, tmp_path: Path) -> None:
    url, modules = registry.url, server.root / "modules"
    before = module_archive(url, NET, "1.1.0")
    git(modules, "tag", "--delete", "net/v1.1.0")
    tag(modules, "net/v2.2.0")
    reconcile_now(url, TOKEN)
    eventually(lambda: "2.2.0" in module_versions(url, NET))
    assert "1.1.0" in module_versions(url, NET)
    assert module_archive(url, NET, "1.1.0") == before
    eventually(lambda: conditions(tmp_path, NET).get("UpstreamMutated") == "TagDeleted")


@pytest.mark.pitfall(28)
def test_pitfall_28_an_upstream_that_stalls_delays_no_client(
    registry: Gitopsreg, server: GitServer, tmp_path: Path
) -> None:
    url = registry.url
    server.stall = True
    asked = len(server.requests)
    reconcile_now(url, TOKEN)
    eventually(lambda: len(server.requests) > asked)
    client = Workspace(tmp_path / "client", client_config(url))
    client.get(f"{host_of(url)}/{NET}", "1.0.0")
    server.stopping.set()


def test_an_upstream_that_fails_is_named_and_the_rest_goes_on(
    registry: Gitopsreg, server: GitServer, catalog: Path, tmp_path: Path
) -> None:
    url = registry.url
    server.status = 500
    commit(catalog, {"README.md": "A change that moves the catalog.\n"})
    reconcile_now(url, TOKEN)
    eventually(lambda: "FetchFailed" in conditions(tmp_path, NET))
    assert module_versions(url, DNS) == ["1.1.0"]
    server.status = None
    reconcile_now(url, TOKEN)
    eventually(lambda: conditions(tmp_path, NET) == {"Ready": "Succeeded"})


def test_an_unchanged_restart_fetches_nothing(server: GitServer, catalog: Path, tmp_path: Path) -> None:
    """A second start answers from the store and looks at the refs only."""
    with up(catalog, tmp_path, "--allow-local-sources") as first:
        before = module_archive(first.url, NET, "1.0.0")
        published = first.event("reconciled")
    assert published["versionsAdded"] == 5
    assert server.fetches > 0
    server.requests.clear()
    with up(catalog, tmp_path, "--allow-local-sources") as second:
        again = second.event("reconciled")
        assert module_archive(second.url, NET, "1.0.0") == before
    assert again["snapshot"] == published["snapshot"]
    assert (again["published"], again["versionsAdded"], again["bytesStored"]) == (False, 0, 0)
    assert {(request.method, request.path) for request in server.requests} == {("GET", "/modules/info/refs")}


def test_a_removed_module_of_a_git_source_keeps_its_downloads(registry: Gitopsreg, catalog: Path) -> None:
    url = registry.url
    before = module_archive(url, NET, "1.1.0")
    git(catalog, "rm", "--quiet", module_file(NET))
    commit(catalog)
    eventually(lambda: module_versions(url, NET) == [])
    assert module_archive(url, NET, "1.1.0") == before
