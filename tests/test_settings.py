import re
from contextlib import suppress
from dataclasses import FrozenInstanceError
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitopsreg.errors import ConfigError, InvalidName
from gitopsreg.settings import TABLE, Backend, Endpoint, Receiver, Secret, Settings
from gitopsreg.settings.sources import load
from gitopsreg.settings.values import duration, git_url, public_url, short, store_url


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for row in TABLE.values():
        monkeypatch.delenv(row.variable, raising=False)
    monkeypatch.delenv("GITOPSREG_CONFIG", raising=False)


def a_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "gitopsreg.yaml"
    path.write_text(text)
    return path


def test_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache/me")
    settings = load({})
    assert settings == Settings()
    assert settings.ref == "HEAD"
    assert settings.path == "."
    assert settings.listen == Endpoint("127.0.0.1", 8080)
    assert settings.interval == timedelta(seconds=60)
    assert settings.cache == Path("/var/cache/me/gitopsreg")
    assert settings.receivers == ()


def test_settings_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        load({}).jobs = 3  # type: ignore[misc]


def test_flag_beats_variable_beats_file_beats_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = a_file(tmp_path, "jobs: 2\nref: refs/heads/file\npath: file\n")
    monkeypatch.setenv("GITOPSREG_JOBS", "3")
    monkeypatch.setenv("GITOPSREG_REF", "refs/heads/variable")
    settings = load({"jobs": "4"}, config=path)
    assert (settings.jobs, settings.ref, settings.path, settings.refresh) == (
        4,
        "refs/heads/variable",
        "file",
        timedelta(seconds=2),
    )


def test_the_file_may_be_named_by_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITOPSREG_CONFIG", str(a_file(tmp_path, "jobs: 2\n")))
    assert load({}).jobs == 2


def test_a_flag_can_switch_off_what_a_variable_switched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITOPSREG_ALLOW_LOCAL_SOURCES", "true")
    assert load({}).allow_local_sources
    assert not load({"allow_local_sources": False}).allow_local_sources


def test_an_empty_variable_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITOPSREG_JOBS", "")
    assert load({}).jobs == 8


@pytest.mark.parametrize(
    "address",
    ["s3://AKIA:TOPSECRET@bucket", "s3://bucket?endpoint=https://user:TOPSECRET@minio", "azure://a/c?sig=TOPSECRET"],
)
def test_a_secret_in_an_address_is_never_shown_again(address: str) -> None:
    for flags in ({"store": address}, {"backends": [f"archive={address}"]}):
        with pytest.raises(ConfigError) as caught:
            load(flags)
        assert "TOPSECRET" not in str(caught.value)


def test_every_setting_can_stand_in_the_file(tmp_path: Path) -> None:
    text = """\
catalog: https://git.example.com/acme/catalog.git
ref: refs/heads/main
path: registry
store: /var/lib/gitopsreg
backends: {archive: "s3://bucket/modules?region=eu-west-1"}
delivery: redirect
cache: /var/cache/gitopsreg
listen: :8443
interval: 90
care: no
allow_local_sources: yes
git_credentials_file: /run/secrets/git
ssh_directory: /etc/gitopsreg/ssh
public_url: https://registry.example.com/
tls_cert: chain.pem
tls_key: key.pem
link_key_file: /run/secrets/links
link_ttl: 30m
drain: 10s
refresh: 500ms
workers: 4
access_log: /var/log/gitopsreg/access.jsonl
trusted_proxies: [10.0.0.0/8, "::1"]
jobs: 4
receivers:
  - name: catalog
    type: github
    secrets: [{file: /run/secrets/hook}, {env: OLD_HOOK}]
    refs: [refs/heads/main, "refs/tags/v*"]
hooks_listen: 127.0.0.1:8081
output: json
log_format: json
log_level: debug
"""
    assert {line.partition(":")[0] for line in text.splitlines() if line[0] not in " -"} == set(TABLE)
    assert load({}, config=a_file(tmp_path, text)) == Settings(
        catalog="https://git.example.com/acme/catalog.git",
        ref="refs/heads/main",
        path="registry",
        store="file:///var/lib/gitopsreg",
        backends=(Backend("archive", "s3://bucket/modules?region=eu-west-1"),),
        delivery="redirect",
        cache=Path("/var/cache/gitopsreg"),
        listen=Endpoint("", 8443),
        interval=timedelta(seconds=90),
        care=False,
        allow_local_sources=True,
        git_credentials_file=Path("/run/secrets/git"),
        ssh_directory=Path("/etc/gitopsreg/ssh"),
        public_url="https://registry.example.com",
        tls_cert=Path("chain.pem"),
        tls_key=Path("key.pem"),
        link_key_file=Path("/run/secrets/links"),
        link_ttl=timedelta(minutes=30),
        drain=timedelta(seconds=10),
        refresh=timedelta(milliseconds=500),
        workers=4,
        access_log=Path("/var/log/gitopsreg/access.jsonl"),
        trusted_proxies=("10.0.0.0/8", "::1/128"),
        jobs=4,
        receivers=(
            Receiver(
                name="catalog",
                type="github",
                secrets=(Secret("file", "/run/secrets/hook"), Secret("env", "OLD_HOOK")),
                refs=("refs/heads/main", "refs/tags/v*"),
            ),
        ),
        hooks_listen=Endpoint("127.0.0.1", 8081),
        output="json",
        log_format="json",
        log_level="debug",
    )


