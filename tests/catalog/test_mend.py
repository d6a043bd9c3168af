import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.catalog import modeline
from gitopsreg.catalog.check import check_file
from gitopsreg.catalog.comments import comments
from gitopsreg.catalog.fix import Edit
from gitopsreg.catalog.load import load
from gitopsreg.catalog.mend import Mended, apply_edits, mend
from gitopsreg.catalog.problem import Span
from tests.catalog import gallery
from tests.catalog.catalogs import AT_MODULE, AT_NAMESPACE, MODULE, NAMESPACE, WHOLE, a_catalog, a_file, a_module
from tests.catalog.yamls import texts

LINE = modeline.line_for("Module") + "\n"
PINNED = a_module("versions:\n  pins:\n    - {version: 1.10.0, commit: abc} # why\n    - version: 2.0  # é\n")


def mended(path: str, content: str | bytes, *taken: str) -> Mended:
    found = mend(a_file(path, content), taken)
    assert found is not None
    return found


def test_what_is_only_not_quoted_is_quoted_and_nothing_else_changes() -> None:
    text = LINE + a_module("description: 15 # minutes\nversions:\n  constraint: 1.10\n")
    found = mended(AT_MODULE, text)
    assert found.data.decode() == text.replace("15 #", '"15" #').replace("1.10", '"1.10"')
    assert found.path == AT_MODULE
    assert found.deeds == (f'{AT_MODULE}:8: write "15"', f'{AT_MODULE}:10: write "1.10"')


@pytest.mark.parametrize(
    "spec",
    [
        "interval: 15",  # "15" is no duration either
        "description: [1]",
        "description:",
        "suspend: yes",  # true, or the word?
        'suspend: "true"',
        "description: !!int 15",
    ],
)
def test_what_needs_a_decision_is_left_alone(spec: str) -> None:
    assert mend(a_file(AT_MODULE, LINE + a_module(spec))) is None


def test_a_modeline_is_added_or_corrected() -> None:
    assert mended(AT_MODULE, MODULE).data.decode() == LINE + MODULE
    wrong = LINE.replace("module.json", "provider.json")
    assert mended(AT_MODULE, wrong + MODULE).data.decode() == LINE + MODULE
    assert mend(a_file(AT_MODULE, LINE + MODULE)) is None


def test_line_ends_and_a_byte_order_mark_stay() -> None:
    text = "\ufeff" + a_module("description: 15").replace("\n", "\r\n")
    found = mended(AT_MODULE, text).data.decode()
    assert found == "\ufeff" + (LINE + a_module('description: "15"')).replace("\n", "\r\n")


def test_a_file_moves_to_where_its_content_and_ending_belong() -> None:
    assert mended(AT_MODULE.replace(".yaml", ".yml"), LINE + MODULE).path == AT_MODULE
    assert mended("namespaces/platform/modules/other/gcp.yml", LINE + MODULE).path == AT_MODULE
    assert mended("namespaces/platform/providers/vpc.yaml", LINE + MODULE).path == AT_MODULE


@pytest.mark.parametrize("other", [AT_MODULE, AT_MODULE.upper(), AT_MODULE.replace(".yaml", ".yml")])
def test_no_file_moves_to_where_another_is(other: str) -> None:
    assert mend(a_file("namespaces/platform/modules/other/aws.yaml", LINE + MODULE), [other]) is None


def test_no_file_changes_its_namespace() -> None:
    text = LINE + MODULE.replace("name: vpc", "name: vpc, namespace: network")
    assert mend(a_file(AT_MODULE, text)) is None


def test_a_modeline_that_is_a_path_goes_on_leading_there() -> None:
    text = "# yaml-language-server: $schema=../../../../../schemas/module.json\n" + MODULE
    found = mended("namespaces/platform/providers/vpc.yaml", text.replace("../../../../..", "../../../.."))
    assert found.path == AT_MODULE
    assert found.data.decode() == text


@pytest.mark.parametrize(
    "spec",
    ["description: ghp_0000000000000000000000000000000000EX\nsuspend: 15", "labels: 15 # AKIAIOSFODNN7EXAMPLE"],
)
def test_a_file_with_a_secret_is_left_alone(spec: str) -> None:
    assert mend(a_file(AT_MODULE, a_module(spec + "\narchiveFormat: 1"))) is None


def test_what_a_comment_ignores_is_left_alone() -> None:
    text = LINE + a_module("# gitopsreg: ignore[GR201] it is a number\ndescription: 15")
    assert mend(a_file(AT_MODULE, text)) is None


