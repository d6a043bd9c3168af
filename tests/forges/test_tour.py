"""docs/authors.md, as a reader types it."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.cli.shell import environment
from tests.forges.checkout import TOP

GUIDES = ("authors.md", "ci.md")


def test_the_tour_of_authors_leads_to_a_green_plan(tmp_path: Path) -> None:
    text = (TOP / "docs/authors.md").read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 5
    nobody = {f"GIT_{who}_{what}": "a@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    variables = environment(
        PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        HOME=str(tmp_path),
        GIT_CONFIG_COUNT="1",
        GIT_CONFIG_KEY_0="init.defaultBranch",
        GIT_CONFIG_VALUE_0="main",
        https_proxy="http://127.0.0.1:9",  # the tour does not depend on anybody's answer
        **nobody,
    )
    script = "set -eu\n" + "\n".join(blocks)
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr.replace("4 files left as they are\n", "")) == (0, ""), done.stdout
    assert "Found 0 errors, 0 warnings" in done.stdout
    assert "1 to add, 0 to change, 0 to remove." in done.stdout
    catalog = tmp_path / "registry"
    assert (catalog / "namespaces/platform/modules/vpc/aws.yaml").is_file()
    assert "/namespaces/data/ @acme/data\n" in (catalog / ".github/CODEOWNERS").read_text()


def test_the_guides_name_what_there_is() -> None:
    hooks = re.findall(r"^- id: (\S+)$", (TOP / ".pre-commit-hooks.yaml").read_text(), re.MULTILINE)
    ci = (TOP / "docs/ci.md").read_text()
    assert set(re.findall(r"gitopsreg-(?:fmt|validate|codeowners)\b", ci)) == set(hooks)
    inputs = re.findall(r"^  ([a-z-]+):\n    description", (TOP / "action.yml").read_text(), re.MULTILINE)
    assert len(inputs) > 7
    assert [name for name in inputs if f"`{name}`" not in ci] == []
    for guide in GUIDES:
        for link in re.findall(r"\]\(([^)#]+)", (TOP / "docs" / guide).read_text()):
            assert (TOP / "docs" / link).exists(), link