def test_every_setting_can_be_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITOPSREG_TRUSTED_PROXIES", "10.0.0.0/8, ::1")
    monkeypatch.setenv("GITOPSREG_INTERVAL", "5m")
    monkeypatch.setenv(
        "GITOPSREG_RECEIVERS", '[{"name": "a", "type": "bearer", "secrets": [{"env": "A"}], "refs": ["refs/heads/x"]}]'
    )
    settings = load({})
    assert settings.trusted_proxies == ("10.0.0.0/8", "::1/128")
    assert settings.interval == timedelta(minutes=5)
    assert settings.receivers == (
        Receiver(name="a", type="bearer", secrets=(Secret("env", "A"),), refs=("refs/heads/x",)),
    )


def test_receivers_as_flags() -> None:
    settings = load({"receivers": ["a=github,file:/run/secrets/a,ref:refs/heads/main", "b=bearer,env:B,env:OLD_B"]})
    assert settings.receivers == (
        Receiver(name="a", type="github", secrets=(Secret("file", "/run/secrets/a"),), refs=("refs/heads/main",)),
        Receiver(name="b", type="bearer", secrets=(Secret("env", "B"), Secret("env", "OLD_B"))),
    )


WRONG = [
    ("interval", "soon", 'write seconds or a duration like "90s", "5m" or "1h30m", from 1s to 30d'),
    ("interval", "0", "from 1s to 30d"),
    ("interval", "1m5", "write seconds or a duration"),
    ("link_ttl", "8d", "from 1m to 7d"),
    ("jobs", "0", "write a whole number from 1 to 64"),
    ("jobs", "-1", "write a whole number from 1 to 64"),
    ("jobs", "many", "write a whole number from 1 to 64"),
    ("listen", "8080", 'write HOST:PORT, like "127.0.0.1:8080"'),
    ("listen", "::1:8080", "write HOST:PORT"),
    ("listen", "host:99999", "write HOST:PORT"),
    ("hooks_listen", "a b:1", "write HOST:PORT"),
    ("ref", "main", 'write "HEAD" or a full ref, like "refs/heads/main"'),
    ("ref", "refs/heads/a..b", "write"),
    ("ref", "--upload-pack=x", "write"),
    ("path", "../other", "write a folder inside the repository"),
    ("path", "/etc", "write a folder inside the repository"),
    ("store", "file://host/x", 'write "file:///absolute/directory" or a plain path'),
    ("public_url", "registry.example.com", "write the address that clients use"),
    ("public_url", "https://registry.example.com/sub", "write the address that clients use"),
    ("workers", "0", "write a whole number from 1 to 64"),
    ("trusted_proxies", "10.0.0.0/99", "write addresses or networks"),
    ("output", "yaml", 'write "text" or "json"'),
    ("log_level", "loud", 'write "debug" or "info" or "warning" or "error"'),
]


