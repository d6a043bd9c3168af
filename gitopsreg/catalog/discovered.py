"""Discoveries among the other declarations: their namespace, the host they search, each other. Searches nothing."""

from collections.abc import Iterator, Mapping, Sequence

from gitopsreg.catalog.check import Checked
from gitopsreg.catalog.discovery import DiscoveryFacts
from gitopsreg.catalog.facts import Allowed, NamespaceFacts
from gitopsreg.catalog.overlap import overlapping
from gitopsreg.catalog.ownership import RESERVED
from gitopsreg.catalog.problem import Problem
from gitopsreg.catalog.urls import matches
from gitopsreg.catalog.world import World
from gitopsreg.errors import quoted

# What repositories are grouped by, by type of host; other hosts can't be searched.
_SCOPES: Mapping[str, str] = {
    "github": "organization",
    "gitea": "organization",
    "bitbucket-cloud": "organization",
    "gitlab": "group",
    "bitbucket-dc": "project",
    "azure-devops": "project",
    "registry": "registry",
    "opentofu-git": "registry",
}


def check_discoveries(
    found: Sequence[tuple[Checked, DiscoveryFacts]], world: World
) -> Iterator[tuple[Checked, Problem]]:
    """Everything that is wrong with discoveries and can't be seen in their own files."""
    if not found:
        return
    connections = {name: one.cursor / "spec" for name, one in world.connections.items()}
    hosts = {name: (spec / "type").text for name, spec in connections.items()}
    # Others' URLs are known when something is found.
    urls = {name: (spec / "url").text for name, spec in connections.items() if hosts[name] == "opentofu-git"}
    for one, facts in found:
        namespace = world.namespaces.get(one.slot.namespace)
        for problem in (*_ownership(one.slot.namespace, facts, namespace, urls), *_host(facts, hosts)):
            yield one, problem
    for later, earlier in overlapping([(one.slot.namespace, facts) for one, facts in found]):
        message = f"it may find what {quoted(found[earlier][0].path)} finds"
        hint = "make the patterns of match.name differ in how they begin or end"
        pointer = "/spec/match/name" if found[later][1].pattern else "/spec/scope"
        yield found[later][0], Problem(rule="GR419", message=message, hint=hint, pointer=pointer)


def _ownership(
    name: str, facts: DiscoveryFacts, namespace: Checked | None, urls: Mapping[str, str]
) -> Iterator[Problem]:
    is_mirror = facts.scope == "registry" and {each.lower() for each in facts.namespaces} == {name}
    if name in RESERVED and not is_mirror:
        message = f"the namespace {quoted(name)} is reserved"
        hint = f"only a mirror of {name} may be here (scope: {{registry: …, namespaces: [{name}]}})"
        yield Problem(rule="GR504", message=message, hint=hint, pointer="/spec/scope", on_key=True)
    allowed = namespace.facts.allowed if namespace and isinstance(namespace.facts, NamespaceFacts) else None
    connection = facts.place if facts.scope == "registry" else facts.connection
    if allowed is not None and not any(_admits(entry, connection, urls) for entry in allowed):
        message = f"the namespace {quoted(name)} does not allow this source"
        pointer = "/spec/scope" if facts.scope == "registry" else "/spec/connection"
        hint = "its allowedSources say what it does"
        yield Problem(rule="GR505", message=message, hint=hint, pointer=pointer, on_key=True)


def _admits(entry: Allowed, connection: str, urls: Mapping[str, str]) -> bool:
    """What a URL pattern admits may be known only when something is found; a connection is known now."""
    if entry.url:
        return connection not in urls or matches(entry.url, urls[connection])
    return bool(entry.connection) and entry.connection == connection


def _host(facts: DiscoveryFacts, hosts: Mapping[str, str]) -> Iterator[Problem]:
    name = facts.place if facts.scope == "registry" else facts.connection
    kind = hosts.get(name, "")
    right = _SCOPES.get(kind, "")
    if not facts.scope or not kind or right == facts.scope:
        return
    message = f"the connection {quoted(name)} is of type {quoted(kind)}, which has no {facts.scope} to look at"
    hint = f"write scope: {{{right}: …}}" if right else "name a connection to a host that can be searched"
    yield Problem(rule="GR418", message=message, hint=hint, pointer=f"/spec/scope/{facts.scope}", on_key=True)
