"""A catalog that lives: pushed commits are served without a restart, taken back by a revert, and never lose bytes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.asking import (
    conditions,
    github_push,
    module_archive,
    module_download,
    module_versions,
    provider_versions,
    status,
)
from tests.e2e.catalogs import a_catalog, a_catalog_module, a_catalog_provider, module_file
from tests.e2e.client import Workspace, a_release, client_config, host_of, module_block, provider_block
from tests.e2e.process import eventually, up
from tests.repositories import GitServer, commit, git
from tests.server.house import ask

pytestmark = pytest.mark.e2e

NET, DNS, HELLO = "acme/net/generic", "acme/dns/generic", "acme/hello"
SECRET = "a secret of the webhook, long enough"


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    return a_catalog(tmp_path / "git" / "catalog", a_catalog_module(NET, "1.0.0"), a_catalog_module(DNS, "1.0.0"))


@pytest.fixture(params=["a local path", "smart HTTP"])
def where(request: pytest.FixtureRequest, catalog: Path) -> Iterator[str | Path]:
    if request.param == "a local path":
        yield catalog
        return
    with GitServer(catalog.parent) as server:
        yield server.url("catalog")


def test_a_pushed_commit_is_served_and_a_revert_takes_it_back(where: str | Path, catalog: Path, tmp_path: Path) -> None:
    with up(where, tmp_path) as registry:
        client = Workspace(tmp_path / "client", client_config(registry.url))
        source = f"{host_of(registry.url)}/{NET}"
        client.get(source)
        assert client.module()["Version"] == "1.0.0"

        commit(catalog, a_catalog_module(NET, "1.0.0", "1.1.0"))
        eventually(lambda: module_versions(registry.url, NET) == ["1.0.0", "1.1.0"])
        client.forget()
        client.get(source)
        assert client.module()["Version"] == "1.1.0"
        published = module_archive(registry.url, NET, "1.1.0")

        git(catalog, "revert", "--no-edit", "HEAD")
        eventually(lambda: module_versions(registry.url, NET) == ["1.0.0"])
        client.forget()
        client.get(source)
        assert client.module()["Version"] == "1.0.0"
        assert module_archive(registry.url, NET, "1.1.0") == published


def test_an_authentic_webhook_is_enough(catalog: Path, tmp_path: Path) -> None:
    """Polling is far away: only the webhook can bring the commit."""
    receiver = "catalog=github,env:HOOK_SECRET,ref:refs/heads/main"
    with (
        GitServer(catalog.parent) as server,
        up(server.url("catalog"), tmp_path, "--interval", "1d", "--receiver", receiver, HOOK_SECRET=SECRET) as registry,
    ):
        url = registry.url
        commit(catalog, a_catalog_module(NET, "1.0.0", "1.1.0"))
        asked = len(server.requests)
        assert github_push(url, "another secret, as long as it", delivery="1").status == 401
        assert github_push(url, SECRET, ref="refs/heads/feature", delivery="2").status == 204
        assert github_push(url, SECRET, name="unknown", delivery="3").status == 404
        assert len(server.requests) == asked
        assert module_versions(url, NET) == ["1.0.0"]
        assert github_push(url, SECRET, delivery="4").status == 202
        eventually(lambda: module_versions(url, NET) == ["1.0.0", "1.1.0"])


def test_a_removed_declaration_is_archived_and_comes_back_the_same(catalog: Path, tmp_path: Path) -> None:
    with up(catalog, tmp_path) as registry:
        url = registry.url
        published = module_archive(url, NET, "1.0.0")
        git(catalog, "rm", "--quiet", module_file(NET))
        commit(catalog)
        eventually(lambda: module_versions(url, NET) == [])
        assert b"archived" in ask(url, f"/v1/modules/{NET}/versions").body
        assert module_archive(url, NET, "1.0.0") == published
        assert module_versions(url, DNS) == ["1.0.0"]

        git(catalog, "revert", "--no-edit", "HEAD")
        eventually(lambda: module_versions(url, NET) == ["1.0.0"])
        assert module_archive(url, NET, "1.0.0") == published
        client = Workspace(tmp_path / "client", client_config(url))
        client.get(f"{host_of(url)}/{NET}", "1.0.0")


def test_an_invalid_declaration_costs_only_itself(catalog: Path, tmp_path: Path) -> None:
    with up(catalog, tmp_path) as registry:
        url = registry.url
        commit(catalog, a_catalog_module(DNS, "1.0.0", "1.1.0") | {module_file(NET): "kind: [Module\n"})
        eventually(lambda: module_versions(url, DNS) == ["1.0.0", "1.1.0"])
        assert module_versions(url, NET) == ["1.0.0"]
        # The status is written after the pointer was moved.
        eventually(lambda: "Stalled" in conditions(tmp_path, NET))
        assert conditions(tmp_path, DNS) == {"Ready": "Succeeded"}


def test_the_catalogs_host_goes_and_comes_back(catalog: Path, tmp_path: Path) -> None:
    with GitServer(catalog.parent) as server, up(server.url("catalog"), tmp_path) as registry:
        url = registry.url
        server.status = 503
        commit(catalog, a_catalog_module(NET, "1.0.0", "1.1.0"))
        eventually(lambda: _fetched(tmp_path) == "False")
        assert module_versions(url, NET) == ["1.0.0"]
        server.status = None
        eventually(lambda: module_versions(url, NET) == ["1.0.0", "1.1.0"])
        eventually(lambda: _fetched(tmp_path) == "True")


def _fetched(folder: Path) -> str:
    found: str = next(item["status"] for item in status(folder)["conditions"] if item["type"] == "CatalogFetched")
    return found


@pytest.mark.pitfall(41)
def test_pitfall_41_other_bytes_under_an_old_version_change_nothing(catalog: Path, tmp_path: Path) -> None:
    """Who has the lock file goes on installing; the status says what the publisher did."""
    commit(catalog, a_catalog_provider(HELLO, [a_release("1.0.0")]))
    with up(catalog, tmp_path) as registry:
        client = Workspace(tmp_path / "client", client_config(registry.url))
        client.write(provider_block(f"{host_of(registry.url)}/{HELLO}", "1.0.0"))
        client.init()
        other = a_release("1.0.0")
        other.files[other.zip_name()] = a_release("1.0.1").files[a_release("1.0.1").zip_name()]
        other.seal()
        commit(catalog, a_catalog_provider(HELLO, [other]) | a_catalog_module(NET, "1.0.0", "1.1.0"))
        eventually(lambda: module_versions(registry.url, NET) == ["1.0.0", "1.1.0"])
        client.clean_init("-lockfile=readonly")
    assert conditions(tmp_path, HELLO)["UpstreamMutated"] == "AssetReplaced"


@pytest.mark.pitfall(42)
def test_pitfall_42_a_locked_version_that_is_withdrawn_still_installs(catalog: Path, tmp_path: Path) -> None:
    """Yanked is the word for it: newcomers are warned, and lock files hold."""
    releases = [a_release("1.0.0"), a_release("1.1.0")]
    commit(catalog, a_catalog_provider(HELLO, releases))
    with up(catalog, tmp_path) as registry:
        source = f"{host_of(registry.url)}/{HELLO}"
        client = Workspace(tmp_path / "client", client_config(registry.url))
        client.write(provider_block(source, "1.0.0"))
        client.init()
        yanked = {"yanked": [{"version": "1.0.0", "reason": "it forgets its state"}]}
        commit(catalog, a_catalog_provider(HELLO, releases, rules=yanked))
        eventually(lambda: b"yanked" in ask(registry.url, f"/v1/providers/{HELLO}/versions").body)
        assert provider_versions(registry.url, HELLO) == ["1.0.0", "1.1.0"]
        result = client.clean_init("-lockfile=readonly")
    assert "version 1.0.0 is yanked: it forgets its state" in result.output


def test_withdrawn_module_versions(catalog: Path, tmp_path: Path) -> None:
    rules = {
        "yanked": [
            {"version": "1.2.0", "reason": "wrong routes", "visibility": "hidden"},
            {"version": "1.1.0", "reason": "slow"},
        ],
        "blocked": [{"version": "1.3.0", "reason": "leaked credential"}],
    }
    commit(catalog, a_catalog_module(NET, "1.0.0", "1.1.0", "1.2.0", "1.3.0"))
    with up(catalog, tmp_path) as registry:
        url = registry.url
        eventually(lambda: "1.3.0" in module_versions(url, NET))
        hidden = module_archive(url, NET, "1.2.0")
        commit(catalog, a_catalog_module(NET, "1.0.0", "1.1.0", "1.2.0", "1.3.0", rules=rules))
        eventually(lambda: module_versions(url, NET) == ["1.0.0", "1.1.0"])
        assert module_archive(url, NET, "1.2.0") == hidden
        refused = module_download(url, NET, "1.3.0")
        assert refused.status == 410
        assert b"leaked credential" in refused.body
        client = Workspace(tmp_path / "client", client_config(url))
        client.get(f"{host_of(url)}/{NET}", ">= 1.0.0")
        assert client.module()["Version"] == "1.1.0"
        for version in ("1.2.0", "1.3.0"):
            # Terraform chooses from lists only, also an exact version.
            client.forget()
            client.write(module_block(f"{host_of(url)}/{NET}", version))
            assert "no available version" in client.run("get", "-no-color").output
