"""What keeps a whole run from publishing: few things, and none of them is one bad entry. Pure."""

from dataclasses import dataclass

from gitopsreg.reconcile.run import Prepared


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Which set-level gate held the publish back, if one did; `until` is when it opens by itself ("": it doesn't)."""

    reason: str = ""
    blocked: str = ""
    until: str = ""


OPEN = Verdict()


def gate(prepared: Prepared, approve: str | None) -> Verdict:
    """`approve` is the digest of the plan that a person has looked at, though a guard holds it back."""
    if prepared.loaded.registry_broken:
        return Verdict(reason="RootConfigInvalid", blocked=prepared.loaded.registry_broken)
    if prepared.loaded.catalog.registry.suspend:
        return Verdict(reason="Suspended", blocked="registry.yaml says suspend: true")
    if hold := prepared.hold:
        return Verdict(reason="Held", blocked=f'{hold}; "gitopsreg release" ends it', until=hold.until)
    plan = prepared.plan
    if plan.guard and approve is None:
        return Verdict(reason=plan.reason, blocked=plan.guard)
    if plan.guard and approve != plan.digest:
        return Verdict(
            reason=plan.reason, blocked=f'{plan.guard}; "{approve}" is another plan than this one, "{plan.digest}"'
        )
    return OPEN
