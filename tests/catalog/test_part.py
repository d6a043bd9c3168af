"""Catalogs are loaded part by part: what did not change is the same object, and that never changes the answer."""

from collections.abc import Mapping

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitopsreg.catalog.files import CatalogFiles, Grouped, parts_of
from gitopsreg.catalog.load import Memo, load
from tests.catalog.catalogs import (
    AT_KEY,
    AT_MODULE,
    AT_NAMESPACE,
    AT_PROVIDER,
    KEY,
    MODULE,
    NAMESPACE,
    PROVIDER,
    a_catalog,
)

OTHER = "namespaces/other/namespace.yaml"
AT_OTHER = "namespaces/other/modules/vpc/aws.yaml"
_HEAD = "apiVersion: gitopsreg.io/v1alpha1\n"


def _named(text: str, name: str) -> str:
    return text.replace("namespace: platform", f"namespace: {name}").replace("name: platform", f"name: {name}")


def _with(more: str, text: str = NAMESPACE) -> str:
    return text.replace("Platform}", f"Platform, {more}}}")


def _replaced(by: str) -> str:
    return MODULE + f"  deprecation: {{message: gone, replacement: {by}}}\n"


# By path, what may stand there: sound, broken, and all that one file may say of another.
_FILES: Mapping[str, tuple[str, ...]] = {
    AT_NAMESPACE: (
        NAMESPACE,
        NAMESPACE + "x: 1\n",
        _with("aliases: [other, old]"),
        _with("defaults: {timeout: 1m, storageClass: cold}"),
    ),
    AT_MODULE: (MODULE, _replaced("other/vpc/aws"), _replaced("nowhere/vpc/aws"), MODULE + "  storageClass: cold\n"),
    AT_PROVIDER: (PROVIDER, PROVIDER + "  nonsense: 1\n"),
    AT_KEY: (KEY, KEY.replace("  publicKey", "  status: retired\n  publicKey"), "broken: ["),
    OTHER: (_named(NAMESPACE, "other"), _with("aliases: [old]", _named(NAMESPACE, "other"))),
    AT_OTHER: (
        _named(MODULE, "other"),
        _named(_replaced("platform/vpc/aws"), "other"),
        "# gitopsreg:ignore-file GR305 on its way\n" + _named(_replaced("nowhere/x/aws"), "other"),
    ),
    "namespaces/Other/modules/vpc/aws.yaml": (_named(MODULE, "Other"),),
    "namespaces/0ther/namespace.yaml": (_named(NAMESPACE, "0ther"),),
    "storage/cold.yaml": (
        _HEAD + "kind: StorageClass\nmetadata: {name: cold}\nspec: {backend: primary}\n",
        _HEAD + "kind: StorageClass\nmetadata: {name: cold}\nspec: {backend: 1}\n",
    ),
    "registry.yaml": (
        _HEAD + "kind: Registry\nmetadata: {name: registry}\nspec: {defaults: {interval: 1h}}\n",
        _HEAD + "kind: Registry\nmetadata: {name: registry}\nspec: {layout: letter}\n",
    ),
    "alerts/all.yaml": (
        _HEAD + "kind: Alert\nmetadata: {name: all}\nspec: {select: {namespaces: [other]}, sink: {connection: chat}}\n",
    ),
    "namespaces/README.md": ("no declaration",),
}
_FOLDERS = st.sampled_from([(), ("content/internal/1.0.0",)])


@st.composite
def _states(draw: st.DrawFn) -> CatalogFiles:
    paths = draw(st.sets(st.sampled_from(sorted(_FILES))))
    return a_catalog({path: draw(st.sampled_from(_FILES[path])) for path in paths}, folders=draw(_FOLDERS))


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(_states(), min_size=2, max_size=5))
def test_what_is_remembered_has_no_share_in_the_answer(states: list[CatalogFiles]) -> None:
    memo = Memo()
    for files in states:
        assert load(files, memo=memo) == load(files)


@given(_states())
def test_who_knows_the_folders_gives_the_same_parts(files: CatalogFiles) -> None:
    parts = parts_of(files.files)
    grouped = Grouped.of(parts)
    assert parts_of(grouped) is parts
    assert sorted(grouped, key=lambda file: file.path) == list(files.files)


def test_a_change_leaves_other_namespaces_the_same_objects() -> None:
    memo = Memo()
    whole = {AT_NAMESPACE: NAMESPACE, AT_MODULE: MODULE, OTHER: _FILES[OTHER][0], AT_OTHER: _FILES[AT_OTHER][0]}
    before = load(a_catalog(whole), memo=memo).catalog.parts
    after = load(a_catalog(whole | {AT_MODULE: MODULE + "  suspend: true\n"}), memo=memo).catalog.parts
    assert after["other"] is before["other"]
    assert after["platform"] != before["platform"]


def test_who_declares_nothing_leaves_nothing_behind_that_is_old() -> None:
    memo = Memo()
    whole = {AT_NAMESPACE: NAMESPACE, AT_MODULE: MODULE}
    load(a_catalog(whole), memo=memo)
    files = a_catalog(whole | {"registry.yaml": _FILES["registry.yaml"][0]})
    load(files, memo=memo, declare=False)
    assert load(files, memo=memo) == load(files)


def test_what_all_lean_on_changes_all() -> None:
    memo = Memo()
    whole = {AT_NAMESPACE: NAMESPACE, AT_MODULE: MODULE}
    load(a_catalog(whole), memo=memo)
    loaded = load(a_catalog(whole | {"registry.yaml": _FILES["registry.yaml"][0]}), memo=memo)
    assert loaded.catalog.packages[0].interval.total_seconds() == 3600


def test_a_long_chain_of_replacements_is_followed() -> None:
    names = [f"m{number}" for number in range(500)]
    files = {AT_NAMESPACE: NAMESPACE} | {
        f"namespaces/platform/modules/{name}/aws.yaml": _replaced(f"platform/{other}/aws").replace("vpc}", f"{name}}}")
        for name, other in zip(names, [*names[1:], "gone"], strict=True)
    }
    (finding,) = load(a_catalog(files)).findings
    assert (finding.rule, finding.address) == ("GR305", "module:platform/m499/aws")
