"""What a declaration stands on is gone: that does not mend itself because something else changes."""

from pathlib import Path

from tests.reconcile.world import HELLO, World, provider_files


def test_a_removed_key_is_not_trusted_again_by_the_next_commit(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.commit(provider_files("1.0.0"))
    reconciler = world.reconciler()
    reconciler.run()
    world.remove("namespaces/acme/keys/release.yaml")
    reconciler.run()
    assert world.reasons(HELLO)["Ready"] == "KeyMissing"
    world.commit({"README.md": "something else"})
    reconciler.run()
    assert world.reasons(HELLO)["Ready"] == "KeyMissing"
