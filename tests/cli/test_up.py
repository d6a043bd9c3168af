import json
import shutil
import socket
import subprocess
import urllib.request
from pathlib import Path

import pytest
import trustme

from gitopsreg.cli import recipe
from gitopsreg.model.address import Platform
from tests.builders import a_module as a_package
from tests.cli.catalogs import a_catalog, a_module, running
from tests.cli.shell import environment, gitopsreg
from tests.repositories import commit


def flags(root: Path) -> tuple[str | Path, ...]:
    return "--catalog", a_catalog(root / "catalog"), "--store", root / "store", "--cache", root / "cache"


def listed(url: str) -> list[str]:
    with urllib.request.urlopen(f"{url}/v1/modules/platform/naming/generic/versions") as answer:
        document = json.load(answer)
    return sorted(item["version"] for item in document["modules"][0]["versions"])


def test_it_tells_what_it_did_and_serves_what_is_pushed(tmp_path: Path) -> None:
    with running("up", *flags(tmp_path), "--listen", "127.0.0.1:0", "--interval", "1s") as process:
        welcome = process.until("Following HEAD")
        assert "1 package, 1 version added" in welcome
        url = next(line.split()[1] for line in welcome.splitlines() if line.startswith("Serving "))
        assert listed(url) == ["1.0.0"]
        commit(tmp_path / "catalog", a_module("1.0.0", "1.1.0"))
        assert "1 version added" in process.until("Published ")
        assert listed(url) == ["1.0.0", "1.1.0"]
        assert process.stop() == (0, "")


def test_a_second_start_serves_at_once_and_adds_nothing(tmp_path: Path) -> None:
    given = flags(tmp_path)
    gitopsreg("reconcile", *given)
    with running("up", *given, "--listen", "127.0.0.1:0") as process:
        assert "Nothing new in " in process.until("Following ")
        assert process.stop()[0] == 0


def test_it_serves_what_it_has_while_the_catalog_is_gone(tmp_path: Path) -> None:
    given = flags(tmp_path)
    gitopsreg("reconcile", *given)
    (tmp_path / "catalog").rename(tmp_path / "away")
    with running("up", *given, "--listen", "127.0.0.1:0") as process:
        welcome = process.until("Following ")
        url = next(line.split()[1] for line in welcome.splitlines() if line.startswith("Serving "))
        assert listed(url) == ["1.0.0"]
        assert process.stop()[0] == 0


@pytest.mark.e2e
def test_the_lines_to_paste_work(tmp_path: Path) -> None:
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not on PATH")
    with running("up", *flags(tmp_path), "--listen", "127.0.0.1:0") as process:
        lines = process.until("terraform init").splitlines()
        script = "\n".join(lines[lines.index(next(line for line in lines if line.startswith("mkdir "))) :])
        shell = tmp_path / "another shell"
        shell.mkdir()
        variables = environment(HOME=str(shell), CHECKPOINT_DISABLE="1")
        done = subprocess.run(
            ["sh", "-e", "-c", script], cwd=shell, env=variables, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert (shell / "try-gitopsreg/.terraform/modules/naming/main.tf").is_file()
        process.stop()


def test_json_lines(tmp_path: Path) -> None:
    with running("up", *flags(tmp_path), "--listen", "127.0.0.1:0", "--output", "json") as process:
        events = [json.loads(line) for line in process.until('"serving"').splitlines()]
        assert [event["event"] for event in events] == ["reconciled", "serving"]
        assert listed(events[1]["url"]) == ["1.0.0"]
        process.stop()


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = gitopsreg("up", *flags(tmp_path), "--listen", f"127.0.0.1:{taken.getsockname()[1]}")
    assert done.code == 2
    assert "the port is already in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_serve_reads_what_reconcile_wrote_and_follows_it(tmp_path: Path) -> None:
    given = flags(tmp_path)
    store = ("--store", tmp_path / "store", "--listen", "127.0.0.1:0", "--refresh", "100ms", "--output", "json")
    gitopsreg("reconcile", *given)
    with running("serve", *store) as process:
        event = json.loads(process.until("serving"))
        assert event["snapshot"]
        assert listed(event["url"]) == ["1.0.0"]
        assert process.stop() == (0, "")


def test_serve_over_tls(tmp_path: Path) -> None:
    gitopsreg("reconcile", *flags(tmp_path))
    certificate = trustme.CA().issue_cert("127.0.0.1")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "chain.pem")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    tls = ("--tls-cert", tmp_path / "chain.pem", "--tls-key", tmp_path / "key.pem")
    with running("serve", "--store", tmp_path / "store", "--listen", "127.0.0.1:0", *tls) as process:
        assert process.until("Serving").startswith("Serving https://127.0.0.1:")
        process.stop()


def test_serve_of_an_empty_store_says_so(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    with running("serve", "--store", tmp_path / "store", "--listen", "127.0.0.1:0") as process:
        assert "(nothing is published yet)" in process.until("Serving")
        process.stop()


@pytest.mark.parametrize("pair", [("--tls-cert", "--tls-key"), ("--tls-key", "--tls-cert")])
def test_half_a_pair_of_tls_files_is_refused(pair: tuple[str, str], tmp_path: Path) -> None:
    done = gitopsreg("serve", "--store", tmp_path, pair[0], "x.pem")
    assert (done.code, done.stderr) == (2, f"error: {pair[0]} needs {pair[1]}: https takes a certificate and its key\n")


def test_the_recipe_names_what_clients_would_choose() -> None:
    text = recipe.lines([a_package("1.0.0", "1.9.0", "1.10.0", "2.0.0-rc.1")], "http://127.0.0.1:8080", None)
    assert 'version = "1.10.0"' in text
    assert 'host "127.0.0.1:8080" {' in text
    assert text.endswith('TF_CLI_CONFIG_FILE="$PWD/registry.tfrc" terraform init\n')


def test_the_recipe_over_https_needs_no_host_block() -> None:
    text = recipe.lines([a_package("1.0.0")], "https://registry.example.com", Platform("linux", "amd64"))
    assert "host " not in text
    assert "TF_CLI_CONFIG_FILE" not in text
    assert 'source  = "registry.example.com/' in text


def test_nothing_to_install_gives_no_recipe() -> None:
    assert recipe.lines([], "http://127.0.0.1:8080", None) == ""
    assert recipe.lines([a_package("1.0.0", archived="2026-10-01T12:00:00Z")], "http://127.0.0.1:8080", None) == ""
