"""How one package went, as its status: conditions with reason and message, failures with their next retry. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from gitopsreg.errors import GitopsregError, StorageError, UpstreamError
from gitopsreg.index.model import Package
from gitopsreg.index.status import PackageStatus, VersionFailure
from gitopsreg.model.condition import Condition, ConditionType
from gitopsreg.model.declaration import OpentofuGitSource
from gitopsreg.reconcile.backoff import is_transient, next_visit, retry_delay, stamp
from gitopsreg.reconcile.draft import Problem
from gitopsreg.reconcile.plan import listed
from gitopsreg.reconcile.resolve import Resolved
from gitopsreg.reconcile.sync import Failure, Synced


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """When, on what catalog revision, and what was known before."""

    now: datetime
    revision: str
    before: PackageStatus | None


def package_status(resolved: Resolved, synced: Synced, after: Package | None, attempt: Attempt) -> PackageStatus:
    """The status of one declared package after a run."""
    before = attempt.before
    failures = tuple(_failures(resolved, synced, attempt))
    error = resolved.error or synced.error
    attempts = (before.attempts if before and _same_spec(resolved, before) else 0) + 1 if error else 0
    return PackageStatus(
        address=resolved.draft.address,
        path=_path(resolved, before),
        conditions=tuple(_conditions(resolved, error, failures, after)),
        listed=listed(after),
        marks=tuple(_marks(after)),
        revision=_applied(resolved, attempt),
        last_attempt=stamp(attempt.now),
        next_attempt=_next_attempt(resolved, failures, attempts, attempt.now),
        attempts=attempts,
        failures=failures,
        skipped=tuple((item.ref, item.reason) for item in resolved.draft.left_out),
        skip_key=resolved.skip_key,
        origin=_origin(resolved),
    )


def _origin(resolved: Resolved) -> str:
    """What a package that was found is called there."""
    declared = resolved.draft.declaration
    return declared.source.address if declared and isinstance(declared.source, OpentofuGitSource) else ""


def _suspended(resolved: Resolved) -> str:
    return (resolved.draft.declaration and resolved.draft.declaration.suspended_by) or "suspend: true"


def _marks(package: Package | None) -> Iterator[tuple[str, str]]:
    for record in package.versions if package else ():
        if record.listing != "listed":
            yield record.version.text, record.listing
        elif record.yanked is not None:
            yield record.version.text, "yanked"


def _same_spec(resolved: Resolved, before: PackageStatus) -> bool:
    """Back-off starts over when the declaration (or a key it names) has changed."""
    return resolved.skip_key.partition(".")[0] == before.skip_key.partition(".")[0]


def _path(resolved: Resolved, before: PackageStatus | None) -> str:
    declared = resolved.draft.declaration or resolved.invalid
    return declared.path if declared else before.path if before else ""


def _applied(resolved: Resolved, attempt: Attempt) -> str:
    """The last revision whose declaration is in force: an invalid or suspended one does not count."""
    if resolved.state in {"resolved", "failed"}:
        return attempt.revision
    return attempt.before.revision if attempt.before else ""


def _failures(resolved: Resolved, synced: Synced, attempt: Attempt) -> Iterator[VersionFailure]:
    same = attempt.before is not None and attempt.before.skip_key == resolved.skip_key
    before = {failure.version: failure for failure in attempt.before.failures} if attempt.before and same else {}
    refused = {problem.version for problem in resolved.draft.refused}
    yield from (failure for failure in resolved.waiting if failure.version not in refused)
    for problem in (*resolved.draft.refused, *(_problem(failure) for failure in synced.failures)):
        attempts = before[problem.version].attempts + 1 if problem.version in before else 1
        seed = f"{resolved.draft.address}@{problem.version}"
        delay = retry_delay(attempts, seed=seed, integrity=not is_transient(problem.reason))
        yield VersionFailure(
            version=problem.version,
            reason=problem.reason,
            message=problem.message,
            attempts=attempts,
            next_retry=stamp(attempt.now + delay),
        )


def _problem(failure: Failure) -> Problem:
    return Problem(version=failure.version, reason=reason_of(failure.error), message=str(failure.error))


def reason_of(error: GitopsregError) -> str:
    """The stable word for an error: its own, or that of its family."""
    if isinstance(error, UpstreamError):
        return error.reason
    return "WriteFailed" if isinstance(error, StorageError) else "InternalError"


def _next_attempt(resolved: Resolved, failures: tuple[VersionFailure, ...], attempts: int, now: datetime) -> str:
    declaration, seed = resolved.draft.declaration, f"{resolved.draft.address}"
    if declaration is None or resolved.state in {"suspended", "unsupported", "invalid"}:
        return ""
    retries = [failure.next_retry for failure in failures]
    if attempts:
        return min([stamp(now + retry_delay(attempts, seed=seed)), *retries])
    if isinstance(declaration.source, OpentofuGitSource) and resolved.state != "late":
        return min(retries, default="")  # its upstream has a schedule of its own
    return min([stamp(now + next_visit(declaration.interval, seed=seed)), *retries])


def _conditions(
    resolved: Resolved, error: GitopsregError | None, failures: tuple[VersionFailure, ...], after: Package | None
) -> Iterator[Condition]:
    abnormal = list(_abnormal(resolved, error, failures))
    yield _ready(resolved, abnormal, after)
    yield from abnormal


def _ready(resolved: Resolved, abnormal: list[Condition], after: Package | None) -> Condition:
    if resolved.state == "late":
        return Condition(type="Ready", status="Unknown", reason="Progressing", message="the upstream is slow to answer")
    if resolved.state == "suspended":
        return Condition(type="Ready", status="Unknown", reason="Suspended", message=_suspended(resolved))
    worst = next((item for item in abnormal if item.type not in {"UpstreamMutated", "Reconciling"}), None)
    if worst:
        return Condition(type="Ready", status="False", reason=worst.reason, message=worst.message)
    count = len(listed(after))
    noun = "version" if count == 1 else "versions"
    return Condition(type="Ready", status="True", reason="Succeeded", message=f"{count} {noun} listed")


def _abnormal(
    resolved: Resolved, error: GitopsregError | None, failures: tuple[VersionFailure, ...]
) -> Iterator[Condition]:
    if resolved.invalid:
        yield _condition("Stalled", resolved.invalid.reason, resolved.invalid.message)
    if resolved.state == "unsupported":
        yield _condition("Stalled", "SourceUnsupported", _unsupported(resolved))
    if error:
        kind: ConditionType = "StorageFailed" if isinstance(error, StorageError) else "FetchFailed"
        yield _condition(kind, reason_of(error), str(error))
    yield from _version_conditions(failures)
    yield from (_condition("UpstreamMutated", item.reason, _of(item)) for item in resolved.draft.mutated)
    if error or failures:
        yield _condition("Reconciling", "ProgressingWithRetry", "tried again by itself, see the next retry")


def _unsupported(resolved: Resolved) -> str:
    source = resolved.draft.declaration.source if resolved.draft.declaration else None
    kind = getattr(source, "type", "?")
    return f'this release does not act on source type "{kind}": suspend the declaration, or use "git" or "catalog"'


def _version_conditions(failures: tuple[VersionFailure, ...]) -> Iterator[Condition]:
    """One condition a kind of trouble; which version has what is in the failures themselves."""
    by_kind: dict[ConditionType, list[VersionFailure]] = {}
    for failure in failures:
        by_kind.setdefault(_kind(failure), []).append(failure)
    for kind, some in by_kind.items():
        noun = "version is" if len(some) == 1 else "versions are"
        names = ", ".join(failure.version for failure in some[:10]) + (", …" if len(some) > 10 else "")
        yield _condition(kind, some[0].reason, f"{len(some)} {noun} not published: {names}")


def _kind(failure: VersionFailure) -> ConditionType:
    if failure.reason == "WriteFailed":
        return "StorageFailed"
    return "FetchFailed" if is_transient(failure.reason) else "VerificationFailed"


def _of(problem: Problem) -> str:
    return f"{problem.version}: {problem.message}"


def _condition(kind: ConditionType, reason: str, message: str) -> Condition:
    return Condition(type=kind, status="True", reason=reason, message=message)