@pytest.mark.parametrize(("name", "value", "right"), WRONG)
def test_a_wrong_value_is_told_with_its_source(
    name: str, value: str, right: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = TABLE[name]
    given: object = [value] if row.repeatable else value
    with pytest.raises(ConfigError, match=re.escape(right)) as by_flag:
        load({name: given})
    assert str(by_flag.value).startswith(row.flag)
    path = a_file(tmp_path, f"# first\n{name}: '{value}'\n")
    with pytest.raises(ConfigError, match=re.escape(right)) as by_file:
        load({}, config=path)
    assert str(by_file.value).startswith(f'{path}:2: {name} "{value}": ')
    monkeypatch.setenv(row.variable, value)
    with pytest.raises(ConfigError, match=re.escape(right)) as by_variable:
        load({})
    assert str(by_variable.value).startswith(f'{row.variable} "{value}": ')


def test_all_wrong_values_are_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITOPSREG_REF", "main")
    with pytest.raises(ConfigError) as caught:
        load({"jobs": "0"}, config=a_file(tmp_path, "interval: never\n"))
    lines = str(caught.value).splitlines()
    assert sorted(line.split()[0].rpartition("/")[2] for line in lines) == [
        "--jobs",
        "GITOPSREG_REF",
        "gitopsreg.yaml:1:",
    ]


def test_a_wrong_value_that_is_overruled_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITOPSREG_JOBS", "many")
    assert load({"jobs": "2"}).jobs == 2


def test_an_unknown_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITOPSREG_CATALGO", "x")
    with pytest.raises(ConfigError) as caught:
        load({})
    assert str(caught.value) == 'no variable is called "GITOPSREG_CATALGO"; did you mean "GITOPSREG_CATALOG"?'


def test_an_unknown_key_is_refused(tmp_path: Path) -> None:
    path = a_file(tmp_path, "jobs: 2\nallow-local-sources: true\n")
    with pytest.raises(ConfigError) as caught:
        load({}, config=path)
    assert str(caught.value) == (
        f'{path}:2: no setting is called "allow-local-sources"; did you mean "allow_local_sources"?'
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n", "a file of settings is a mapping"),
        ("jobs: 1\njobs: 2\n", '2: "jobs" stands twice'),
        ("jobs: [\n", "not YAML"),
        ("a: &x 1\n", "anchor"),
    ],
)
def test_a_file_that_is_no_settings(text: str, message: str, tmp_path: Path) -> None:
    path = a_file(tmp_path, text)
    with pytest.raises(ConfigError, match=re.escape(message)) as caught:
        load({}, config=path)
    assert str(caught.value).startswith(f"{path}:")


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="the limit is"):
        load({}, config=a_file(tmp_path, "#" * 300_000))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=re.escape("gone.yaml\" can't be read: No such file or directory")):
        load({}, config=tmp_path / "gone.yaml")


SECRET = "ghp_0123456789abcdefghij0123456789abcdef"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("git_credentials_file", SECRET),
        ("link_key_file", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
        ("tls_key", "-----BEGIN PRIVATE KEY-----"),
        ("catalog", f"https://me:{SECRET}@git.example.com/acme/catalog.git"),
        ("catalog", f"https://{SECRET}@git.example.com/acme/catalog.git"),
        ("receivers", [f"hook=github,{SECRET}"]),
        ("receivers", [f"hook=github,env:{SECRET[:20]}-x"]),
        ("receivers", [f"hook=github,file:{SECRET}"]),
        ("receivers", [{"name": "hook", "type": "github", "secrets": [SECRET]}]),
        ("receivers", [{"name": "hook", "type": "github", "secrets": SECRET}]),
        ("receivers", [{"name": "hook", "type": "github", "secrets": [{"value": SECRET}]}]),
    ],
)
def test_a_literal_secret_is_refused_and_not_shown(name: str, value: object) -> None:
    with pytest.raises(ConfigError) as caught:
        load({name: value})
    message = str(caught.value)
    assert message.startswith(TABLE[name].flag)
    assert SECRET[:20] not in message
    assert "9f86d081" not in message
    assert "PRIVATE" not in message


