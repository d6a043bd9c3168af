"""Discoveries from the command line, over a real Git repository laid out like opentofu/registry."""

import json
from pathlib import Path

import pytest

from tests.cli.shell import Ran, gitopsreg
from tests.releases import a_signer
from tests.repositories import a_repository, commit

AT = "namespaces/metrics/discoveries/found.yaml"
_HEAD = "apiVersion: gitopsreg.io/v1alpha1\n"
_RELEASES = "https://downloads.example.com"


def a_provider(name: str, *versions: str) -> dict[str, str]:
    """The file of a provider of Grafana's there."""
    listed = [
        {
            "version": version,
            "protocols": ["5.0"],
            "shasums_url": f"{_RELEASES}/{name}/{version}/SHA256SUMS",
            "shasums_signature_url": f"{_RELEASES}/{name}/{version}/SHA256SUMS.sig",
            "targets": [
                {
                    "os": "linux",
                    "arch": "amd64",
                    "filename": f"terraform-provider-{name}_{version}_linux_amd64.zip",
                    "download_url": f"{_RELEASES}/{name}/{version}/linux_amd64.zip",
                    "shasum": "e" * 64,
                }
            ],
        }
        for version in versions
    ]
    return {f"providers/g/Grafana/{name}.json": json.dumps({"versions": listed})}


def a_module(name: str) -> dict[str, str]:
    return {f"modules/g/Grafana/{name}/aws.json": json.dumps({"versions": [{"version": "v1.0.0"}]})}


