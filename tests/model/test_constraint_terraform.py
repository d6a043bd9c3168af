"""Our reading of constraints against the real terraform's choice: a few hundred generated cases, always the same."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from gitopsreg.errors import InvalidName
from gitopsreg.model.constraint import Constraint, Reading
from gitopsreg.model.version import Version
from tests.model.fake_registry import serving
from tests.terraform import Terraform

pytestmark = pytest.mark.e2e

REFUSED = "refused"
MALFORMED_AT = re.compile(r"Invalid version constraint on main\.tf line \d+, in (?:module \"m|terraform: \d+: p)(\d+)")
HOST = "reg.test"
PRE_RELEASES = ("alpha", "beta.2", "rc.1", "0")
# What nobody may be made to guess: each is refused by both of Terraform's libraries, so by us.
MALFORMED = (
    "", " ", ",", "1.0,", "1.0,,2.0", ">=1.0 <2.0", "=>1.0", "=<1.0", "==1.0", "> =1.0", "^1.0", "~1.0", "!1.0", "1.x",
    "latest", ">=", "1.2.", ".1", "1 .0", "1.0 || 2.0", "1.0 - 2.0", ">= 9223372036854775808", ">=1.0.0+", "1.0.0-a.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    versions: tuple[str, ...]
    constraint: str

    def expected(self, reading: Reading) -> str | None:
        """The newest version that we admit."""
        try:
            constraint = Constraint.parse(self.constraint, reading)
        except InvalidName:
            return REFUSED
        admitted = [text for text in self.versions if constraint.admits(Version.parse(text))]
        return max(admitted, key=Version.parse, default=None)


def some_versions(random: Random) -> tuple[str, ...]:
    """Small numbers, so that constraints often hit; versions that differ in build metadata only are never published."""
    found: dict[str, str] = {}
    for _ in range(random.randrange(2, 12)):
        number = ".".join(str(random.choice((0, 1, 1, 2, 3, 10))) for _ in range(3))
        if random.random() < 0.3:
            number += "-" + random.choice(PRE_RELEASES)
        found[number] = number + random.choice(("", "", "", "", "+b.5"))
    return tuple(found.values())


def some_constraint(random: Random, versions: Sequence[str]) -> str:
    if random.random() < 0.06:
        return random.choice(MALFORMED)
    if random.random() < 0.15:
        return random.choice(("", "=", "= ")) + random.choice(versions)
    pieces: list[str] = []
    for _ in range(random.choice((1, 1, 1, 2, 2, 3))):
        # Two pre-releases in one list are ranked by SemVer here, and not by Terraform's library for providers.
        pieces.append(some_piece(random, versions, only_release=any("-" in piece for piece in pieces)))
    return random.choice((",", ", ", " , ", "\n,\t")).join(pieces)


def some_piece(random: Random, versions: Sequence[str], *, only_release: bool) -> str:
    operator = random.choice(("", "=", "!=", ">", ">=", "<", "<=", "~>", "~>"))
    number = random.choice(versions)
    if random.random() < 0.4:
        number = ".".join(str(random.choice((0, 1, 2, 3, 10))) for _ in range(3))
    if "-" not in number or only_release or random.random() < 0.2:
        core = re.split("[-+]", number)[0].split(".")
        number = ".".join(core[: random.choice((1, 2, 3, 3))]) + random.choice(("", "", "", "", "", "+b.5"))
    gap = random.choice(("", " ") * 12 + ("  ", "\t")) if operator else ""
    prefix = random.choice(("",) * 24 + ("v",))
    before, after = random.choice(("", "", "", " ", "\t")), random.choice(("", "", "", " ", "\n"))
    return f"{before}{operator}{gap}{prefix}{number}{after}"


def cases(count: int, seed: int) -> list[Case]:
    random = Random(seed)
    made: list[Case] = []
    for _ in range(count):
        versions = some_versions(random)
        made.append(Case(versions, some_constraint(random, versions)))
    return made


def modules(constraints: Mapping[int, str]) -> str:
    return "\n".join(
        f'module "m{i}" {{\n  source = "{HOST}/acme/m{i}/aws"\n  version = {json.dumps(constraint)}\n}}'
        for i, constraint in constraints.items()
    )


def providers(constraints: Mapping[int, str]) -> str:
    lines = (f'p{i} = {{ source = "{HOST}/acme/p{i}", version = {json.dumps(c)} }}' for i, c in constraints.items())
    return "\n".join(["terraform {", "required_providers {", *lines, "}", "}"])


def chosen_by_terraform(
    folder: Path, made: Sequence[Case], address: str, write: Callable[[Mapping[int, str]], str], command: str
) -> list[str | None]:
    """Malformed constraints are reported together and stop the rest: they are taken out and terraform asked again."""
    root = folder / "root"
    root.mkdir()
    asked = {i: case.constraint for i, case in enumerate(made)}
    with serving({address.format(i): case.versions for i, case in enumerate(made)}) as registry:
        terraform = Terraform(folder / "home", hosts={HOST: registry.url})
        malformed = True
        while malformed:
            (root / "main.tf").write_text(write(asked), encoding="utf-8")
            registry.chosen.clear()
            found = MALFORMED_AT.findall(terraform.run(command, cwd=root).output)
            malformed = bool(found)
            for i in map(int, found):
                asked.pop(i, None)
    return [registry.chosen.get(address.format(i)) if i in asked else REFUSED for i in range(len(made))]


def differences(made: Sequence[Case], theirs: Sequence[str | None], reading: Reading) -> list[str]:
    return [
        f"{case}: terraform {chosen}, we {case.expected(reading)}"
        for case, chosen in zip(made, theirs, strict=True)
        if chosen != case.expected(reading)
    ]


def assert_cases_tell(theirs: Sequence[str | None]) -> None:
    """Each kind of answer is there in numbers: a run in which terraform did nothing would agree with anything."""
    assert theirs.count(REFUSED) > len(theirs) / 20
    assert theirs.count(None) > len(theirs) / 20
    assert sum(bool(chosen) and chosen != REFUSED for chosen in theirs) > len(theirs) / 3
    assert sum("-" in (chosen or "") for chosen in theirs) >= 4
    assert sum("+" in (chosen or "") for chosen in theirs) >= 4


def test_modules_are_chosen_as_terraform_chooses(tmp_path: Path) -> None:
    made = cases(320, seed=1)
    theirs = chosen_by_terraform(tmp_path, made, "acme/m{}/aws", modules, "get")
    assert differences(made, theirs, "module") == []
    assert_cases_tell(theirs)


def test_providers_are_chosen_as_terraform_chooses(tmp_path: Path) -> None:
    made = cases(240, seed=2)
    theirs = chosen_by_terraform(tmp_path, made, "acme/p{}", providers, "init")
    assert differences(made, theirs, "provider") == []
    assert_cases_tell(theirs)


@pytest.mark.parametrize(
    ("address", "write", "command"), [("acme/m{}/aws", modules, "get"), ("acme/p{}", providers, "init")]
)
def test_wildcards_are_ours_alone(
    tmp_path: Path, address: str, write: Callable[[Mapping[int, str]], str], command: str
) -> None:
    made = [Case(("1.0.0", "1.2.0"), wildcard) for wildcard in ("*", "1.*", "= 1.*", "1.2.*")]
    assert chosen_by_terraform(tmp_path, made, address, write, command) == [REFUSED] * len(made)
    assert [case.expected("module") for case in made] == ["1.2.0"] * len(made)


@pytest.mark.pitfall(35)
def test_pitfall_35_one_version_with_v_makes_a_provider_unusable(tmp_path: Path) -> None:
    made = [Case(("1.0.0", "v2.0.0"), ">= 1.0"), Case(("1.0.0",), ">= 1.0")]
    assert chosen_by_terraform(tmp_path, made, "acme/p{}", providers, "init") == [None, "1.0.0"]
