from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from gitopsreg.errors import ConfigError, UpstreamUnavailable
from gitopsreg.transport.http_json import Asker
from gitopsreg.upstream.module_registry import ModuleRegistry, NoListing
from gitopsreg.upstream.moving import Wish, wanted
from tests.foreign_registry import ForeignRegistry, foreign_registry, serving

MODULES = {f"acme/m{number}/aws": {"1.0.0": "git::https://e.com/m?ref=v1.0.0"} for number in range(5)}
MODULES |= {"other/m/aws": {"1.0.0": "x", "v1.1.0": "y"}}


def at(registry: ForeignRegistry, asker: Asker) -> ModuleRegistry:
    return ModuleRegistry.at(asker.get, registry.url)


@pytest.mark.parametrize(
    "how",
    [{"page": 1}, {"page": 2, "by_url": True}, {"page": 100}, {"page": 2, "busy": 2}],
    ids=["one by one", "by links", "at once", "busy at first"],
)
def test_all_pages_are_read(how: Mapping[str, Any]) -> None:
    with foreign_registry(MODULES, **how) as registry, Asker(allow_local=True, pause=lambda _: None) as asker:
        assert list(at(registry, asker).modules()) == list(MODULES)
        assert list(at(registry, asker).modules("other")) == ["other/m/aws"]


@pytest.mark.parametrize("in_body", [False, True])
def test_versions_and_where_they_lie(in_body: bool) -> None:
    with foreign_registry(MODULES, in_body=in_body) as registry, Asker(allow_local=True) as asker:
        ours = at(registry, asker)
        assert ours.versions("other/m/aws") == ("1.0.0", "v1.1.0")
        assert ours.location("other/m/aws", "v1.1.0") == "y"
        with pytest.raises(UpstreamUnavailable) as caught:
            ours.versions("other/n/aws")
    assert caught.value.reason == "NotFound"


def test_a_registry_that_lists_nothing() -> None:
    with foreign_registry(MODULES, lists=False) as registry, Asker(allow_local=True) as asker:
        with pytest.raises(NoListing):
            list(at(registry, asker).modules())
        wish = Wish.parse([], namespaces=["acme"], into="", constraint="")
        with pytest.raises(ConfigError, match="write their addresses"):
            wanted(at(registry, asker), wish)


def test_a_registry_whose_pages_have_no_end() -> None:
    """What comes again is nothing new: it is not asked for a third time."""

    class Endless(ForeignRegistry):
        def answer(self, target: str) -> tuple[int, dict[str, str], object]:
            status, headers, document = super().answer(target)
            if isinstance(document, dict) and "meta" in document:
                document["meta"] = {"current_offset": 0, "next_offset": 2}
            return status, headers, document

    registry = Endless({name: MODULES[name] for name in list(MODULES)[:2]})
    with serving(registry), Asker(allow_local=True) as asker:
        assert len(list(at(registry, asker).modules())) == 2
    assert len(registry.asked) == 3


@pytest.mark.parametrize(
    "answer", [[], {}, {"modules.v1": 7}, {"modules.v1": "ftp://x/"}, b"<html>", b"[" * 100_000, b"x" * 17_000_000]
)
def test_a_host_that_is_no_registry(answer: object) -> None:
    with (
        foreign_registry(MODULES, discovery=answer) as registry,
        Asker(allow_local=True) as asker,
        pytest.raises(UpstreamUnavailable),
    ):
        at(registry, asker).versions("acme/m0/aws")


@pytest.mark.parametrize(
    "document",
    [{"modules": None}, {"modules": []}, {"modules": [None]}, {"modules": [{"versions": [None, 7, {}]}]}, {}],
)
def test_odd_lists_of_versions_are_empty(document: object) -> None:
    class Odd(ForeignRegistry):
        def answer(self, target: str) -> tuple[int, dict[str, str], object]:
            return (200, {}, document) if target.endswith("/versions") else super().answer(target)

    with serving(Odd({})) as registry, Asker(allow_local=True) as asker:
        assert at(registry, asker).versions("a/b/c") == ()


def test_a_namespace_with_nothing_new_in_it_is_there() -> None:
    class Alike(ModuleRegistry):
        def modules(self, namespace: str = "") -> Iterator[str]:
            yield f"{namespace.lower()}/vpc/aws"

    registry = Alike(pytest.fail, "https://registry.example.com/v1/modules/")
    assert wanted(registry, Wish.parse((), namespaces=("acme", "Acme"), into="", constraint="")) == ("acme/vpc/aws",)
