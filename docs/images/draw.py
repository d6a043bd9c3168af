"""Draws the pictures of this folder, as a terminal shows them: `make docs`, the same bytes each time.

Both are real: a pull request is made of a copy of example-catalog, checked and planned by the commands' own functions.
"""

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.terminal_theme import MONOKAI

from gitopsreg.catalog.directory import read_directory
from gitopsreg.catalog.load import load
from gitopsreg.catalog.report import human_lines
from gitopsreg.cli import plan_change, plan_text, reporting
from gitopsreg.reconcile.proposal import sheet_of
from gitopsreg.settings import Settings

HERE = Path(__file__).parent
EXAMPLE = HERE.parent.parent / "example-catalog"
WIDTH = 128
# Everything that Git would write into a commit, so that its name is the same everywhere.
GIT = {
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_AUTHOR_DATE": "2026-10-01T12:00:00Z",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.com",
    "GIT_COMMITTER_DATE": "2026-10-01T12:00:00Z",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "PATH": os.environ["PATH"],
}
NAMESPACE = "namespaces/platform/namespace.yaml"
LABELS = "namespaces/platform/modules/labels/generic.yaml"
NETWORK = "namespaces/network/modules/vpc/aws.yaml"
DNS = "namespaces/network/modules/dns/aws.yaml"


def main(into: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "catalog"
        shutil.copytree(EXAMPLE, clone)
        git(clone, "init", "--quiet", "--initial-branch", "main")
        git(clone, "add", "--all")
        git(clone, "commit", "--quiet", "--message", "Our registry")
        change(clone)
        draw(into / "plan.svg", "gitopsreg plan --base main", lambda out: plan(out, clone))
        spoil(clone)
        draw(into / "validate.svg", "gitopsreg validate", lambda out: validate(out, clone))


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, env=GIT, check=True)


def change(clone: Path) -> None:
    """What somebody proposes."""
    owner = "- {type: github-team, name: acme/contractors}"
    replace(clone / NAMESPACE, "  aliases: [infra]", f"    {owner}\n  aliases: [infra]")
    replace(clone / NETWORK, "terraform-modules.git #", "network-modules.git #")
    replace(clone / LABELS, "system: generic", "system: generic\n  suspend: true")
    replace(clone / "registry.yaml", "keepLatest: 200", "keepLatest: 50")
    replace(clone / "registry.yaml", "maxRemovedPackages: 5", "maxRemovedPackages: 20")
    source = "source: {type: git, url: https://github.com/acme/terraform-aws-dns.git}"
    (clone / DNS).parent.mkdir()
    (clone / DNS).write_text(
        "apiVersion: gitopsreg.io/v1alpha1\nkind: Module\nmetadata: {name: dns, namespace: network}\n"
        f'spec:\n  system: aws\n  {source}\n  versions: {{constraint: "~> 1.4"}}\n'
    )


def spoil(clone: Path) -> None:
    """Slips that people make."""
    replace(clone / DNS, '{constraint: "~> 1.4"}', "{constrain: ~> 1.4}")
    replace(clone / DNS, "https://github", "http://github")
    replace(clone / LABELS, '{version: "0.2.0"', "{version: 0.20")


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    if old not in text:
        raise SystemExit(f"{path.name} no longer has {old!r}: mend {__file__}")
    path.write_text(text.replace(old, new, 1))


def plan(out: Console, clone: Path) -> None:
    asked = plan_change.Asked(base="main", head="worktree", online=None, index=None)
    plan_text.show(out, sheet_of(plan_change.propose(Settings(catalog=str(clone)), asked)))


def validate(out: Console, clone: Path) -> None:
    found = load(read_directory(clone))
    root = f"{clone}/"
    lines = human_lines(found.findings, files=found.files, seconds=0.1)
    reporting.show([tuple((style, text.replace(root, "")) for style, text in line) for line in lines], out)


class Terminal(Console):
    """One that goes on in the next line where the text is too long, as terminals do."""

    def print(self, *objects: Any, soft_wrap: bool | None = None, **options: Any) -> None:
        del soft_wrap
        super().print(*objects, **options)


def draw(path: Path, command: str, show: Callable[[Console], None]) -> None:
    out = Terminal(
        record=True, file=io.StringIO(), width=WIDTH, force_terminal=True, color_system="truecolor", highlight=False
    )
    out.print(f"$ {command}", style="bold green", markup=False)
    show(out)
    svg = out.export_svg(title=command, theme=MONOKAI, unique_id=path.stem)
    # A picture that fetches fonts from elsewhere tells that elsewhere who looks at it.
    svg = re.sub(r"\s*@font-face \{.*?\}\n", "", svg, flags=re.DOTALL)
    path.write_text("".join(f"{line.rstrip()}\n" for line in svg.splitlines()), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