class Here:
    """The registry, the catalog that discovers it, and the store."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.there = a_repository(folder / "there")
        self.catalog = a_repository(folder / "catalog")
        key = {"keys/g/grafana/provider-1700000000.asc": a_signer().declared().public_key}
        commit(self.there, {**key, **a_provider("Grafana", "1.0.0", "2.0.0"), **a_module("oncall")})
        self.source = ("--catalog", self.catalog, "--cache", folder / "cache", "--allow-local-sources")
        self.declare("  approval: pending\n")

    def declare(self, spec: str) -> None:
        commit(
            self.catalog,
            {
                "connections/there.yaml": f"{_HEAD}kind: Connection\nmetadata: {{name: there}}\n"
                f"spec: {{type: opentofu-git, url: '{self.there.as_uri()}'}}\n",
                "namespaces/metrics/namespace.yaml": _HEAD + "kind: Namespace\nmetadata: {name: metrics}\nspec: {}\n",
                AT: f"{_HEAD}kind: Discovery\nmetadata: {{name: found}}\nspec:\n"
                f"  scope: {{registry: there, namespaces: [Grafana]}}\n  template: {{delivery: reference}}\n{spec}",
            },
        )

    def run(self, command: str, *arguments: str) -> Ran:
        store = "--store", (self.folder / "store").as_uri()
        if command == "explain":
            return gitopsreg(command, *arguments, cwd=self.catalog)
        if command == "status":
            return gitopsreg(command, *store, *arguments)
        return gitopsreg(command, *store, *self.source, *arguments)


@pytest.fixture
def here(tmp_path: Path) -> Here:
    return Here(tmp_path)


def test_what_is_pending_is_in_every_plan_and_in_the_status(here: Here) -> None:
    valid = gitopsreg("validate", here.catalog, "--output", "json")
    assert (valid.code, valid.json["findings"]) == (0, [])
    text = here.run("plan")
    assert text.code == 0, text.stderr
    assert f"{AT}  yes    2      0          2        0" in text.stdout
    assert f"2 packages pending:\n  module:metrics/oncall/aws: found by {AT}\n" in text.stdout
    (told,) = here.run("plan", "--output", "json").json["discoveries"]
    assert told["pending"] == ["module:metrics/oncall/aws", "provider:metrics/grafana"]
    markdown = here.run("plan", "--output", "markdown").stdout
    assert "<details><summary>Pending packages (2)</summary>" in markdown

    done = here.run("reconcile")
    assert done.code == 0, done.stderr
    assert "2 packages wait for approval: 'gitopsreg status' names them" in done.stdout
    status = here.run("status")
    assert "  provider:metrics/grafana: found by " in status.stdout
    assert "not acted on" not in status.stdout
    (known,) = here.run("status", "--output", "json").json["discoveries"]
    assert (known["found"], known["published"], known["pending"]) == (2, 0, told["pending"])
    asked = here.run("status", "metrics/grafana")
    assert "waits for approval: declare it in a file, or write approval: auto in " + AT in asked.stderr


def test_what_is_found_is_published_and_no_run_after_it_has_anything_to_do(here: Here) -> None:
    here.declare("  approval: auto\n")
    done = here.run("reconcile", "--output", "json")
    assert (done.code, done.json["packages"], done.json["versionsAdded"]) == (0, 2, 3), done.stderr
    status = here.run("status", "--exit-code")
    assert status.code == 0
    assert "provider:metrics/grafana   yes    2.0.0, 1.0.0" in status.stdout
    again = here.run("reconcile", "--output", "json").json
    assert (again["published"], again["snapshot"]) == (False, done.json["snapshot"])
    commit(here.there, a_provider("Loki", "0.1.0"))
    assert here.run("reconcile", "--output", "json").json["packages"] == 3


def test_too_many_and_out_of_reach_are_told_with_an_exit_code(here: Here) -> None:
    here.declare("  approval: auto\n  maxPackages: 1\n")
    plan = here.run("plan")
    assert (plan.code, "QuotaExceeded: 2 packages are found (maxPackages: 1)" in plan.stdout) == (1, True)
    done = here.run("reconcile")
    assert (done.code, f"{AT}  QuotaExceeded: 2 packages" in done.stdout) == (1, True)
    assert here.run("status", "--exit-code").code == 1
    here.there.rename(here.folder / "gone")
    assert here.run("plan").code == 3
    done = here.run("reconcile")
    assert done.code != 0
    assert f"{AT}  " in done.stdout


def test_the_plan_of_a_change_tells_what_it_would_find(here: Here) -> None:
    here.declare("  approval: auto\n")
    done = gitopsreg("plan", "--base", "HEAD~1", "--online", *here.source)
    assert done.code == 0, done.stderr
    assert "discovery:metrics/found" in done.stdout
    assert "provider:metrics/grafana: new package; 2 versions (1.0.0, 2.0.0)" in done.stdout


def test_what_a_discovery_found_is_explained(here: Here) -> None:
    """By the catalog alone what it may find, with the store what it did."""
    store = ("--store", (here.folder / "store").as_uri())
    alone = here.run("explain", "metrics/grafana")
    assert (alone.code, alone.stderr) == (0, "")
    assert f"{AT} would find it if it is in {here.there.as_uri()}" in alone.stdout
    assert "next: gitopsreg explain discovery:metrics/found" in alone.stdout
    here.run("reconcile")
    assert f"found by {AT} in" in here.run("explain", "metrics/grafana", *store).stdout
    assert "waits for approval" in here.run("explain", "metrics/grafana", *store).stdout
    here.declare("  approval: auto\n")
    here.run("reconcile")
    told = here.run("explain", "metrics/oncall/aws", *store, "--output", "json").json
    assert told["subject"] == "module:metrics/oncall/aws"
    assert told["discovery"] == {
        "subject": "discovery:metrics/found",
        "url": here.there.as_uri(),
        "how": "found",
        "origin": "Grafana/oncall/aws",
    }
    other = here.run("explain", "elsewhere/grafana", *store)
    assert (other.code, other.stdout) == (2, "")
    assert 'the catalog has no "elsewhere/grafana"' in other.stderr


def test_a_namespace_that_is_not_there_is_told_with_the_nearest(here: Here) -> None:
    path = here.catalog / AT
    commit(here.catalog, {AT: path.read_text().replace("[Grafana]", "[Grafana, Grafna]")})
    done = here.run("plan")
    assert done.code == 0
    assert "1 namespace that nothing is found in:\n  grafna: no namespace there has this name" in done.stdout
    assert 'did you mean "grafana"?' in done.stdout
    (told,) = here.run("plan", "--output", "json").json["discoveries"]
    (ready,) = told["conditions"]
    assert '"grafna": no namespace there has this name' in ready["message"]


def test_why_packages_leave_is_said(here: Here) -> None:
    here.declare("  approval: auto\n  onDisappear: archive\n")
    assert here.run("reconcile").code == 0
    (here.there / "providers/g/Grafana/Grafana.json").unlink()
    commit(here.there, {})
    gone = here.run("plan").stdout
    assert f"provider:metrics/grafana  archived: no longer in {here.there.as_uri()}" in gone
    here.declare("  approval: auto\n  onDisappear: archive\n  match: {name: ^grafana$}\n")
    unchosen = here.run("plan").stdout
    assert f"module:metrics/oncall/aws  archived: no longer chosen by {AT}" in unchosen
    (here.catalog / AT).unlink()
    commit(here.catalog, {})
    forgotten = here.run("plan").stdout
    assert f"module:metrics/oncall/aws  archived: {AT}, which found it, is no longer declared" in forgotten
    assert "archived: no longer declared" not in gone + unchosen + forgotten


def test_too_many_are_told_before_anything_new_is_there(here: Here) -> None:
    here.declare("  approval: auto\n")
    assert here.run("reconcile").code == 0
    here.declare("  approval: auto\n  maxPackages: 1\n")
    plan = here.run("plan")
    assert plan.code == 1
    assert "QuotaExceeded: 2 packages are found (maxPackages: 1): nothing new would be taken" in plan.stdout