@pytest.mark.parametrize(
    ("receiver", "message"),
    [
        ("hook", 'write "NAME=TYPE,file:/run/secrets/hook"'),
        ("hook=gitea,env:A", "write one of github, gitlab, generic-hmac, bearer"),
        ("hook=github", 'receiver "hook" has no secret'),
        ("Hook Name=github,env:A", "a receiver's name is"),
        ("hook=github,env:A,ref:main", 'write refs in full, like "refs/heads/main"'),
        ({"name": "hook", "type": "github", "secret": []}, 'has no key "secret"'),
        ({"name": "hook", "type": "github", "secrets": [{"env": "A"}], "refs": "main"}, "refs is a list"),
        (7, "a receiver is a mapping"),
    ],
)
def test_a_wrong_receiver(receiver: object, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        load({"receivers": [receiver]})


def test_receivers_need_names_of_their_own() -> None:
    with pytest.raises(ConfigError, match='two receivers are named "a"'):
        load({"receivers": ["a=github,env:A", "a=gitlab,env:B"]})


@pytest.mark.parametrize("value", ["nonsense", '{"name": "a"}', "[" * 100_000])
def test_receivers_in_a_variable_are_json(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITOPSREG_RECEIVERS", value)
    with pytest.raises(ConfigError, match=r"^GITOPSREG_RECEIVERS: write a "):
        load({})


@pytest.mark.parametrize(
    ("written", "store"),
    [
        ("file:///var/lib/gitopsreg", "file:///var/lib/gitopsreg"),
        ("/var/lib/gitopsreg", "file:///var/lib/gitopsreg"),
        ("s3://bucket/prefix", "s3://bucket/prefix"),
    ],
)
def test_stores(written: str, store: str) -> None:
    assert store_url(written) == store


@pytest.mark.parametrize("written", ["x/y", "./x/y", "file://./x/y"])
def test_a_relative_store_is_beside_the_working_directory(
    written: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert store_url(written) == (tmp_path / "x/y").as_uri()


@pytest.mark.parametrize(
    "written", ["git@git.example.com:acme/catalog.git", "ssh://git@git.example.com/acme/catalog.git", ".", "/srv/git/x"]
)
def test_catalogs(written: str) -> None:
    assert git_url(written) == written


@pytest.mark.parametrize(
    ("written", "endpoint"),
    [
        ("127.0.0.1:0", Endpoint("127.0.0.1", 0)),
        ("[::1]:8080", Endpoint("::1", 8080)),
        (":80", Endpoint("", 80)),
        ("registry.example.com:443", Endpoint("registry.example.com", 443)),
    ],
)
def test_endpoints(written: str, endpoint: Endpoint) -> None:
    assert Endpoint.parse(written) == endpoint
    assert str(endpoint) == written


def test_the_public_url_is_brought_to_one_form() -> None:
    assert public_url("HTTPS://Registry.Example.com:8443/") == "https://registry.example.com:8443"


@given(st.integers(min_value=1, max_value=30 * 86400))
def test_a_duration_survives_being_shown(seconds: int) -> None:
    period = timedelta(seconds=seconds)
    parse = duration(timedelta(seconds=1), timedelta(days=30))
    assert parse(short(period)) == period
    assert parse(seconds) == period
    assert parse(str(seconds)) == period


@given(st.text())
def test_a_duration_is_parsed_or_refused(text: str) -> None:
    with suppress(InvalidName):
        assert isinstance(duration(timedelta(0), timedelta(days=1))(text), timedelta)


@given(st.text())
def test_an_endpoint_is_parsed_or_refused(text: str) -> None:
    try:
        endpoint = Endpoint.parse(text)
    except InvalidName:
        return
    assert Endpoint.parse(str(endpoint)) == endpoint


@pytest.mark.parametrize(
    ("name", "right"),
    [("access_log", '"-" for standard output'), ("tls_cert", "the name of a file"), ("store", "file:///")],
)
def test_an_empty_flag_is_told_what_would_be_right(name: str, right: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load({name: ""})
    assert str(caught.value).startswith(f'{TABLE[name].flag} "": write ')
    assert right in str(caught.value)
