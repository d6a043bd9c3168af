import subprocess
import sys
from pathlib import Path

import pytest

from gitopsreg.cli.add_module import guess
from gitopsreg.errors import ConfigError
from tests.cli.shell import environment, gitopsreg
from tests.releases import AReleaseFolder, a_signer
from tests.repositories import GitServer, a_repository, commit, git, tag, write

VERBS = ("module", "provider", "key", "namespace")
AT_MODULE = "namespaces/platform/modules/vpc/aws.yaml"
LOCAL = "--allow-local-sources"  # the test's server is on this machine
URL = "https://git.example.com/acme/terraform-aws-vpc.git"


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What `new-catalog` makes, once."""
    folder = tmp_path_factory.mktemp("new") / "catalog"
    assert gitopsreg("new-catalog", folder).code == 0
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def catalog(tmp_path: Path, new: dict[str, str]) -> Path:
    folder = tmp_path / "catalog"
    folder.mkdir()
    write(folder, new)
    return folder


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def is_valid(folder: Path) -> bool:
    done = gitopsreg("validate", "--strict", folder)
    return done.code == 0


@pytest.mark.parametrize("verb", VERBS)
def test_every_help_has_examples_that_parse(verb: str) -> None:
    shown = gitopsreg("add", verb, "--help").stdout
    assert "Exit codes:" in shown
    examples = shown.split("Examples:\n")[1].replace("\\\n", " ").splitlines()
    assert len(examples) >= 2
    known = set(shown.split("Examples:")[0].split())
    for example in examples:
        ours = example[example.index("gitopsreg add") :]
        assert ours.startswith(f"gitopsreg add {verb} ")
        assert {word for word in ours.split() if word.startswith("--")} <= known


def test_the_help_of_add_names_its_verbs_and_nothing_is_a_misuse() -> None:
    shown = gitopsreg("add", "--help").stdout
    assert [line.split()[0] for line in shown.split("Commands:\n")[1].splitlines()] == list(VERBS)
    done = gitopsreg("add")
    assert (done.code, done.stderr) == (2, "error: missing command.\n  next: see 'gitopsreg add --help'\n")
    assert "Did you mean 'module'?" in gitopsreg("add", "modul").stderr


# ---- module


@pytest.mark.parametrize(
    ("url", "folder", "name", "system", "address"),
    [
        (URL, "", "", "", "platform/vpc/aws"),
        ("git@github.com:acme/terraform-google-big-query.git", "", "", "", "platform/big-query/google"),
        ("git@host:terraform-aws-vpc", "", "", "", "platform/vpc/aws"),
        ("https://github.com/acme/Terraform-AWS-VPC/", "", "", "", "platform/vpc/aws"),
        (URL, "", "network", "", "platform/network/aws"),
        (URL, "modules/endpoints", "", "", "platform/endpoints/aws"),
        ("https://github.com/acme/modules.git", "modules/vpc", "", "aws", "platform/vpc/aws"),
        ("https://github.com/acme/modules.git", "terraform-azurerm-vnet", "", "", "platform/vnet/azurerm"),
    ],
)
def test_name_and_system_are_guessed(url: str, folder: str, name: str, system: str, address: str) -> None:
    assert guess(url, folder, namespace="platform", name=name, system=system).path == address


@pytest.mark.parametrize(
    ("url", "folder", "missing"),
    [
        ("https://github.com/acme/modules.git", "", "write --name … --system …"),
        ("https://github.com/acme/modules.git", "vpc", "write --system …"),
        ("https://github.com/acme/terraform-aws.git", "", "write --name … --system …"),
    ],
)
def test_what_can_not_be_guessed_is_asked_for(url: str, folder: str, missing: str) -> None:
    with pytest.raises(ConfigError, match=missing):
        guess(url, folder, namespace="platform", name="", system="")


def test_a_module_with_what_its_rules_admit(catalog: Path, tmp_path: Path) -> None:
    repository = a_repository(tmp_path / "git" / "terraform-aws-vpc")
    commit(repository, {"main.tf": ""})
    for name in ("v0.9.0", "v1.0.0", "v1.1.0", "v1.2.0-rc.1", "nightly"):
        tag(repository, name)
    with GitServer(tmp_path / "git") as server:
        arguments = (
            "add",
            "module",
            server.url("terraform-aws-vpc/.git"),
            "--namespace",
            "platform",
            "--in",
            catalog,
            LOCAL,
        )
        named = ("--name", "vpc", "--system", "aws", "--constraint", ">= 1.0.0")
        done = gitopsreg(*arguments, *named, cwd=tmp_path)
        assert server.fetches == 0
        refused = gitopsreg(*arguments, *named, cwd=tmp_path)
    assert (done.code, done.stderr) == (0, "")
    assert done.stdout.startswith(f"wrote {catalog / AT_MODULE}\n  module:platform/vpc/aws from ")
    assert "  4 versions found, the rules admit 2: 1.0.0 … 1.1.0\n" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("  next: gitopsreg validate")
    assert refused.code == 2
    assert f'{AT_MODULE}" is there already: Module module:platform/vpc/aws from git http://' in refused.stderr


def test_tags_with_a_prefix_are_noticed(catalog: Path, tmp_path: Path) -> None:
    repository = a_repository(tmp_path / "git" / "modules")
    commit(repository, {"vpc/main.tf": ""})
    tag(repository, "vpc/v1.0.0")
    with GitServer(tmp_path / "git") as server:
        arguments = ("add", "module", server.url("modules/.git"), "--namespace", "platform", "--system", "aws", LOCAL)
        done = gitopsreg(*arguments, "--path", "vpc", cwd=catalog)
        assert 'none of its 1 tag is a version; perhaps --tag-prefix "vpc/v"?' in done.stdout
        (catalog / AT_MODULE).unlink()
        done = gitopsreg(*arguments, "--path", "vpc", "--tag-prefix", "vpc/v", "--output", "json", cwd=catalog)
    assert done.json["address"] == "module:platform/vpc/aws"
    assert done.json["versions"] == {"tags": 1, "found": 1, "admitted": ["1.0.0"]}
    assert done.json["path"] == AT_MODULE


def test_a_repository_that_does_not_answer_costs_the_count_only(catalog: Path) -> None:
    done = gitopsreg(
        "add", "module", "https://127.0.0.1:9/acme/terraform-aws-vpc", "--namespace", "platform", cwd=catalog
    )
    assert done.code == 0
    assert "warning: its tags could not be read: " in done.stdout
    assert (catalog / AT_MODULE).is_file()


def test_offline_asks_nobody(catalog: Path) -> None:
    done = gitopsreg("add", "module", URL, "--namespace", "platform", "--offline", cwd=catalog)
    assert (done.code, done.stderr) == (0, "")
    assert "not asked which versions there are" in done.stdout
    assert is_valid(catalog)
    assert gitopsreg("fmt", "--check", catalog / AT_MODULE).code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((URL, "--namespace", "platfrom"), 2, 'no namespace "platfrom": did you mean "platform"?'),
        ((URL, "--namespace", "data"), 2, "gitopsreg add namespace data"),
        (("https://u:p@git.example.com/terraform-aws-vpc", "--namespace", "platform"), 1, "[GR502]"),
        (("/srv/terraform-aws-vpc", "--namespace", "platform"), 1, "write https://, ssh:// or git@host:path"),
        ((URL, "--namespace", "platform", "--constraint", "1 to 2"), 1, "[GR401]"),
        ((URL, "--namespace", "platform", "--path", "../x", "--name", "x"), 1, "[GR407]"),
        ((URL, "--namespace", "platform", "--name", "VPC"), 2, 'write it in lower case, "vpc"'),
        ((URL, "--namespace", "platform", "--name", "../../x"), 2, "not a legal module name"),
        ((URL, "--namespace", "platform", "--description", "-----BEGIN RSA PRIVATE KEY-----"), 1, "[GR501]"),
        ((URL, "--namespace", "platform", "--in", "nowhere"), 2, '"nowhere" is not a directory'),
    ],
)
def test_nothing_is_written_when_anything_is_wrong(
    catalog: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    before = files(catalog)
    done = gitopsreg("add", "module", *arguments, "--offline", cwd=catalog)
    assert (done.code, done.stdout) == (code, "")
    assert message in done.stderr
    assert files(catalog) == before


# ---- namespace


def test_a_namespace(catalog: Path) -> None:
    done = gitopsreg("add", "namespace", "data", "--owner", "@acme/data", "--owner", "data@example.com", cwd=catalog)
    assert (done.code, done.stderr) == (0, "")
    assert "owned by acme/data, data@example.com" in done.stdout
    assert is_valid(catalog)
    assert gitopsreg("fmt", "--check", catalog / "namespaces/data/namespace.yaml").code == 0
    assert gitopsreg("codeowners", "--check", catalog).code == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("data",), "missing option '--owner'"),
        (("data", "--owner", "acme"), "does not say what kind of owner"),
        (("Data", "--owner", "@acme/data"), 'write it in lower case, "data"'),
        (("platform", "--owner", "@acme/data"), "is there already: Namespace platform"),
    ],
)
def test_a_namespace_that_is_wrong(catalog: Path, arguments: tuple[str, ...], message: str) -> None:
    before = files(catalog)
    done = gitopsreg("add", "namespace", *arguments, cwd=catalog)
    assert done.code == 2
    assert message in done.stderr
    assert files(catalog) == before


def test_a_name_that_clients_could_never_ask_for(catalog: Path) -> None:
    done = gitopsreg("add", "namespace", "search", "--owner", "@acme/data", cwd=catalog)
    assert done.code == 1
    assert "[GR504]" in done.stderr
    assert not (catalog / "namespaces/search").exists()


# ---- key


def test_a_key(catalog: Path, tmp_path: Path) -> None:
    signer = a_signer()
    (tmp_path / "Release Key.asc").write_text(str(signer.public))
    scope = ("--provider", "hello", "--versions", ">= 1.0.0")
    done = gitopsreg("add", "key", tmp_path / "Release Key.asc", "--namespace", "platform", *scope, cwd=catalog)
    assert (done.code, done.stderr) == (0, "")
    place = catalog / "namespaces/platform/keys/release-key.yaml"
    assert signer.public.fingerprint.upper() in place.read_text()
    assert signer.public.fingerprint.upper() in done.stdout.replace(" ", "")
    assert is_valid(catalog)
    assert gitopsreg("fmt", "--check", place).code == 0


def test_a_key_from_standard_input(catalog: Path) -> None:
    def add(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "gitopsreg", "add", "key", "-", "--namespace", "platform", *arguments]
        armor = str(a_signer().public).encode()
        return subprocess.run(command, cwd=catalog, env=environment(), input=armor, capture_output=True, check=False)

    assert b"needs a name: write --name" in add().stderr
    assert add("--name", "release").returncode == 0
    assert is_valid(catalog)


@pytest.mark.parametrize(
    ("data", "code", "message"),
    [
        (str(a_signer().secret).encode(), 1, "a PRIVATE KEY was given"),
        (bytes(a_signer().public), 2, "gpg --armor --export"),
        (str(a_signer().public).encode() * 2, 1, "2 armor blocks"),
        (a_signer().revoked_by_owner().encode(), 1, "was revoked by its owner"),
        (b"", 1, "no public key block"),
        (b"x" * 200_000, 2, "more than 131072 bytes"),
    ],
    ids=["private", "binary", "two", "revoked", "empty", "large"],
)
def test_a_key_that_can_not_be_used(catalog: Path, tmp_path: Path, data: bytes, code: int, message: str) -> None:
    (tmp_path / "release.asc").write_bytes(data)
    before = files(catalog)
    done = gitopsreg("add", "key", tmp_path / "release.asc", "--namespace", "platform", cwd=catalog)
    assert (done.code, done.stdout) == (code, "")
    assert message in done.stderr
    assert "PRIVATE KEY BLOCK" not in done.stderr
    assert files(catalog) == before


def test_a_key_file_that_is_not_there(catalog: Path) -> None:
    done = gitopsreg("add", "key", "gone.asc", "--namespace", "platform", cwd=catalog)
    assert (done.code, done.stderr) == (2, 'error: "gone.asc" can\'t be read: No such file or directory\n')


# ---- provider


def a_release(folder: Path, version: str, **changes: object) -> AReleaseFolder:
    release = AReleaseFolder(version=version, **changes)  # type: ignore[arg-type]
    folder.mkdir(parents=True)
    for name, data in release.files.items():
        (folder / name).write_bytes(data)
    return release


def with_key(catalog: Path, name: str = "release") -> None:
    (catalog / f"{name}.asc").write_text(str((a_signer() if name == "release" else a_signer(name)).public))
    assert gitopsreg("add", "key", f"{name}.asc", "--namespace", "platform", cwd=catalog).code == 0


def test_a_provider_with_the_key_that_signed_it(catalog: Path) -> None:
    for version in ("1.0.0", "1.10.0", "1.2.0"):
        a_release(catalog / "content/providers/hello" / version, version)
    with_key(catalog)
    with_key(catalog, "other")
    done = gitopsreg("add", "provider", "content/providers/hello", "--namespace", "platform", cwd=catalog)
    assert (done.code, done.stderr) == (0, "")
    assert "provider:platform/hello, 3 versions: 1.0.0, 1.2.0, 1.10.0\n  verified, signed by release\n" in done.stdout
    place = catalog / "namespaces/platform/providers/hello.yaml"
    text = place.read_text()
    assert "verify: {keys: [release], required: true}" in text
    assert "platforms: [darwin_arm64, linux_amd64, windows_amd64]" in text
    assert '{version: "1.10.0", path: content/providers/hello/1.10.0}' in text
    assert is_valid(catalog)
    assert gitopsreg("fmt", "--check", place).code == 0


def test_a_folder_of_one_version_from_elsewhere(catalog: Path, tmp_path: Path) -> None:
    a_release(catalog / "content/hello-1", "1.0.0", platforms=("linux_amd64",))
    with_key(catalog)
    arguments = ("--namespace", "platform", "--key", "release", "--in", "catalog", "--output", "json")
    done = gitopsreg("add", "provider", "content/hello-1", *arguments, cwd=tmp_path)
    assert done.json["versions"] == ["1.0.0"]
    assert done.json["keys"] == ["release"]
    assert is_valid(catalog)


def test_a_release_that_is_not_whole_is_not_declared(catalog: Path) -> None:
    release = a_release(catalog / "content/hello/1.0.0", "1.0.0")
    with_key(catalog)
    (catalog / "content/hello/1.0.0" / release.zip_name()).write_bytes(b"other")
    done = gitopsreg("add", "provider", "content/hello", "--namespace", "platform", cwd=catalog)
    assert done.code == 1
    assert "error: version 1.0.0: " in done.stderr
    assert not (catalog / "namespaces/platform/providers").exists()


def test_a_key_that_did_not_sign_is_not_named(catalog: Path) -> None:
    a_release(catalog / "content/hello/1.0.0", "1.0.0", signer=a_signer("stranger"))
    with_key(catalog)
    done = gitopsreg("add", "provider", "content/hello", "--namespace", "platform", cwd=catalog)
    assert done.code == 1
    assert "is not trusted" in done.stderr


@pytest.mark.parametrize(
    ("folder", "more", "code", "message"),
    [
        ("content/hello", (), 2, "has no keys"),
        ("content/nothing", (), 2, "is no folder"),
        ("content/modules", (), 2, "holds no release"),
        ("..", (), 2, "is not inside the catalog"),
        ("content/hello", ("--key", "gone"), 1, "[GR302]"),
    ],
)
def test_a_provider_that_can_not_be_declared(
    catalog: Path, folder: str, more: tuple[str, ...], code: int, message: str
) -> None:
    a_release(catalog / "content/hello/1.0.0", "1.0.0")
    before = files(catalog)
    done = gitopsreg("add", "provider", folder, "--namespace", "platform", *more, cwd=catalog)
    assert (done.code, done.stdout) == (code, "")
    assert message in done.stderr
    assert files(catalog) == before


def test_what_is_signed_here_is_what_the_registry_would_publish(catalog: Path) -> None:
    """The whole tour: from nothing to a plan without a finding."""
    a_release(catalog / "content/providers/hello/1.0.0", "1.0.0")
    with_key(catalog)
    (catalog / "release.asc").unlink()
    assert gitopsreg("add", "provider", "content/providers/hello", "--namespace", "platform", cwd=catalog).code == 0
    git(catalog, "init", "--quiet", "--initial-branch", "main")
    commit(catalog)
    store = catalog.parent / "store"
    done = gitopsreg("reconcile", "--catalog", catalog, "--store", store, "--cache", catalog.parent / "cache")
    assert done.code == 0, done.stderr
    shown = gitopsreg("status", "--store", store).stdout
    assert "provider:platform/hello" in shown
    assert "module:platform/greeting/generic" in shown


def test_an_expired_key_is_declared_retired() -> None:
    from datetime import UTC, datetime, timedelta

    from gitopsreg.cli.add_key import standing
    from gitopsreg.upstream.signature import Key

    now = datetime(2026, 1, 1, tzinfo=UTC)
    key = Key(fingerprint="F" * 40, key_id="F" * 16, armor="", revoked=False, outdated=False, expired_at=now)
    assert standing(key, now=now)[0] == "retired"
    status, note = standing(key, now=now - timedelta(days=1))
    assert (status, note) == ("active", "It expires on 2026-01-01.")
