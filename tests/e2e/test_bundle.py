"""Across the air gap: a registry whose store was filled by imports only, and the real terraform."""

from pathlib import Path

import pytest

from tests.cli.shell import Ran, gitopsreg
from tests.e2e.asking import module_versions
from tests.e2e.catalogs import a_catalog, a_catalog_module
from tests.e2e.client import Workspace, client_config, host_of, provider_block
from tests.e2e.process import eventually, places, serve
from tests.e2e.sample import HELLO, NET
from tests.releases import a_signer
from tests.repositories import commit

pytestmark = pytest.mark.e2e


def reconcile(catalog: Path, folder: Path) -> None:
    gitopsreg("reconcile", "--catalog", catalog, *places(folder))


def carry(source: Path, target: Path, *more: str) -> Ran:
    """Export on this side, import on the other."""
    source.joinpath("secret.asc").write_text(str(a_signer("registry").secret))
    source.joinpath("public.asc").write_text(str(a_signer("registry").public))
    file, store = source / "bundle.tar", source / "store"
    made = gitopsreg("bundle", "export", file, "--sign-key", source / "secret.asc", "--store", store, *more)
    assert made.code == 0, made.stderr
    return gitopsreg("bundle", "import", file, "--trust", source / "public.asc", "--store", target / "store")


def test_terraform_installs_from_an_imported_store(sample: Path, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    reconcile(sample, source)
    done = carry(source, target)
    assert done.code == 0, done.stderr
    with serve(target) as registry:
        host = host_of(registry.url)
        modules = Workspace(tmp_path / "modules", client_config(registry.url))
        assert modules.get(f"{host}/{NET}", "~> 1.0").joinpath("main.tf").is_file()
        assert modules.module()["Version"] == "1.10.0"
        providers = Workspace(tmp_path / "providers", client_config(registry.url))
        providers.write(provider_block(f"{host}/{HELLO}", "~> 1.0"))
        assert "self-signed" in providers.init().output
        providers.clean_init("-lockfile=readonly")


def test_a_running_server_sees_the_next_import(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    catalog = a_catalog(tmp_path / "catalog", a_catalog_module(NET, "1.0.0"))
    reconcile(catalog, source)
    assert carry(source, target).code == 0
    before = gitopsreg("history", "--store", source / "store", "--output", "json").json["snapshots"][0]["digest"]
    with serve(target) as registry:
        assert module_versions(registry.url, NET) == ["1.0.0"]
        commit(catalog, a_catalog_module(NET, "1.0.0", "1.1.0"))
        reconcile(catalog, source)
        done = carry(source, target, "--since", before)
        assert done.code == 0, done.stderr
        eventually(lambda: module_versions(registry.url, NET) == ["1.0.0", "1.1.0"])
        client = Workspace(tmp_path / "client", client_config(registry.url))
        for version in ("1.0.0", "1.1.0"):
            client.get(f"{host_of(registry.url)}/{NET}", version)
