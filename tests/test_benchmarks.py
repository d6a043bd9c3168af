"""What the benchmarks stand on: pictures that are the same for the same figures, and registries that can be read."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from benchmarks import plot
from benchmarks.bare_repository import BareRepository
from benchmarks.registry_files import registry_files, with_one_more_version
from gitopsreg.upstream.opentofu_folder import open_folder

SVG = "{http://www.w3.org/2000/svg}"


def growth(*sizes: int) -> dict[str, Any]:
    """Figures as `benchmarks.scale` writes them."""
    cold = [
        {"packages": size, "import s": size / 900, "reconcile s": size / 700, "import MB": 60.0, "reconcile MB": 90.5,
         "store MB": size / 80}
        for size in sizes
    ]  # fmt: skip
    changes = [{"packages": size, "changed": "nothing", "seconds": 0.5, "objects": 1} for size in sizes]
    running = [{"packages": size, "what": "one version upstream", "ms": 12.5, "MB": 80.0} for size in sizes]
    served = [
        {"packages": size, "what": "second start", "ready s": 1, "MB with all packages read": 7} for size in sizes
    ]
    tables = (cold, changes, running, served)
    names = (
        "A registry from nothing", "One change, by `gitopsreg reconcile`", "A process that goes on running",
        "`gitopsreg serve`",
    )  # fmt: skip
    return {"tables": dict(zip(names, tables, strict=True))}


@pytest.mark.parametrize("sizes", [(1_000,), (1_000, 27_479), (300, 1_000, 5_000, 100_000)])
def test_growth_is_drawn_inside_its_picture(sizes: tuple[int, ...]) -> None:
    (name, content), again = *plot.scale(growth(*sizes)), dict(plot.scale(growth(*sizes)))
    assert again == {name: content}
    picture = ET.fromstring(content)
    panels = picture.findall(f"{SVG}g")
    assert len(panels) == 5
    for panel in panels:
        assert len(panel.findall(f"{SVG}circle")) % len(sizes) == 0
        for circle in panel.findall(f"{SVG}circle"):
            assert 0 < float(circle.attrib["cx"]) < 600
            assert 0 < float(circle.attrib["cy"]) < 300


def test_bars_are_as_long_as_their_figures() -> None:
    rows = [{"module": "small", "compared with": name, "ratio": ratio} for name, ratio in (("a", 2.0), ("b", 1.0))]
    ((_, content),) = plot.packing({"tables": {"Packing": rows}})
    first, second = (float(bar.attrib["width"]) for bar in ET.fromstring(content).findall(f"{SVG}g/{SVG}rect"))
    assert first == 2 * second


def test_each_push_has_its_bars() -> None:
    about = {"packages": 9, "remote": "HTTP", "registry": "up", "load": "quiet", "pushed": "a tag"}
    tables = {
        "From the push to the listed version": [about | {"p50 ms": 1.5, "p95 ms": 3.0}],
        "Each push": [about | {"push": nth, "ms": 2.0 + nth} for nth in range(1, 101)],
    }
    (_, bars), (_, pushes) = plot.commit_to_served({"tables": tables})
    assert len(ET.fromstring(bars).findall(f"{SVG}g/{SVG}rect")) == 2
    points = ET.fromstring(pushes).findall(f"{SVG}g/{SVG}circle")
    places = [(float(point.attrib["cx"]), float(point.attrib["cy"])) for point in points]
    assert len(places) == 100
    assert places == sorted(places, key=lambda place: (place[0], -place[1]))


def test_a_made_up_registry_is_one_that_can_be_imported(tmp_path: Path) -> None:
    registry = BareRepository(tmp_path / "registry.git")
    registry.commit(registry_files(30, None))
    entries = open_folder(registry.path).layout.entries
    assert len(entries) == 30
    provider = next(path for path in registry.paths() if path.startswith("providers/"))
    registry.commit([(provider, with_one_more_version(registry.read(provider)))])
    assert registry.read(provider).count(b'"999.0.0"') == 1
    assert len(registry.paths()) == 30
