"""What operators declare beside packages: connections, storage classes, policies, mirrors, alerts. Each by itself."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from gitopsreg.catalog.cursor import Cursor
from gitopsreg.catalog.legal import INTERVAL, LINK, Range, check_duration, check_parse, duration
from gitopsreg.catalog.policy import check_resource
from gitopsreg.catalog.problem import Problem
from gitopsreg.catalog.urls import url_problem
from gitopsreg.catalog.version_rules import check_versions
from gitopsreg.errors import InvalidName, quoted
from gitopsreg.model.pattern import Pattern

# Where a host is that names no URL of its own.
PUBLIC_HOSTS: Mapping[str, str] = {
    "github": "https://github.com",
    "gitlab": "https://gitlab.com",
    "bitbucket-cloud": "https://bitbucket.org",
    "azure-devops": "https://dev.azure.com",
}
_METHODS: Mapping[str, tuple[str, ...]] = {
    "github": ("github-app", "token", "ssh-key", "none"),
    "registry": ("token", "none"),
    "http": ("token", "basic", "none"),
    "opentofu-git": ("none",),
}
_ALL_METHODS = ("token", "basic", "ssh-key", "none")
_OWN_HOSTS = {"bitbucket-dc", "gitea", "git", "registry", "http"}
_OVER_HTTP = {"registry", "http"}
_GRACE = Range(timedelta(hours=1), timedelta(days=3650), "1h to 3650d")
# Where a store keeps what is no bytes of versions.
_OURS = frozenset(("index", "lease", "private", "probe", "status"))
# As the schema has them: what holds where nothing is said.
_LINK, _KEPT = timedelta(minutes=10), timedelta(days=30)


def check(kind: str, spec: Cursor) -> Iterator[Problem]:
    """The problems of one document of these kinds."""
    if found := _CHECKS.get(kind):
        yield from found(spec)


def base_url(spec: Cursor) -> str:
    """Where the host of a connection is; of one to a registry in a Git repository, that repository."""
    kind = (spec / "type").text
    if kind == "opentofu-git":
        return (spec / "url").text
    return (spec / "baseUrl").text or PUBLIC_HOSTS.get(kind, "")


def _connection(spec: Cursor) -> Iterator[Problem]:
    kind, url, auth = (spec / "type").text, spec / "baseUrl", spec / "auth"
    yield from _url(url, git=kind not in _OVER_HTTP)
    yield from _repository(spec, kind)
    if kind in _OWN_HOSTS and not url.present:
        message = f"nobody knows where a host of type {quoted(kind)} is"
        hint = 'add baseUrl: "https://…"'
        yield Problem(rule="GR421", message=message, hint=hint, pointer=spec.pointer, on_key=True)
    method, known = auth / "method", _METHODS.get(kind, _ALL_METHODS)
    if kind and method.text and method.text not in known:
        message = f"a host of type {quoted(kind)} knows no method {quoted(method.text)}"
        hint = "write one of " + ", ".join(known)
        yield Problem(rule="GR421", message=message, hint=hint, pointer=method.pointer)
    if (auth / "installationOwner").present and (auth / "installationId").present:
        pointer = (auth / "installationId").pointer
        message = '"installationId" can\'t stand beside "installationOwner"'
        yield Problem(rule="GR421", message=message, hint="keep one of the two", pointer=pointer, on_key=True)


def _repository(spec: Cursor, kind: str) -> Iterator[Problem]:
    """A connection of type opentofu-git is to one repository, all others are to hosts."""
    url, base, is_one = spec / "url", spec / "baseUrl", kind == "opentofu-git"
    yield from _url(url, git=True)
    if is_one and not url.present:
        message = "nobody knows where the repository is"
        yield Problem(rule="GR421", message=message, hint='add url: "https://…"', pointer=spec.pointer, on_key=True)
    for wrong, right in ((base, "url"),) if is_one else ((url, "baseUrl"),):
        if kind and wrong.present:
            message = f"{quoted(str(wrong.steps[-1]))} says nothing of a connection of type {quoted(kind)}"
            yield Problem(rule="GR421", message=message, hint=f"write {right}", pointer=wrong.pointer, on_key=True)


def _storage(spec: Cursor) -> Iterator[Problem]:
    prefix = spec / "prefix"
    yield from check_parse(prefix, "GR407", _folder_of_keys)
    link, grace = spec / "redirectTTL", spec / "gc" / "graceAfterUnreferenced"
    yield from check_duration(link, LINK)
    yield from check_duration(grace, _GRACE)
    lives, kept = duration(link) or _LINK, duration(grace) or _KEPT
    if kept < lives and (link.present or grace.present):
        at = grace if grace.present else link
        message = "bytes would be removed while a link to them still works"
        hint = "write a graceAfterUnreferenced that is longer than redirectTTL"
        yield Problem(rule="GR422", message=message, hint=hint, pointer=at.pointer)


def _folder_of_keys(text: str) -> None:
    """Bytes lie in a store, whose keys know fewer characters than folders do."""
    parts = text.removesuffix("/").split("/")
    if not all(re.fullmatch(r"(?!\.{1,2}$)[0-9A-Za-z._+-]+", part) for part in parts):
        raise InvalidName(
            f'{quoted(text)} is no folder of a store: write letters, digits and ._+- joined by "/", like "artifacts/"'
        )
    if parts[0] in _OURS:
        raise InvalidName(
            f'{quoted(text)} lies in a folder of the registry\'s own: write another one, like "artifacts/"'
        )


def _policy(spec: Cursor) -> Iterator[Problem]:
    seen: set[str] = set()
    for rule in spec / "rules":
        name = rule / "name"
        if name.text in seen:
            message = f"the rule {quoted(name.text)} stands twice"
            yield Problem(rule="GR205", message=message, hint="give it another name", pointer=name.pointer)
        seen |= {name.text} - {""}
        for subject in rule / "subjects":
            yield from _url(subject / "issuer")
        for resource in rule / "resources":
            yield from check_resource(resource)


def _mirror(spec: Cursor) -> Iterator[Problem]:
    yield from _url(spec / "index")
    yield from check_versions(spec / "versions", "provider")
    yield from check_duration(spec / "interval", INTERVAL)
    cosign = spec / "verify" / "cosign"
    yield from _url(cosign / "issuer")
    yield from check_parse(cosign / "identityRegexp", "GR402", Pattern.parse)


def _alert(spec: Cursor) -> Iterator[Problem]:
    yield from _url(spec / "sink" / "url")
    for pattern in spec / "exclude":
        yield from check_parse(pattern, "GR402", Pattern.parse)


def _url(at: Cursor, *, git: bool = False) -> Iterator[Problem]:
    if at.text and (problem := url_problem(at.text, at.pointer, git=git)):
        yield problem


_CHECKS: Mapping[str, Callable[[Cursor], Iterator[Problem]]] = {
    "Connection": _connection,
    "StorageClass": _storage,
    "AccessPolicy": _policy,
    "BinaryMirror": _mirror,
    "Alert": _alert,
}
