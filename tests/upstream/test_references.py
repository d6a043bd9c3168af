import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.upstream.references import is_module_file, local_sources


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('module "a" {\n  source = "../a"\n}', ("../a",)),
        ('module "a" { source = "./a" }\nmodule "b" {\n  count = 1\n  source="../b"\n}', ("./a", "../b")),
        ('module a {\n  providers = { aws = aws.x }\n  source = ".."\n}', ("..",)),
        ('module "a" {\n  source = "platform/vpc/aws"\n}', ()),
        ('module "a" {\n  source = ".hidden/a"\n}', ()),
        ('# module "a" { source = "../a" }', ()),
        ('// module "a" { source = "../a" }', ()),
        ('/* module "a" {\n source = "../a"\n} */', ()),
        ('resource "x" "y" {\n  source = "../file"\n}', ()),
        ('resource "x" "y" {\n  module "z" {\n    source = "../file"\n  }\n}', ()),
        ('module "a" {\n  nested {\n    source = "../file"\n  }\n}', ()),
        ('locals {\n  x = <<-EOT\n    module "a" {\n      source = "../a"\n    }\n  EOT\n}', ()),
        ('locals {\n  x = "${lookup({ a = "b" }, "a")}"\n}\nmodule "a" {\n  source = "../a"\n}', ("../a",)),
        ('locals {\n  x = "a \\" {"\n}\nmodule "a" {\n  source = "../a"\n}', ("../a",)),
        ('module "a" {\n  # source = "../old"\n  source = "../new" # why\n}', ("../new",)),
    ],
)
def test_hcl(text: str, expected: tuple[str, ...]) -> None:
    assert local_sources("main.tf", text.encode()) == expected
    assert local_sources("main.tofu", text.encode()) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"module": {"a": {"source": "../a"}, "b": [{"source": "./b"}]}}', ("../a", "./b")),
        ('{"module": [{"a": {"source": "../a"}}]}', ("../a",)),
        ('{"resource": {"a": {"source": "../a"}}}', ()),
        ('{"module": {"a": {"source": 1}, "b": null}}', ()),
        ("[]", ()),
        ("not json", ()),
        ("[" * 100_000, ()),
    ],
)
def test_json(text: str, expected: tuple[str, ...]) -> None:
    assert local_sources("main.tf.json", text.encode()) == expected


@given(st.text('module "{}=source<-EOT/*#\n\\$'))
def test_no_text_makes_it_stumble(text: str) -> None:
    for name in ("a.tf", "a.tf.json"):
        local_sources(name, text.encode())


JUNK = st.lists(
    st.sampled_from(
        [
            "a = b", 'c = "}"', 'd = "{\\""', "# }", "// {", "/* { */", "e = <<X\n{\nX", "f {\n}",
            'g "h" {\n  i = "."\n}', "p = q[0].r / 2",
            'module "z" {\n  source = "../no"\n}', "j = { k = { l = 1 } }", 'm = "${n}"', "o = 1 < 2",
        ]
    ).map(lambda line: f"{line}\n")
).map("".join)  # fmt: skip


@given(JUNK, JUNK, JUNK)
def test_what_lies_around_and_between_changes_nothing(before: str, inside: str, after: str) -> None:
    text = f'resource "a" "b" {{\n{before}}}\nmodule "m" {{\n{inside}source = "../this"\n}}\nlocals {{\n{after}}}\n'
    assert local_sources("main.tf", text.encode()) == ("../this",)
    assert local_sources("main.tf", text.replace('"../this"', '"acme/this/aws"').encode()) == ()


@pytest.mark.parametrize("piece", ["/*", "<<A\n", '"', '\\"', '"\\', "{", "module ", "<<-", '"${', "a"])
def test_a_hostile_file_takes_no_longer_than_its_length(piece: str) -> None:
    """Would take minutes if the end of each were looked for again and again."""
    assert local_sources("main.tf", (piece * 500_000).encode()[: 1024 * 1024]) == ()


def test_bytes_that_are_no_text_are_read() -> None:
    assert local_sources("main.tf", b'\xff module "a" {\n source = "../a"\n}') == ("../a",)


def test_names_of_configuration_files() -> None:
    assert [is_module_file(name) for name in ("a.tf", "a.tofu", "a.tf.json", "a.tofu.json")] == [True] * 4
    assert not any(is_module_file(name) for name in ("a.tfvars", "a.json", "tf", "a.tf.bak", "a.tftest.hcl"))
