"""Draws docs/images/bench-*.svg from what the other scripts wrote with `--json`.

`python -m benchmarks.plot FOLDER [INTO]`: FOLDER has scale.json, hot_path.json, packing.json, commit_to_served.json, or
some of them; INTO is docs/images by default.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.svg import Bars, Lines, picture

IMAGES = Path(__file__).parents[1] / "docs" / "images"

_Row = Mapping[str, Any]
_Drawn = Iterator[tuple[str, str]]  # (name of the picture, its content)


def main(folder: Path, into: Path) -> None:
    for name, draw in PICTURES.items():
        file = folder / f"{name}.json"
        if not file.exists():
            print(f"no {file.name} in {folder}: its pictures stay as they are")
            continue
        for picture_name, content in draw(json.loads(file.read_text())):
            path = into / f"bench-{picture_name}.svg"
            path.write_text(content, encoding="utf-8")
            print(f"drew {path}")


def scale(document: Any) -> _Drawn:
    tables: Mapping[str, list[_Row]] = document["tables"]
    cold, changes = tables["A registry from nothing"], tables["One change, by `gitopsreg reconcile`"]
    running, served = tables["A process that goes on running"], tables["`gitopsreg serve`"]
    first = {"import": _points(cold, "import s"), "first reconcile": _points(cold, "reconcile s")}
    memory = {
        "first reconcile": _points(cold, "reconcile MB"),
        "import": _points(cold, "import MB"),
        "reconcile --watch": _points([row for row in running if row["what"] == "one version upstream"], "MB"),
        "serve": _points([row for row in served if row["what"] == "second start"], "MB with all packages read"),
        "the store": _points(cold, "store MB"),
    }
    starts = {row["what"]: row["what"] for row in served}
    seconds = _by(changes, "changed", "seconds") | {
        f"serve, {name}": _points([row for row in served if row["what"] == name], "ready s") for name in starts
    }
    panels = (
        Lines(title="From nothing", y="seconds", series=first),
        Lines(title="Memory at its peak", y="MB", series=memory),
        Lines(title="One change, a process for each", y="seconds, start included", series=seconds),
        Lines(title="One change, in a process that goes on", y="milliseconds", series=_by(running, "what", "ms")),
        Lines(
            title="Objects written for a change",
            y="objects",
            series=_by(changes, "changed", "objects"),
            logarithmic=False,
        ),
    )
    yield "growth", picture(panels, columns=2)


def hot_path(document: Any) -> _Drawn:
    groups: dict[str, dict[str, float]] = defaultdict(dict)
    for row in document["figures"]:
        if row["workers"] == 1 and (row["server"] == "gitopsreg" or not row["token"]):
            groups[row["case"]][row["server"] + (", with a token" if row["token"] else "")] = row["per_second"]
    yield "hot-path", picture([Bars(title="Answers a second, one worker", unit="/s", groups=groups)])


def packing(document: Any) -> _Drawn:
    groups: dict[str, dict[str, float]] = defaultdict(dict)
    for rows in document["tables"].values():
        for row in rows:
            groups[row.get("module") or row["what"]][row["compared with"]] = row["ratio"]
    title = "How many times as fast as (the dashed line: just as fast)"
    yield "packing", picture([Bars(title=title, unit="×", groups=groups, goal=1.0)])


def commit_to_served(document: Any) -> _Drawn:
    groups: dict[str, dict[str, float]] = defaultdict(dict)
    for row in document["tables"]["From the push to the listed version"]:
        group = groups[f"{row['packages']:,} packages, remotes are {row['remote']}, {row['registry']}, {row['load']}"]
        group |= {f"{row['pushed']}, p50": row["p50 ms"], f"{row['pushed']}, p95": row["p95 ms"]}
    yield "commit-to-served", picture([Bars(title="From the push to the listed version", unit="ms", groups=groups)])
    yield "pushes", picture(list(_pushes(document["tables"]["Each push"])), columns=2)


def _pushes(rows: list[_Row]) -> Iterator[Lines]:
    """One push after the other: what grew with them would be seen."""
    panels: dict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        panels[f"Remotes are {row['remote']}, {row['registry']}, {row['load']}"].append(row)
    for title, found in panels.items():
        series: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for row in found:
            series[row["pushed"]].append((row["push"], row["ms"]))
        yield Lines(title=title, x="push", y="milliseconds", series=series, logarithmic=False)


def _points(rows: list[_Row], column: str) -> list[tuple[float, float]]:
    return [(row["packages"], row[column]) for row in rows if column in row]


def _by(rows: list[_Row], name: str, column: str) -> dict[str, list[tuple[float, float]]]:
    series: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row in rows:
        series[row[name]].append((row["packages"], row[column]))
    return dict(series)


PICTURES: dict[str, Callable[[Any], _Drawn]] = {
    "scale": scale,
    "hot_path": hot_path,
    "packing": packing,
    "commit_to_served": commit_to_served,
}

if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2:] else IMAGES)
