"""GR6xx against real Git repositories over HTTP and real signed releases; every rule has a case here."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gitopsreg.catalog.directory import read_directory
from gitopsreg.catalog.load import load
from gitopsreg.catalog.rules.public_keys import EXPIRED, EXPIRED_FINGERPRINT, LASTING, LASTING_FINGERPRINT
from gitopsreg.reconcile.online import OnlineResult, check_online
from gitopsreg.settings import Settings
from gitopsreg.wiring.reconciling import ask_upstreams
from tests.catalog.catalogs import AT_KEY, AT_MODULE, AT_NAMESPACE, AT_PROVIDER, HEAD, NAMESPACE
from tests.cli.shell import gitopsreg
from tests.reconcile.fakes import FakeUpstream, unavailable
from tests.releases import AReleaseFolder, Signer, a_signer
from tests.repositories import GitServer, a_repository, commit, git, tag, write

NOW = datetime(2026, 10, 1, tzinfo=UTC)
VPC = {"main.tf": "# top\n", "modules/vpc/main.tf": "# vpc\n"}


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    """A module with the tags v1.0.0, v1.1.0 and v2.0.0-rc.1; only the first has the folder modules/old."""
    repository = a_repository(tmp_path / "git" / "vpc")
    commit(repository, VPC | {"modules/old/main.tf": "# old\n"})
    tag(repository, "v1.0.0")
    git(repository, "rm", "--quiet", "-r", "modules/old")
    commit(repository, {"main.tf": "# more\n"})
    tag(repository, "v1.1.0")
    commit(repository, {"main.tf": "# next\n"})
    tag(repository, "v2.0.0-rc.1")
    return repository


@pytest.fixture
def server(upstream: Path) -> Iterator[GitServer]:
    with GitServer(upstream.parent) as server:
        yield server


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    return a_repository(tmp_path / "catalog")


def a_module(server: GitServer, spec: str = "", *, name: str = "vpc", more: str = "") -> dict[str, str]:
    source = f'source: {{type: git, url: "{server.url(name)}"{more}}}'
    text = HEAD + f"kind: Module\nmetadata: {{name: vpc}}\nspec:\n  system: aws\n  {source}\n"
    return {AT_NAMESPACE: NAMESPACE, AT_MODULE: text + "".join(f"  {line}\n" for line in spec.splitlines())}


def a_key(block: str, fingerprint: str, more: str = "") -> str:
    lines = "".join(f"    {line}\n" for line in block.strip().splitlines())
    head = HEAD + f"kind: SigningKey\nmetadata: {{name: release}}\nspec:\n  fingerprint: {fingerprint}\n"
    return head + more + "  publicKey: |\n" + lines


def key_of(signer: Signer, more: str = "") -> dict[str, str]:
    return {AT_KEY: a_key(str(signer.public), signer.public.fingerprint, more)}


def a_provider(*versions: str, spec: str = "") -> dict[str, str]:
    pins = "".join(f'      - {{version: "{one}", path: content/hello/{one}}}\n' for one in versions)
    text = HEAD + (
        "kind: Provider\nmetadata: {name: internal}\nspec:\n  source: {type: catalog}\n  verify: {keys: [release]}\n"
        f"  versions:\n    pins:\n{pins}{spec}"
    )
    return {AT_NAMESPACE: NAMESPACE, AT_PROVIDER: text}


def a_release(catalog: Path, folder: AReleaseFolder, *, without: str = "never") -> None:
    files = {name: data for name, data in folder.files.items() if without not in name}
    write(catalog, {f"content/hello/{folder.version}/{name}": data for name, data in files.items()})


def released(version: str = "1.0.0", signer: Signer | None = None) -> AReleaseFolder:
    return AReleaseFolder(version=version, provider_type="internal", signer=signer or a_signer())


def online(catalog: Path, files: dict[str, str] | None = None) -> OnlineResult:
    """What `validate --online` asks, once the files are committed."""
    commit(catalog, files or {})
    settings = Settings(cache=catalog.parent / "cache", allow_local_sources=True, jobs=2)
    loaded = load(read_directory(catalog))
    assert loaded.errors == ()
    return ask_upstreams(settings, loaded, catalog)


def told(result: OnlineResult) -> list[tuple[str, int]]:
    """Rules and lines; nothing may have been left unchecked."""
    assert result.unchecked == ()
    return [(finding.rule, finding.line) for finding in result.findings]


def test_a_sound_module(catalog: Path, server: GitServer) -> None:
    assert told(online(catalog, a_module(server, 'versions: {constraint: "~> 1.0"}', more=", path: modules/vpc"))) == []


def test_a_repository_that_is_not_there(catalog: Path, server: GitServer) -> None:
    result = online(catalog, a_module(server, name="gone"))
    assert told(result) == [("GR601", 6)]
    assert result.findings[0].pointer == "/spec/source/url"
    assert result.findings[0].address == "module:platform/vpc/aws"
    assert result.findings[0].path == f"{catalog}/{AT_MODULE}"


def test_a_repository_that_moved_to_another_host(catalog: Path, server: GitServer) -> None:
    server.redirects["/vpc"] = "http://git.example.org/vpc"
    assert told(online(catalog, a_module(server))) == [("GR601", 6)]


@pytest.mark.parametrize("status", [401, 429, 503])
def test_a_host_that_gives_no_answer_is_no_finding(catalog: Path, server: GitServer, status: int) -> None:
    server.status = status
    result = online(catalog, a_module(server))
    assert result.findings == ()
    (words,) = result.unchecked
    assert words.startswith("module:platform/vpc/aws: ")


def test_nobody_answers(catalog: Path, tmp_path: Path) -> None:
    (tmp_path / "git").mkdir()
    with GitServer(tmp_path / "git") as server:
        files = a_module(server)
    result = online(catalog, files)
    assert result.findings == ()
    assert len(result.unchecked) == 1


def test_no_tags(catalog: Path, server: GitServer) -> None:
    commit(a_repository(server.root / "empty"), VPC)
    result = online(catalog, a_module(server, name="empty"))
    assert told(result) == [("GR602", 6)]
    assert result.findings[0].hint == "tag a version, like v1.0.0"


def test_tags_that_are_no_versions(catalog: Path, server: GitServer, upstream: Path) -> None:
    other = a_repository(server.root / "odd")
    commit(other, VPC)
    tag(other, "v1.0")
    result = online(catalog, a_module(server, name="odd"))
    assert told(result) == [("GR602", 6)]
    assert 'v1.0: "1.0" is not a version' in result.findings[0].hint


def test_a_tag_prefix_that_no_tag_has(catalog: Path, server: GitServer) -> None:
    result = online(catalog, a_module(server, more=', tagPrefix: "vpc/v"'))
    assert told(result) == [("GR602", 6)]
    assert result.findings[0].pointer == "/spec/source/tagPrefix"


def test_a_constraint_that_admits_nothing(catalog: Path, server: GitServer) -> None:
    result = online(catalog, a_module(server, 'versions: {constraint: ">= 2.0"}'))
    assert told(result) == [("GR603", 7)]
    assert result.findings[0].hint == "the newest is 2.0.0-rc.1, a pre-release (prereleases: true)"


@pytest.mark.parametrize(
    "rule", ['exclude: ["^1"]', 'include: ["^3"]', 'blocked: [{range: ">= 0", reason: all of it}]']
)
def test_rules_that_leave_nothing(catalog: Path, server: GitServer, rule: str) -> None:
    assert told(online(catalog, a_module(server, f"versions: {{{rule}}}"))) == [("GR604", 7)]


def test_pins(catalog: Path, server: GitServer, upstream: Path) -> None:
    right = git(upstream, "rev-parse", "v1.0.0^{commit}")
    spec = (
        "versions:\n  pins:\n"
        f'    - {{version: "1.0.0", commit: {right}}}\n'
        f'    - {{version: "1.1.0", commit: {"a" * 40}}}\n'
        '    - {version: "1.1.1"}\n'
    )
    result = online(catalog, a_module(server, spec))
    assert told(result) == [("GR606", 10), ("GR605", 11)]
    assert result.findings[1].hint == 'did you mean "1.1.0"?'


def test_the_commit_of_an_annotated_tag_is_what_it_points_to(catalog: Path, server: GitServer, upstream: Path) -> None:
    tag(upstream, "v1.1.0", annotated=True)
    right = git(upstream, "rev-parse", "v1.1.0^{commit}")
    assert told(online(catalog, a_module(server, f'versions: {{pins: [{{version: "1.1.0", commit: {right}}}]}}'))) == []


def test_a_folder_that_the_newest_version_lacks(catalog: Path, server: GitServer) -> None:
    result = online(catalog, a_module(server, more=", path: modules/old"))
    assert told(result) == [("GR607", 6)]
    assert result.findings[0].pointer == "/spec/source/path"
    assert "1.1.0" in result.findings[0].message


def test_a_module_that_would_be_refused(catalog: Path, server: GitServer, upstream: Path) -> None:
    commit(upstream, {"link.tf": "-> ../../outside"})
    tag(upstream, "v1.2.0")
    result = online(catalog, a_module(server))
    assert told(result) == [("GR608", 6)]
    assert "1.2.0 would be refused" in result.findings[0].message


def test_a_comment_silences_what_upstreams_say(catalog: Path, server: GitServer) -> None:
    result = online(
        catalog, a_module(server, 'versions: {exclude: ["^1"]} # gitopsreg: ignore[GR604] before the first one')
    )
    assert [(finding.rule, finding.suppressed) for finding in result.findings] == [("GR604", "before the first one")]


def test_what_is_suspended_or_invalid_is_not_asked(catalog: Path, server: GitServer) -> None:
    assert told(online(catalog, a_module(server, "suspend: true", name="gone"))) == []
    assert server.requests == []


def test_a_sound_provider(catalog: Path) -> None:
    a_release(catalog, released())
    assert told(online(catalog, key_of(a_signer()) | a_provider("1.0.0"))) == []


def test_a_release_without_a_platform(catalog: Path) -> None:
    a_release(catalog, released(), without="linux")
    result = online(catalog, key_of(a_signer()) | a_provider("1.0.0"))
    assert told(result) == [("GR609", 9)]
    assert '"linux_amd64" is in SHA256SUMS but its zip is not there' in result.findings[0].message


def test_a_release_that_was_changed_after_signing(catalog: Path) -> None:
    folder = released()
    folder.files[folder.zip_name()] += b"x"
    a_release(catalog, folder)
    assert told(online(catalog, key_of(a_signer()) | a_provider("1.0.0"))) == [("GR608", 9)]


def test_a_key_that_signed_nothing(catalog: Path) -> None:
    a_release(catalog, released(signer=a_signer("somebody else")))
    result = online(catalog, key_of(a_signer()) | a_provider("1.0.0"))
    assert told(result) == [("GR610", 5), ("GR608", 9)]
    words = f'the key "{a_signer().key_id}" signed not even the one release that it may vouch for'
    assert result.findings[0].message == words


def test_a_retired_key_need_not_sign_any_more(catalog: Path) -> None:
    a_release(catalog, released(signer=a_signer("somebody else")))
    files = key_of(a_signer(), "  status: retired\n") | a_provider("1.0.0")
    assert told(online(catalog, files)) == [("GR608", 9)]


def test_a_key_that_signed_one_of_the_newest_ten(catalog: Path) -> None:
    versions = [f"1.{minor}.0" for minor in range(11)]
    for version in versions:
        a_release(catalog, released(version, signer=None if version in {"1.0.0", "1.1.0"} else a_signer("another")))
    result = online(catalog, key_of(a_signer()) | a_provider(*versions))
    assert {finding.rule for finding in result.findings} == {"GR608"}
    assert len(result.findings) == 9
    result = online(catalog, a_provider(*versions[2:]))
    assert "GR610" in {finding.rule for finding in result.findings}


def test_a_release_whose_signature_was_not_reached_says_nothing_of_the_key(catalog: Path) -> None:
    a_release(catalog, released(signer=a_signer("another")), without="SHA256SUMS.sig")
    assert told(online(catalog, key_of(a_signer()) | a_provider("1.0.0"))) == [("GR609", 9)]


def test_a_release_that_is_not_committed_is_unchecked(catalog: Path) -> None:
    online(catalog, key_of(a_signer()))
    a_release(catalog, released())
    write(catalog, a_provider("1.0.0"))
    result = ask_upstreams(Settings(cache=catalog.parent / "cache"), load(read_directory(catalog)), catalog)
    assert result.findings == ()
    assert result.unchecked == ('provider:platform/internal: the folder "content/hello/1.0.0" is not committed',)


def test_a_catalog_outside_any_repository_is_unchecked(tmp_path: Path) -> None:
    catalog = tmp_path / "plain"
    a_release(catalog, released())
    write(catalog, key_of(a_signer()) | a_provider("1.0.0"))
    result = ask_upstreams(Settings(cache=tmp_path / "cache"), load(read_directory(catalog)), catalog)
    assert result.findings == ()
    assert "is in no Git repository" in result.unchecked[0]


@pytest.mark.parametrize(
    ("key", "rules"),
    [
        (a_key(LASTING, LASTING_FINGERPRINT), []),
        (a_key(LASTING, LASTING_FINGERPRINT.lower()), []),
        (a_key(LASTING, "a" * 40), [("GR611", 5)]),
        (a_key(EXPIRED, EXPIRED_FINGERPRINT), [("GR612", 6)]),
        (a_key(EXPIRED, EXPIRED_FINGERPRINT, "  status: retired\n"), []),
        (a_key(LASTING.replace("mDME", "mDMF"), LASTING_FINGERPRINT), [("GR613", 6)]),
        (a_key(LASTING + EXPIRED, LASTING_FINGERPRINT), [("GR613", 6)]),
    ],
)  # fmt: skip
def test_keys_by_themselves(catalog: Path, key: str, rules: list[tuple[str, int]]) -> None:
    assert told(online(catalog, {AT_NAMESPACE: NAMESPACE, AT_KEY: key})) == rules


def test_a_key_that_its_owner_revoked(catalog: Path) -> None:
    signer = a_signer("revoked")
    for more, rules in (("", [("GR613", 6)]), ("  status: revoked\n", [])):
        key = a_key(signer.revoked_by_owner(), signer.public.fingerprint, more)
        assert told(online(catalog, {AT_NAMESPACE: NAMESPACE, AT_KEY: key})) == rules


@pytest.mark.parametrize(("days", "rules"), [(31, []), (30, ["GR612"]), (0, ["GR612"]), (-1, ["GR612"])])
def test_a_key_that_ends_soon(tmp_path: Path, days: int, rules: list[str]) -> None:
    write(tmp_path, {AT_NAMESPACE: NAMESPACE, AT_KEY: a_key(EXPIRED, EXPIRED_FINGERPRINT)})
    loaded = load(read_directory(tmp_path))
    result = check_online(loaded, _nobody, parallel=map, now=_expiry() - timedelta(days=days))
    assert [finding.rule for finding in result.findings] == rules
    words = "the key expires on" if days > 0 else "the key expired on"
    assert all(finding.message.startswith(words) for finding in result.findings)


def _expiry() -> datetime:
    from gitopsreg.upstream.signature import read_key

    ends = read_key(EXPIRED).expired_at
    assert ends is not None
    return ends


def _nobody(_: object) -> FakeUpstream:
    raise AssertionError("nobody is asked")


def test_packages_are_asked_side_by_side(tmp_path: Path) -> None:
    files = {
        f"namespaces/platform/modules/m{number}/aws.yaml": HEAD
        + f"kind: Module\nmetadata: {{name: m{number}}}\nspec:\n  system: aws\n"
        + f"  source: {{type: git, url: https://git.example.com/{number}.git}}\n"
        for number in range(20)
    }
    write(tmp_path, {AT_NAMESPACE: NAMESPACE} | files)
    down = FakeUpstream(down=unavailable())
    with ThreadPoolExecutor(4) as pool:
        result = check_online(load(read_directory(tmp_path)), lambda _: down, parallel=pool.map, now=NOW)
    assert result.findings == ()
    assert [words.split(": ")[0] for words in result.unchecked] == sorted(
        words.split(": ")[0] for words in result.unchecked
    )
    assert len(result.unchecked) == 20


def test_the_command_says_what_could_not_be_checked(catalog: Path, server: GitServer) -> None:
    write(catalog, a_module(server, name="gone"))
    done = gitopsreg("validate", catalog, "--online", "--cache", catalog.parent / "cache", "--allow-local-sources")
    assert (done.code, "error[GR601]" in done.stdout) == (1, True), done.stderr
    server.status = 503
    done = gitopsreg("validate", catalog, "--online", "--cache", catalog.parent / "cache", "--allow-local-sources")
    assert done.code == 3, done.stderr
