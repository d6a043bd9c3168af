"""The real terraform at arm's length: a home of its own, no cache, and only the hosts that a test names."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

# Colours, and the frame that terraform draws around its diagnostics.
_DECORATION = re.compile(r"\x1b\[[0-9;]*m|[│╷╵]")
_CRASHED = 11


def find_terraform() -> str:
    """The binary; without one the test is skipped, or fails where CI=true promised it."""
    found = shutil.which("terraform")
    if found is None and os.environ.get("CI") == "true":
        pytest.fail("terraform is not on PATH, and CI must run the tests that need it")
    if found is None:
        pytest.skip("terraform is not on PATH")
    return found


@dataclass(frozen=True, slots=True)
class Result:
    """`output` is stdout and stderr on one line: terraform wraps its text, so white space says nothing."""

    code: int
    output: str
    lines: tuple[str, ...]


class Terraform:
    """Runs terraform with its own HOME and CLI configuration, both under `home`.

    `hosts` maps a registry's host name to a plain base URL (no discovery, no TLS); `mirror` is a network mirror's URL,
    used instead of any registry; `tokens` are bearer tokens by host; `ca` is the only certificate authority trusted.
    """

    def __init__(
        self,
        home: Path,
        *,
        hosts: Mapping[str, str] | None = None,
        mirror: str = "",
        tokens: Mapping[str, str] | None = None,
        ca: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.binary = find_terraform()
        self.home = home
        self.config = home / "cli.tfrc"
        no_certificates = home / "no-certificates"
        no_certificates.mkdir(parents=True)
        self.config.write_text(_cli_config(hosts or {}, mirror, tokens or {}), encoding="utf-8")
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "TMPDIR": str(home),
            "TF_CLI_CONFIG_FILE": str(self.config),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
            "NO_PROXY": "*",
            "SSL_CERT_DIR": str(no_certificates),
            **({"SSL_CERT_FILE": str(ca)} if ca else {}),
            **(environment or {}),
        }

    def run(self, *arguments: str, cwd: Path, timeout: float = 120) -> Result:
        """Any exit code is an answer, except that of a crash: a client that crashes is our fault."""
        done = subprocess.run(
            [self.binary, *arguments],
            cwd=cwd,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            check=False,
        )
        text = _DECORATION.sub("", done.stdout.decode())
        result = Result(done.returncode, " ".join(text.split()), tuple(line.strip() for line in text.splitlines()))
        assert result.code != _CRASHED, f"terraform crashed: {result.output}"
        return result


def _cli_config(hosts: Mapping[str, str], mirror: str, tokens: Mapping[str, str]) -> str:
    parts = [_host_block(host, base.rstrip("/")) for host, base in hosts.items()]
    parts += [f'credentials "{host}" {{\n  token = "{token}"\n}}\n' for host, token in tokens.items()]
    if mirror:
        parts.append(f'provider_installation {{\n  network_mirror {{\n    url = "{mirror}"\n  }}\n}}\n')
    return "\n".join(parts)


def _host_block(host: str, base: str) -> str:
    return (
        f'host "{host}" {{\n  services = {{\n'
        f'    "modules.v1" = "{base}/v1/modules/"\n    "providers.v1" = "{base}/v1/providers/"\n  }}\n}}\n'
    )
