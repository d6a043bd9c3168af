"""What a publish changes that is no package: the registry's host name and its namespaces. Pure."""

from collections.abc import Iterator, Mapping

from gitopsreg.index.model import Namespace, Root
from gitopsreg.model.catalog import Catalog, Part, differing
from gitopsreg.reconcile.plan import Change


def around(published: Root | None, catalog: Catalog, settled: Mapping[str, Part]) -> Iterator[Change]:
    """The changes against what is published; a first publish is all new, and there is nothing to tell. `settled` are
    the parts of the catalog that are known to be published.
    """
    if published is None:
        return
    if published.hostname != catalog.registry.hostname:
        note = f"host name: {_name(published.hostname)} becomes {_name(catalog.registry.hostname)}"
        yield Change(address="registry", action="change", notes=(note,), marks=("hostname",))
    changed = [item for _, part in differing(settled, catalog.parts) for item in part.namespaces]
    before = {item.name: item for item in published.namespaces} if changed else {}
    for declared in changed:
        now = Namespace(name=declared.name, display_name=declared.display_name, aliases=declared.aliases)
        was = before.get(declared.name)
        if was is None:
            yield Change(address=f"namespace:{now.name}", action="add", marks=("new namespace",))
        elif was != now:
            yield _changed(was, now)


def _changed(was: Namespace, now: Namespace) -> Change:
    notes = []
    marks: tuple[str, ...] = ()
    if was.display_name != now.display_name:
        notes.append(f'display name: "{was.display_name}" becomes "{now.display_name}"')
    if was.aliases != now.aliases:
        marks = ("alias",)
        notes += [f"alias +{name}" for name in now.aliases if name not in was.aliases]
        notes += [f"alias -{name}" for name in was.aliases if name not in now.aliases]
    return Change(address=f"namespace:{now.name}", action="change", notes=tuple(notes), marks=marks)


def _name(hostname: str | None) -> str:
    return f'"{hostname}"' if hostname else "none"
