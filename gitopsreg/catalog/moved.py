"""The declarations of modules that move here from another registry: what each file says. Pure; writes nothing."""

from collections.abc import Iterable

from gitopsreg.catalog import compose
from gitopsreg.catalog.facts import SourceFacts
from gitopsreg.catalog.layout import path_of
from gitopsreg.catalog.legal import is_inside
from gitopsreg.catalog.mirrored import namespace, place_of
from gitopsreg.catalog.ownership import RESERVED, UNUSABLE, is_mirror
from gitopsreg.catalog.urls import UNENCRYPTED, url_problem
from gitopsreg.errors import quoted


def moved(modules: Iterable[compose.NewModule], *, is_new: bool) -> dict[str, str]:
    """Path → text, in an order of which any first part is a valid catalog; registry.yaml too where it `is_new`."""
    found = sorted(modules, key=lambda module: module.address)
    files = {path_of("Registry"): _registry()} if is_new else {}
    for name in sorted({module.address.namespace for module in found}):
        files[path_of("Namespace", namespace=name)] = namespace(name)
    return files | {place_of(module.address): compose.module(module) for module in found}


def refusal(module: compose.NewModule) -> str:
    """Why no catalog can declare it, "" when one can."""
    name = module.address.namespace
    if name in UNUSABLE:
        return f"{quoted(name)} can't be a namespace: it is a path of the registry protocol"
    if name in RESERVED and not is_mirror(SourceFacts(type="git", url=module.url), module.address):
        return f"the namespace {quoted(name)} is reserved: choose another one with --into"
    if (problem := url_problem(module.url, "", git=True)) and problem.rule != UNENCRYPTED:
        return problem.message
    if module.path and not (is_inside(module.path) and not set("#%") & set(module.path)):
        return f"{quoted(module.path)} is no folder that a catalog can name"
    return ""


def _registry() -> str:
    *head, _ = compose.head("Registry", "{name: default}")
    return compose.whole([*head, "spec: {}"])
