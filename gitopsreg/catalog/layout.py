"""Path and identity: what a path of the catalog declares, and where a declaration belongs. Reads no file."""

from dataclasses import dataclass

from gitopsreg.catalog.files import DECLARED
from gitopsreg.errors import InvalidName
from gitopsreg.model.address import ModuleAddress, PackageAddress, ProviderAddress, namespace_name

_TOP = {
    "connections": "Connection",
    "storage": "StorageClass",
    "policies": "AccessPolicy",
    "mirrors": "BinaryMirror",
    "alerts": "Alert",
}
_IN_NAMESPACE = {"providers": "Provider", "keys": "SigningKey", "discoveries": "Discovery"}
_SUFFIXES = (".yaml", ".yml")
PLACES = {
    "Registry": "registry.yaml",
    "Namespace": "namespaces/<namespace>/namespace.yaml",
    "Module": "namespaces/<namespace>/modules/<name>/<system>.yaml",
    "Provider": "namespaces/<namespace>/providers/<type>.yaml",
    "SigningKey": "namespaces/<namespace>/keys/<name>.yaml",
    "Discovery": "namespaces/<namespace>/discoveries/<name>.yaml",
} | {kind: f"{folder}/<name>.yaml" for folder, kind in _TOP.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """What may stand at a path: a kind and its identity, both as the path says.

    `kind` is "" where nothing may stand. `address` is the package's, also when the path's letter case or ending is
    wrong (it is `illegal` then): a package badly declared is still declared. It is None when there is no such address.
    """

    kind: str
    namespace: str = ""
    name: str = ""
    system: str = ""
    address: PackageAddress | None = None
    illegal: str = ""


def places_near(path: str) -> tuple[str, ...]:
    """The places of declarations in the same folder of the catalog's root; the registry's own for a file beside it."""
    top = path.partition("/")[0]
    near = tuple(place for place in PLACES.values() if place.partition("/")[0] == top)
    return near or (PLACES["Registry"],)


def folders_near(path: str) -> tuple[str, ...]:
    """The folders that may stand where the path has an unknown one: below a namespace; () elsewhere."""
    parts = path.split("/")
    known = ("modules", *_IN_NAMESPACE)
    return known if len(parts) > 3 and parts[0] == "namespaces" and parts[2] not in known else ()


def path_of(kind: str, *, namespace: str = "", name: str = "", system: str = "") -> str:
    """Where a declaration with this identity belongs."""
    path = PLACES[kind].replace("<namespace>", namespace).replace("<system>", system)
    return path.replace("<name>", name).replace("<type>", name)


def is_declaration(path: str) -> bool:
    """Whether a file at this path must be a declaration (or is an error); other files are somebody else's."""
    return path.partition("/")[0] in DECLARED and path.lower().endswith(_SUFFIXES)


def slot(path: str) -> Slot:
    """What the path declares."""
    stem = path[: path.rindex(".")] if path.lower().endswith(_SUFFIXES) else ""
    match stem.split("/"):
        case ["registry"]:
            return Slot(kind="Registry")
        case [folder, name] if folder in _TOP:
            return Slot(kind=_TOP[folder], name=name, illegal=_why_illegal(name))
        case ["namespaces", namespace, *rest]:
            return _in_namespace(namespace, rest)
        case _:
            return Slot(kind="")


def _in_namespace(namespace: str, rest: list[str]) -> Slot:
    match rest:
        case ["namespace"]:
            return _namespace(namespace)
        case ["modules", name, system]:
            return _package(Slot(kind="Module", namespace=namespace, name=name, system=system))
        case [folder, name] if folder in _IN_NAMESPACE:
            return _package(Slot(kind=_IN_NAMESPACE[folder], namespace=namespace, name=name))
        case _:
            return Slot(kind="")


def _namespace(namespace: str) -> Slot:
    return Slot(kind="Namespace", namespace=namespace, name=namespace, illegal=_why_illegal(namespace))


def _package(found: Slot) -> Slot:
    parts = [found.namespace, found.name, *([found.system] if found.kind == "Module" else [])]
    if found.kind not in {"Module", "Provider"}:
        illegal = _why_illegal(found.namespace) or _why_illegal(found.name)
        return Slot(kind=found.kind, namespace=found.namespace, name=found.name, illegal=illegal)
    illegal, address = "", None
    try:
        address = _address(parts)
    except InvalidName as error:
        illegal = str(error)
        address = _lower_case(parts)
    return Slot(
        kind=found.kind,
        namespace=found.namespace,
        name=found.name,
        system=found.system,
        address=address,
        illegal=illegal,
    )


def _address(parts: list[str]) -> PackageAddress:
    return ModuleAddress(*parts) if len(parts) == 3 else ProviderAddress(*parts)


def _lower_case(parts: list[str]) -> PackageAddress | None:
    try:
        return _address([part.lower() for part in parts])
    except InvalidName:
        return None


def _why_illegal(name: str) -> str:
    try:
        namespace_name(name)
    except InvalidName as error:
        return str(error).replace("namespace", "name", 1)
    return ""