@pytest.mark.parametrize("mode", ["symlink", "submodule", "other"])
def test_only_files_are_touched(mode: str) -> None:
    assert mend(replace(a_file(AT_MODULE, MODULE), mode=mode)) is None  # type: ignore[arg-type]


def test_other_files_are_somebody_else_s() -> None:
    assert mend(a_file("namespaces/platform/README.md", "description: 15")) is None
    assert mend(a_file("docs/a.yaml", MODULE)) is None


def test_hundreds_of_slips_are_mended_at_once() -> None:
    pins = "".join(f"    - {{version: {number}.0}}\n" for number in range(250))
    text = LINE + a_module("versions:\n  yanked:\n" + pins.replace("}", ", reason: 1}"))
    found = mended(AT_MODULE, text)
    assert found.data.decode().count('"') == 4 * 250
    assert mend(a_file(AT_MODULE, found.data)) is None


@pytest.mark.parametrize("case", gallery.cases())
def test_mending_a_bad_catalog_twice_is_mending_it_once(case: str) -> None:
    files = gallery.loaded(case)
    paths = [one.path for one in files.checked]
    for one in files.checked:
        if one.document is None:
            continue
        first = mend(a_file(one.path, one.document.text), paths)
        if first is not None:
            assert mend(a_file(first.path, first.data), [*paths, first.path]) is None
            before = [comment.text for comment in comments(one.document.text)]
            after = [comment.text for comment in comments(first.data.decode())]
            assert [text for text in after if "$schema" not in text] == [
                text for text in before if "$schema" not in text
            ]


def test_findings_say_how_they_are_mended() -> None:
    at = "namespaces/platform/modules/other/aws.yaml"
    found = load(a_catalog({AT_NAMESPACE: NAMESPACE, at: LINE + a_module("description: 15")})).findings
    (path,) = [finding.fix for finding in found if finding.rule == "GR104"]
    (type_,) = [finding.fix for finding in found if finding.rule == "GR201"]
    assert path is not None
    assert path.move_to == AT_MODULE
    assert type_ is not None
    assert type_.edits == (Edit(Span(8, 16, 8, 18), '"15"'),)


def test_a_move_that_can_t_be_is_not_offered() -> None:
    twin = AT_MODULE.replace(".yaml", ".yml")
    found = load(a_catalog({AT_NAMESPACE: NAMESPACE, AT_MODULE: MODULE, twin: MODULE})).findings
    assert [finding.fix for finding in found if finding.rule == "GR105"] == [None]


@given(st.sampled_from(sorted(WHOLE.items())), st.randoms(use_true_random=False))
def test_any_damaged_declaration_is_mended_in_one_go_and_never_made_worse(
    item: tuple[str, str], chance: random.Random
) -> None:
    path, text = item
    data = bytearray(text.encode())
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data))
        data[at : at + chance.randint(0, 3)] = bytes(chance.choices(b"0123.:{}[]'\"# \nab&*", k=chance.randint(0, 3)))
    check(path, bytes(data))


@given(texts())
def test_any_yaml_is_mended_in_one_go_and_never_made_worse(text: str) -> None:
    check(AT_MODULE, text.encode())


def check(path: str, data: bytes) -> None:
    found = mend(a_file(path, data))
    if found is None:
        return
    assert mend(a_file(found.path, found.data)) is None
    before, after = check_file(a_file(path, data)), check_file(a_file(found.path, found.data))
    assert before.document is not None
    assert after.document is not None
    assert sum(one.severity == "error" for one in after.findings) <= sum(
        one.severity == "error" for one in before.findings
    )


@pytest.mark.parametrize(
    ("text", "edits", "right"),
    [
        ("abc", [Edit(Span(1, 2, 1, 3), "X")], "aXc"),
        ("a\r\nb\u2028c\n", [Edit(Span(3, 1, 3, 2), "C"), Edit(Span(1, 1, 1, 2), "A")], "A\r\nb\u2028C\n"),
        ("ab\ncd\n", [Edit(Span(1, 2, 2, 2), "-"), Edit(Span(2, 2, 2, 3), "D")], "a-D\n"),
        ("abcd", [Edit(Span(1, 1, 1, 4), "x"), Edit(Span(1, 2, 1, 3), "y")], "aycd"),
        ("a", [Edit(Span(1, 1, 1, 1), "#\n")] * 2, "#\na"),
    ],
)
def test_edits_are_done_by_position(text: str, edits: list[Edit], right: str) -> None:
    assert apply_edits(text, edits) == right
