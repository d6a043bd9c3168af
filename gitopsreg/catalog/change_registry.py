"""What a change does to the registry as a whole: host name, guards, and how much it removes (GR703, GR712, GR713)."""

from collections.abc import Iterator

from gitopsreg.catalog.change import Told
from gitopsreg.catalog.check import Checked
from gitopsreg.catalog.cursor import Cursor
from gitopsreg.catalog.load import Loaded
from gitopsreg.catalog.problem import Problem
from gitopsreg.errors import quoted
from gitopsreg.model.address import PackageAddress


def check_registry(base: Loaded, head: Loaded) -> Iterator[Told]:
    before, after = _registry(base), _registry(head)
    if before is None:
        return
    old = before.cursor / "spec" / "hostname"
    new = (after.cursor if after else Cursor(None)) / "spec" / "hostname"
    if old.text and old.text != new.text:
        change = f"changes from {quoted(old.text)} to {quoted(new.text)}" if new.text else f"{quoted(old.text)} is gone"
        hint = "every source address and lock file of every user holds the old one"
        pointer, on_key = (new.pointer, False) if new.present else ("/spec" if after else "", True)
        problem = Problem(rule="GR712", message=f"the host name {change}", hint=hint, pointer=pointer, on_key=on_key)
        yield after or before, problem


def check_removals(base: Loaded, head: Loaded) -> Iterator[Told]:
    """Measured by the guards of both: what the new ones let pass and the old ones don't is told at the guards."""
    before, declared = _packages(base), _packages(head)
    gone = {address: one for address, one in before.items() if address not in declared}
    if not gone:
        return
    old, new = base.catalog.registry.guards, head.catalog.registry.guards
    refused, was_refused = (
        guards.refusal(removed=len(gone), published=len(before), declared=len(declared)) for guards in (new, old)
    )
    if refused:
        first = min(gone.values(), key=lambda one: one.path)
        hint = "remove in smaller steps, or raise the guards of registry.yaml in a change of its own"
        yield first, Problem(rule="GR703", message=refused, hint=hint)
    if was_refused and new.is_looser_than(old) and (registry := _registry(head) or _registry(base)):
        message = f"the change loosens the guards that hold it back: {was_refused}"
        hint = "loosen them in a change of its own"
        pointer = "/spec/guards" if (registry.cursor / "spec" / "guards").present else "/spec"
        yield registry, Problem(rule="GR713", message=message, hint=hint, pointer=pointer, on_key=True)


def _registry(loaded: Loaded) -> Checked | None:
    return next((one for one in loaded.checked if one.slot.kind == "Registry"), None)


def _packages(loaded: Loaded) -> dict[PackageAddress, Checked]:
    return {one.slot.address: one for one in loaded.checked if one.slot.address is not None}
