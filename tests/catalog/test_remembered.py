from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitopsreg.catalog.files import CatalogFile
from gitopsreg.catalog.load import load
from gitopsreg.catalog.remembered import Result, decode, encode, named, with_root
from tests.catalog import gallery
from tests.catalog.catalogs import AT_MODULE, AT_NAMESPACE, MODULE, NAMESPACE, WHOLE, a_catalog, a_file
from tests.catalog.hostile import catalogs


def a_result(case: str) -> Result:
    loaded = gallery.loaded(case)
    return Result(
        findings=loaded.findings,
        suppressed=loaded.suppressed,
        paths=tuple(one.path for one in loaded.checked),
        folders=(("content", True), ("gone", False)),
    )


def name(files: dict[str, str | bytes], *more: CatalogFile, root: str = "") -> str:
    found = named(replace(a_catalog(files, *more), root=root, revision=f"from {root}"))
    assert found is not None
    return found[0]


@pytest.mark.parametrize("case", gallery.cases())
def test_what_is_remembered_is_what_was_found(case: str) -> None:
    assert decode(encode(a_result(case))) == a_result(case)


@given(st.binary(max_size=100), st.integers(0, 10_000))
def test_damaged_bytes_are_nothing(damage: bytes, at: int) -> None:
    data = encode(a_result("GR201-types"))
    at %= len(data)
    damaged = data[:at] + damage + data[at + len(damage) + 1 :]
    assert decode(damaged) in {None, a_result("GR201-types")}
    assert decode(data[:at]) is None


@pytest.mark.parametrize("payload", [b"", b"1", b"{}", b'{"findings": [{}]}', b"[" * 100_000])
def test_bytes_of_another_shape_are_nothing(payload: bytes) -> None:
    assert decode(sha256(payload).hexdigest().encode() + b"\n" + payload) is None


def test_the_same_files_have_the_same_name_wherever_they_are() -> None:
    assert name({**WHOLE}) == name({**WHOLE}) == name({**WHOLE}, root="elsewhere/")


def test_any_change_is_another_name() -> None:
    names = {
        name({AT_NAMESPACE: NAMESPACE, AT_MODULE: MODULE}),
        name({AT_NAMESPACE: NAMESPACE, AT_MODULE: MODULE + "#"}),
        name({AT_NAMESPACE: NAMESPACE, AT_MODULE + "x.yaml": MODULE}),
        name({AT_NAMESPACE: NAMESPACE}),
        name({AT_NAMESPACE: NAMESPACE + MODULE, AT_MODULE: ""}),
        name({}, a_file(AT_NAMESPACE, NAMESPACE, "symlink")),
    }
    assert len(names) == 6


def test_what_can_t_be_read_or_is_too_much_has_no_name() -> None:
    def unreadable() -> bytes:
        raise PermissionError

    broken = replace(a_file(AT_MODULE, MODULE), read=unreadable)
    assert named(replace(a_catalog({}), files=(broken,))) is None
    assert named(a_catalog({**WHOLE}), room=100) is None


def test_what_was_named_is_what_is_checked() -> None:
    reads = [MODULE.encode(), b"changed: meanwhile\n"]
    file = replace(a_file(AT_MODULE, MODULE), read=lambda: reads.pop(0))
    found = named(replace(a_catalog({}), files=(file,)))
    assert found is not None
    assert found[1].files[0].read() == found[1].files[0].read() == MODULE.encode()


def test_folders_that_came_or_went_end_it() -> None:
    result = a_result("GR201-types")
    assert result.holds(lambda path: path == "content")
    assert not result.holds(lambda _: True)
    assert not result.holds(lambda _: False)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=40)
@given(catalogs)
def test_any_result_can_be_remembered(files: dict[str, bytes]) -> None:
    loaded = load(replace(a_catalog(files), root="r/"))
    findings = with_root(loaded.findings, "r/", "")
    result = Result(findings=findings, suppressed=(), paths=(), folders=())
    assert decode(encode(result)) == result
    assert with_root(findings, "", "r/") == loaded.findings
