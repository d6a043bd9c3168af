"""Planning for a state of the catalog that is at hand, with a store that can't be written to."""

from dataclasses import replace
from pathlib import Path

import pytest

from gitopsreg.catalog.revision import checkout_at
from gitopsreg.reconcile.events import Silent
from gitopsreg.reconcile.forecast import Remark, forecast, without_index
from gitopsreg.reconcile.prepare import GivenCatalog, Planner
from gitopsreg.reconcile.run import Prepared
from gitopsreg.storage.filesystem import FilesystemReader
from gitopsreg.storage.memory import MemoryStore
from tests.reconcile.fakes import FakeUpstream, unavailable
from tests.reconcile.world import NAMING, REMOTE, World, module_file, remote_file

RULES = "versions:\n  exclude: ['^2']\n"


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.upstreams[REMOTE] = FakeUpstream({"1.0.0": b"a", "2.0.0": b"b"})
    made.commit(module_file("naming", "1.0.0"), remote_file(more=RULES))
    return made


def planned(world: World, revision: str = "HEAD", *, only: set[str] | None = None, empty: bool = False) -> Prepared:
    checkout = checkout_at(world.repo, revision)
    planner = Planner(
        GivenCatalog(checkout),
        world._upstream,
        MemoryStore() if empty else world.store,
        now=lambda: world.now,
        reporter=Silent(),
        jobs=1,
    )
    return planner.prepare(only=only)


def test_the_plan_of_a_commit_is_the_one_that_a_run_carries_out(world: World) -> None:
    plan = planned(world).plan
    outcome = world.run()
    assert outcome.plan.digest == plan.digest
    assert outcome.plan.changes == plan.changes
    assert not planned(world).plan.has_changes


def test_a_run_that_planned_other_content_has_another_digest(world: World) -> None:
    digest = planned(world).plan.digest
    assert planned(world).plan.digest == digest
    world.upstreams[REMOTE].content["1.0.0"] = b"moved"
    assert planned(world).plan.digest != digest


def test_a_reader_is_enough(world: World, tmp_path: Path) -> None:
    planner = Planner(
        GivenCatalog(checkout_at(world.repo, "HEAD")),
        world._upstream,
        FilesystemReader(tmp_path / "store"),
        now=lambda: world.now,
        reporter=Silent(),
    )
    assert [change.address for change in planner.prepare().plan.changes] == [str(NAMING), str(REMOTE)]
    assert not (tmp_path / "store").exists()


def test_only_what_is_asked_for_is_looked_at(world: World) -> None:
    prepared = planned(world, only={str(NAMING)})
    assert [change.address for change in prepared.plan.changes] == [str(NAMING)]
    assert world.upstreams[REMOTE].asked == 0


def test_a_given_catalog_is_one_state(world: World) -> None:
    checkout = checkout_at(world.repo, "HEAD")
    given = GivenCatalog(checkout)
    assert given.poll() == checkout.commit.oid
    assert given.read() is checkout is given.at(checkout.files.revision)
    assert given.at("other") is None


def test_a_forecast_says_what_the_plan_rests_on(world: World) -> None:
    found = forecast(planned(world), lambda declaration, _: 7 if declaration.address == NAMING else None)
    assert (found.asked, found.versions, found.bytes, found.unmeasured) == (2, 2, 7, 1)
    assert found.skipped == (Remark(address=str(REMOTE), version="2.0.0", text='excluded by "^2"'),)
    assert found.silent == found.troubles == ()


def test_a_forecast_names_who_did_not_answer_and_what_would_fail(world: World) -> None:
    world.run()
    world.upstreams[REMOTE].content["1.0.0"] = b"moved"
    moved = forecast(planned(world), lambda *_: None)
    assert [(remark.version, "moved from" in remark.text) for remark in moved.troubles] == [("1.0.0", True)]
    world.upstreams[REMOTE].down = unavailable()
    (silent,) = forecast(planned(world), lambda *_: None).silent
    assert silent.address == str(REMOTE)


def test_without_an_index_the_base_is_what_is_published(world: World) -> None:
    world.commit(module_file("naming", "1.0.0", "1.1.0"), remote_file(more="versions:\n  exclude: ['^1']\n"))
    base, head = planned(world, "HEAD~1", empty=True), planned(world, empty=True)
    changes = {change.address: change for change in without_index(base, head).changes}
    assert (changes[str(NAMING)].action, changes[str(NAMING)].added) == ("change", ("1.1.0",))
    assert (changes[str(REMOTE)].added, changes[str(REMOTE)].removed) == (("2.0.0",), ("1.0.0",))
    assert without_index(head, head).changes == ()
    assert without_index(base, replace(head, plan=replace(head.plan, changes=()))).changes[0].action == "archive"


def test_host_name_and_namespaces_are_part_of_the_plan(world: World) -> None:
    world.run()
    world.commit({
        "registry.yaml": (
            "apiVersion: gitopsreg.io/v1alpha1\nkind: Registry\nmetadata: {name: default}\n"
            "spec: {hostname: registry.example.com}\n"
        )
    })  # fmt: skip
    (change,) = planned(world).plan.changes
    assert (change.address, change.marks) == ("registry", ("hostname",))


def test_approval_is_of_these_changes_and_outlives_a_new_commit(world: World) -> None:
    names = [f"m{number}" for number in range(4)]
    world.commit(*(module_file(name, "1.0.0") for name in names))
    world.run()
    world.remove(*(f"namespaces/acme/modules/{name}" for name in names))
    digest = planned(world).plan.digest
    assert world.run().blocked
    world.commit({"README.md": "another commit, the same plan"})
    assert world.run().status.blocked_plan == digest
    assert world.reconciler().run(approve=digest).published
