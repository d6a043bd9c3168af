"""A proposal for programs. The same proposal is the same text: no time and no path of this machine is in it."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gitopsreg.cli.output import plain
from gitopsreg.cli.plan_published import change_as_json

if TYPE_CHECKING:
    from gitopsreg.catalog.difference import Change, Effect
    from gitopsreg.catalog.report import Finding
    from gitopsreg.reconcile.proposal import Online, Proposal


def as_json(proposal: "Proposal") -> dict[str, Any]:
    return {
        "base": proposal.base,
        "head": proposal.head,
        "digest": proposal.digest,
        "hasChanges": proposal.has_changes,
        "held": proposal.held,
        "registryBroken": proposal.loaded.registry_broken,
        "changes": [_change(change) for change in proposal.difference.changes],
        "objections": [_finding(finding) for finding in proposal.objections],
        "findings": [_finding(finding) for finding in proposal.loaded.findings],
        "online": _online(proposal.online) if proposal.online else None,
    }


def _change(change: "Change") -> dict[str, Any]:
    return {
        "subject": change.subject,
        "action": change.action,
        "path": change.path,
        "risks": plain(change.risks),
        "effects": [_effect(effect) for effect in change.effects],
        "spec": change.spec,
        "message": change.message,
    }


def _effect(effect: "Effect") -> dict[str, Any]:
    return {
        "field": effect.field,
        "item": effect.item,
        "how": effect.how,
        "before": effect.before,
        "after": effect.after,
        "place": effect.place,
        "inherited": effect.inherited,
        "risk": plain(effect.risk) if effect.risk.mark else None,
    }


def _finding(finding: "Finding") -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "message": finding.message,
        "path": finding.path,
        "line": finding.line,
        "column": finding.column,
        "address": finding.address,
    }


def _online(online: "Online") -> dict[str, Any]:
    forecast: dict[str, Any] = plain(replace(online.forecast, away=()))
    del forecast["away"]  # each of them is silent
    return {
        "against": online.against,
        "digest": online.plan.digest,
        "guard": online.plan.guard,
        "reason": online.plan.reason,
        "changes": [change_as_json(change) for change in online.plan.changes],
    } | forecast
