"""`gitopsreg import modules`, against a real server of somebody else's and against one of ours."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitopsreg.cli.main import run
from tests.cli.shell import Ran, gitopsreg
from tests.foreign_registry import ForeignRegistry, foreign_registry
from tests.server.house import a_registry

GIT = "git::https://git.example.com/acme/terraform-aws-{}.git"
Environment = dict[str, str]
COMMIT = "9c1d0f3b5b1b4a0e2f6c7d8e9f00112233445566"


def tagged(name: str, *versions: str) -> dict[str, str]:
    return {version: f"{GIT.format(name)}?ref=v{version}" for version in versions}


MODULES: dict[str, dict[str, str]] = {
    "acme/vpc/aws": tagged("vpc", "1.0.0", "1.1.0", "2.0.0-rc.1"),
    "acme/mono/aws": {"0.1.0": "git::https://git.example.com/acme/mono.git//modules/x?ref=x/v0.1.0"},
    "Acme/Pinned/aws": {"3.0.0": f"{GIT.format('pinned')}?ref={COMMIT}"},
    "acme/packed/aws": {"1.0.0": "https://files.example.com/packed-1.0.0.tar.gz"},
    "other/thing/google": tagged("thing", "1.0.0"),
}


@pytest.fixture
def foreign() -> Iterator[ForeignRegistry]:
    with foreign_registry(MODULES) as registry:
        yield registry


def imported(registry: ForeignRegistry | str, *arguments: str | Path, environment: Environment | None = None) -> Ran:
    url = registry if isinstance(registry, str) else registry.url
    command = ("import", "modules", "--from", url, "--allow-local-sources", *arguments)
    return gitopsreg(*command, cwd=None, **{"HOME": "/nonexistent"} | (environment or {}))


def declared(catalog: Path) -> dict[str, str]:
    return {path.relative_to(catalog).as_posix(): path.read_text() for path in catalog.rglob("*.yaml")}


def test_all_that_is_listed_becomes_a_valid_catalog(foreign: ForeignRegistry, tmp_path: Path) -> None:
    done = imported(foreign, "--out", tmp_path / "catalog", "--output", "json")
    assert (done.code, done.stderr) == (0, "")
    files = declared(tmp_path / "catalog")
    assert sorted(files) == [
        "namespaces/acme/modules/mono/aws.yaml",
        "namespaces/acme/modules/pinned/aws.yaml",
        "namespaces/acme/modules/vpc/aws.yaml",
        "namespaces/acme/namespace.yaml",
        "namespaces/other/modules/thing/google.yaml",
        "namespaces/other/namespace.yaml",
        "registry.yaml",
    ]
    vpc = files["namespaces/acme/modules/vpc/aws.yaml"]
    assert "url: https://git.example.com/acme/terraform-aws-vpc.git" in vpc
    assert "prereleases: true" in vpc
    assert "tagPrefix" not in vpc
    mono = files["namespaces/acme/modules/mono/aws.yaml"]
    assert 'path: modules/x\n    tagPrefix: "x/v"' in mono
    assert f'- {{version: "3.0.0", commit: {COMMIT}}}' in files["namespaces/acme/modules/pinned/aws.yaml"]
    assert [one["what"] for one in done.json["leftOut"]] == ["acme/packed/aws"]
    assert "is an archive" in done.json["leftOut"][0]["reason"]
    for check in (("validate", "--strict"), ("fmt", "--check")):
        assert gitopsreg(*check, tmp_path / "catalog").code == 0


def test_some_of_them_in_another_namespace(foreign: ForeignRegistry, tmp_path: Path) -> None:
    arguments = ("acme/vpc/aws", "--into", "network", "--constraint", "~> 1.0", "--out", tmp_path / "catalog")
    done = imported(foreign, *arguments)
    assert done.code == 0, done.stderr
    text = declared(tmp_path / "catalog")["namespaces/network/modules/vpc/aws.yaml"]
    assert 'constraint: "~> 1.0"' in text
    assert "prereleases" not in text
    assert "1 module declared, 2 versions" in done.stdout
    assert not any("packed" in path for path, _ in foreign.asked)


def test_a_catalog_that_is_there_gets_what_it_lacks(foreign: ForeignRegistry, tmp_path: Path) -> None:
    catalog = tmp_path / "catalog"
    assert imported(foreign, "acme/vpc/aws", "--out", catalog).code == 0
    mine = catalog / "namespaces/acme/modules/vpc/aws.yaml"
    mine.write_text(mine.read_text() + "# mine\n")
    refused = imported(foreign, "other/thing/google", "--out", catalog)
    assert (refused.code, refused.stdout) == (2, "")
    assert "is not empty" in refused.stderr
    done = imported(foreign, "--out", catalog, "--merge", "--output", "json")
    assert done.code == 0
    assert done.json["differing"] == ["namespaces/acme/modules/vpc/aws.yaml"]
    assert mine.read_text().endswith("# mine\n")
    assert "namespaces/other/modules/thing/google.yaml" in declared(catalog)
    assert gitopsreg("validate", catalog).code == 0


def test_only_told(foreign: ForeignRegistry, tmp_path: Path) -> None:
    done = imported(foreign, "--out", tmp_path / "catalog", "--dry-run")
    assert done.code == 0
    assert "would be written" in done.stdout
    assert not (tmp_path / "catalog").exists()


def test_the_token_of_terraform(tmp_path: Path) -> None:
    with foreign_registry(MODULES, token="s3cret") as registry:
        refused = imported(registry, "acme/vpc/aws", "--out", tmp_path / "catalog")
        assert refused.code == 3
        assert "TF_TOKEN_127_0_0_1:" in refused.stderr
        host = f"127.0.0.1:{registry.server_port}"
        variable = f"TF_TOKEN_{host.replace('.', '_')}"
        assert imported(registry, "acme/vpc/aws", "--out", tmp_path / "one", environment={variable: "s3cret"}).code == 0
        saved = tmp_path / ".terraform.d/credentials.tfrc.json"
        saved.parent.mkdir()
        saved.write_text(json.dumps({"credentials": {host: {"token": "s3cret"}}}))
        done = imported(registry, "acme/vpc/aws", "--out", tmp_path / "two", environment={"HOME": str(tmp_path)})
        assert done.code == 0
        assert "s3cret" not in done.stdout + done.stderr


def test_a_token_stays_with_its_host(tmp_path: Path) -> None:
    with foreign_registry(MODULES) as elsewhere:
        away = elsewhere.url.replace("127.0.0.1", "localhost")
        with foreign_registry({}, token="s3cret", moved_to=away) as registry:
            variable = {f"TF_TOKEN_127_0_0_1:{registry.server_port}": "s3cret"}
            assert imported(registry, "acme/vpc/aws", "--out", tmp_path / "catalog", environment=variable).code == 0
        assert elsewhere.asked
        assert {given for _, given in elsewhere.asked} == {None}


def test_one_of_ours_lists_nothing_and_is_asked_by_address(tmp_path: Path) -> None:
    """Its modules are archives, which is told: they are declared from where they were made."""
    with a_registry() as url:
        refused = imported(url, "--out", tmp_path / "catalog")
        assert (refused.code, refused.stdout) == (2, "")
        assert "does not list its modules" in refused.stderr
        assert "write their addresses" in refused.stderr
        done = imported(url, "platform/vpc/aws", "--out", tmp_path / "catalog")
    assert done.code == 1
    assert "is an archive" in done.stdout
    assert not (tmp_path / "catalog").exists()


def test_what_no_catalog_can_declare_is_left_out(tmp_path: Path) -> None:
    wrong = {
        "hashicorp/x/aws": (tagged("x", "1.0.0"), "reserved: choose another one with --into"),
        "acme/x.y/aws": (tagged("x", "1.0.0"), "not a legal module name"),
        "acme/a/aws": ({"1.0": f"{GIT.format('x')}?ref=v1.0"}, "it has no versions"),
        "acme/b/aws": ({"1.0.0": "git::https://u:secret@git.example.com/x.git?ref=v1.0.0"}, "holds credentials"),
        "acme/c/aws": ({"1.0.0": "git::https://git.example.com/x.git//../y?ref=v1.0.0"}, "is no folder"),
        "acme/d/aws": ({"1.0.0": "git::ext::sh -c id?ref=v1.0.0"}, "is not a URL"),
        "acme/e/aws": ({"1.0.0": ""}, "does not say where"),
        "ACME/f/aws": (tagged("f", "1.0.0"), '"acme/f/aws" has that address already'),
    }
    modules = {"acme/f/aws": tagged("f", "1.0.0")} | {name: versions for name, (versions, _) in wrong.items()}
    with foreign_registry(modules) as registry:
        done = imported(registry, "--out", tmp_path / "catalog", "--output", "json")
    assert done.code == 0, done.stderr
    left_out = {one["what"]: one["reason"] for one in done.json["leftOut"]}
    assert sorted(left_out) == sorted(wrong)
    for name, (_, why) in wrong.items():
        assert why in left_out[name]
    assert "secret" not in done.stdout
    assert min(declared(tmp_path / "catalog")) == "namespaces/acme/modules/f/aws.yaml"
    assert gitopsreg("validate", tmp_path / "catalog").code == 0


def test_what_was_meant_is_told_where_nothing_is_found(foreign: ForeignRegistry, tmp_path: Path) -> None:
    host, out = foreign.url.removeprefix("http://"), ("--out", tmp_path / "catalog")
    guessed = imported(host, *out)
    assert (guessed.code, guessed.stdout) == (3, "")
    assert f'"https://{host}/.well-known/terraform.json" can\'t be read: what answers speaks no TLS' in guessed.stderr
    assert f"next: write --from http://{host} and --allow-local-sources" in guessed.stderr
    typo = imported(foreign, "--namespace", "acm", *out)
    assert (typo.code, typo.stdout) == (2, "")
    assert 'lists no modules in the namespace "acm"' in typo.stderr
    missing = imported(foreign, "acme/vcp/aws", *out)
    assert missing.code == 1
    assert 'the registry has no module "acme/vcp/aws"' in missing.stdout
    unwanted = imported(foreign, "acme/vpc/aws", "--constraint", ">= 9", *out)
    assert '--constraint ">= 9" admits none of its versions, like "1.0.0"' in unwanted.stdout
    assert not (tmp_path / "catalog").exists()


def test_a_registry_without_modules_is_no_wrong_use(tmp_path: Path) -> None:
    with foreign_registry({}) as registry:
        done = imported(registry, "--out", tmp_path / "catalog")
    assert (done.code, done.stderr) == (1, "")
    assert "The registry lists no modules" in done.stdout


def test_the_next_step_can_be_pasted(foreign: ForeignRegistry, tmp_path: Path) -> None:
    done = imported(foreign, "acme/vpc/aws", "--out", tmp_path / "my catalog")
    assert f"next: gitopsreg validate --online --allow-local-sources '{tmp_path}/my catalog'   #" in done.stdout
    nowhere = imported("http://127.0.0.1:1", "--out", tmp_path / "other")
    assert (nowhere.code, nowhere.stdout) == (3, "")
    assert "Connection refused" in nowhere.stderr
    assert "next: check --from, or try again later" in nowhere.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--from", "ftp://x"), 2, "write the registry's URL"),
        (("--from", "http://registry.example.com"), 2, "asked over https://"),
        (("--from", "http://127.0.0.1:1"), 2, "--allow-local-sources to ask without encryption"),
        (("--from", "https://127.0.0.1:1"), 3, "the registry's own machine"),
        (("--from", "https://x.example.com", "a/b"), 2, "is not a module address"),
        (("--from", "https://x.example.com", "a/b/c", "--namespace", "a"), 2, "write one of the two"),
        (("--from", "https://x.example.com", "a/b/c", "--into", "A b"), 2, '--into "A b" is no namespace: use 1'),
        (("--from", "https://x.example.com", "--namespace", "a/b"), 2, '--namespace "a/b" is no namespace: use 1'),
        (
            ("--from", "https://x.example.com", "x.example.com/a/b/c"),
            2,
            'leave the host out, which --from names: "a/b/c"',
        ),
        (("--from", "https://x.example.com", "a/b/c/1.2.3"), 2, '"a/b/c" and "= 1.2.3"'),
        (("--from", "https://x.example.com", "a/b/c", "--constraint", "about 1"), 2, "constraint"),
    ],
)
def test_wrong_use(
    arguments: tuple[str, ...], code: int, message: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["import", "modules", *arguments, "--out", str(tmp_path / "catalog")]) == code
    told = capfd.readouterr()
    assert told.out == ""
    assert message in told.err
    assert not (tmp_path / "catalog").exists()
