"""The tables of docs/reliability.md, measured: `python -m tests.reliability.table` writes them."""

import logging
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import structlog

from tests.faults import KINDS, Kind
from tests.reliability import reconciling, scenarios, serving
from tests.reliability.operations import Operation
from tests.reliability.survival import Survival, worst

PAGE = Path("docs/reliability.md")
NOT_POSSIBLE = "–"

# (when, operation) → what comes of the fault
Column = Mapping[tuple[str, str], str]


def reconciler_column(made: Iterable[scenarios.Scenario], kind: Kind) -> Column:
    met: dict[Operation, list[Survival]] = {}
    for scenario in made:
        found = reconciling.survived(scenario, kind)
        for operation in reconciling.operations(scenario):
            met.setdefault(operation, []).extend([found[operation]] if operation in found else [])
    return {("", str(operation)): _cell(met[operation]) for operation in sorted(met)}


def server_column(stage: serving.Stage, kind: Kind) -> Column:
    column = {}
    for moment in serving.MOMENTS:
        found = serving.survived(stage, moment, kind)
        for operation in serving.operations(stage, moment):
            column[moment, str(operation)] = _cell([found[operation]] if operation in found else [])
    return column


def _cell(survivals: list[Survival]) -> str:
    return str(worst(survivals)) if survivals else NOT_POSSIBLE


def committed(name: str, kind: Kind) -> Column:
    """The column as the page has it."""
    begin, end = _markers(name)
    lines = PAGE.read_text(encoding="utf-8").partition(begin)[2].partition(end)[0].strip().splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {_row(row[0]): row[rows[0].index(kind)] for row in rows[2:]}


def _row(label: str) -> tuple[str, str]:
    when, _, operation = label.rpartition(": ")
    return when, operation.strip("`")


def _text(columns: Mapping[Kind, Column]) -> str:
    rows = next(iter(columns.values()))
    lines = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for when, operation in rows:
        label = f"{when}: `{operation}`" if when else f"`{operation}`"
        lines.append(f"| {label} | " + " | ".join(column[when, operation] for column in columns.values()) + " |")
    return "\n".join(lines)


def _markers(name: str) -> tuple[str, str]:
    return f"<!-- {name}: measured by python -m tests.reliability.table -->\n", f"<!-- end of {name} -->"


def _write(name: str, text: str) -> None:
    begin, end = _markers(name)
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(begin)
    PAGE.write_text(f"{before}{begin}\n{text}\n\n{end}{rest.partition(end)[2]}", encoding="utf-8")


def main() -> None:
    logging.disable()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with tempfile.TemporaryDirectory() as folder:
        made = [scenarios.make(name, Path(folder) / name) for name in scenarios.CHANGES]
        _write("reconciler", _text({kind: reconciler_column(made, kind) for kind in KINDS}))
        with serving.a_stage(Path(folder) / "servers") as stage:
            _write("server", _text({kind: server_column(stage, kind) for kind in KINDS}))
    sys.stdout.write(f"{PAGE}\n")


if __name__ == "__main__":
    main()
