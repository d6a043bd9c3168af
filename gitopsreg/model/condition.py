"""Conditions: what is true of a declaration right now, and why (the taxonomy of Kubernetes, kept small)."""

from dataclasses import dataclass
from typing import Literal

ConditionType = Literal[
    "Ready", "Reconciling", "Stalled", "FetchFailed", "VerificationFailed", "UpstreamMutated", "StorageFailed",
    "Outdated", "CatalogFetched", "CatalogValid", "Published", "PublishBlocked",
]  # fmt: skip
Truth = Literal["True", "False", "Unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """`reason` is CamelCase and stable; `message` is for people and may change.

    `Ready`, `Catalog…` and `Published` are good when True; the others are abnormal and absent when all is well.
    """

    type: ConditionType
    status: Truth
    reason: str
    message: str = ""


def is_well(conditions: tuple[Condition, ...]) -> bool:
    """Whether they tell of nothing wrong: abnormal conditions are absent then."""
    return len(conditions) == 1 and (conditions[0].status == "True" or conditions[0].reason == "Suspended")
