"""An emergency: the real server serves an older snapshot, and real clients install from it, until release."""

from pathlib import Path

import pytest

from tests.cli.shell import gitopsreg
from tests.e2e.asking import module_archive, module_download, module_versions, status
from tests.e2e.catalogs import a_catalog, a_catalog_module
from tests.e2e.client import Workspace, client_config, host_of, module_block
from tests.e2e.process import eventually, up
from tests.repositories import commit

pytestmark = pytest.mark.e2e

NET = "acme/net/generic"


def test_a_rollback_is_served_until_release(tmp_path: Path) -> None:
    catalog = a_catalog(tmp_path / "catalog", a_catalog_module(NET, "1.0.0"))
    store = ("--store", tmp_path / "store")
    with up(catalog, tmp_path) as registry:
        url = registry.url
        first = registry.event("reconciled")["snapshot"]
        commit(catalog, a_catalog_module(NET, "1.0.0", "2.0.0"))
        eventually(lambda: module_versions(url, NET) == ["1.0.0", "2.0.0"])
        bytes_of_2 = module_archive(url, NET, "2.0.0")

        done = gitopsreg("rollback", first[:12], "--hold", "--reason", "2.0.0 breaks plans", *store)
        assert done.code == 0, done.stderr
        eventually(lambda: module_versions(url, NET) == ["1.0.0"])
        assert module_download(url, NET, "2.0.0").status == 404
        client = Workspace(tmp_path / "client", client_config(url))
        client.write(module_block(f"{host_of(url)}/{NET}"))
        client.init()
        assert client.module()["Version"] == "1.0.0"

        commit(catalog, a_catalog_module(NET, "1.0.0", "2.0.0", "2.0.1"))
        eventually(lambda: _held(tmp_path) == "Held")
        eventually(lambda: status(tmp_path)["attemptedRevision"] != status(tmp_path)["appliedRevision"])
        assert module_versions(url, NET) == ["1.0.0"]

        assert gitopsreg("release", *store).code == 0
        eventually(lambda: module_versions(url, NET) == ["1.0.0", "2.0.0", "2.0.1"])
        assert module_archive(url, NET, "2.0.0") == bytes_of_2
        client.clean_init()
        assert client.module()["Version"] == "2.0.1"
    assert _held(tmp_path) == ""


def _held(folder: Path) -> str:
    conditions: dict[str, str] = {item["type"]: item["reason"] for item in status(folder)["conditions"]}
    return conditions.get("PublishBlocked", "")
