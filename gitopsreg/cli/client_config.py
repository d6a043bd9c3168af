"""`gitopsreg client-config`: what terraform and tofu need to find a registry. Asks nobody; only prints."""

from typing import Annotated

import typer

from gitopsreg.cli import output, tfrc
from gitopsreg.cli.failures import DONE
from gitopsreg.cli.options import PRINTED, takes
from gitopsreg.cli.stream import write
from gitopsreg.settings import Settings

NAME = "client-config"
SHORT = "Print what terraform needs to find a registry."
HELP = """Print a CLI configuration (.tfrc) for terraform and tofu.

Over plain http a client needs a "host" block; over https it needs nothing, but the trust in the certificate's issuer.

Exit codes: 0 done, 2 wrong use.
"""
EXAMPLES = """Examples:
  gitopsreg client-config > registry.tfrc && export TF_CLI_CONFIG_FILE=$PWD/registry.tfrc
  gitopsreg client-config --host registry.example.com --url http://10.0.0.7:8080
  gitopsreg client-config --url https://registry.example.com --mirror"""


@takes("listen", "public_url", "tls_cert", *PRINTED)
def command(
    settings: Settings,
    host: Annotated[
        str | None, typer.Option("--host", metavar="HOST[:PORT]", help="The name that users write in 'source'.")
    ] = None,
    url: Annotated[
        str | None, typer.Option("--url", metavar="URL", help="Where the registry answers, if not where it listens.")
    ] = None,
    mirror: Annotated[bool, typer.Option("--mirror", help="Add its network mirror of providers (https only).")] = False,
) -> int:
    address = tfrc.checked_url(url) if url else tfrc.registry_url(settings)
    name = tfrc.checked_host(host or tfrc.host_of(address))
    text = render(name, address, mirror=mirror)
    if settings.output == "json":
        output.print_json({"host": name, "url": address, "services": tfrc.services(address), "tfrc": text})
    else:
        write(text)
    return DONE


def render(host: str, url: str, *, mirror: bool) -> str:
    """The whole file; comments say what it is good for and what else there is."""
    found_by_itself = url.startswith("https://") and tfrc.host_of(url) == host
    parts = [_https(host) if found_by_itself else _with_block(host, url)]
    if mirror:
        parts.append(tfrc.mirror_block(host, url))
    return "\n".join(parts)


def _https(host: str) -> str:
    return (
        f"# terraform and tofu find {host} by themselves, at https://{host}/.well-known/terraform.json:\n"
        "# no host block is needed. If its certificate comes from a CA of your own:\n"
        "#   export SSL_CERT_FILE=/path/to/ca.pem\n"
        f'# Then write   source = "{host}/NAMESPACE/NAME/SYSTEM"   for modules\n'
        f'#       and    source = "{host}/NAMESPACE/TYPE"          for providers.\n'
    )


def _with_block(host: str, url: str) -> str:
    return (
        "# How terraform and tofu find the registry. Save as registry.tfrc, then\n"
        "#   export TF_CLI_CONFIG_FILE=$PWD/registry.tfrc\n"
        f'# and write   source = "{host}/NAMESPACE/NAME/SYSTEM"   for modules\n'
        f'#      and    source = "{host}/NAMESPACE/TYPE"          for providers.\n'
        f"{'' if url.startswith('https://') else _OVER_TLS}"
        f"{tfrc.host_block(host, url)}"
    )


_OVER_TLS = """\
#
# This is plain http: good for a trial or behind a closed door. The TLS way needs no such block:
#   gitopsreg serve --listen :443 --tls-cert chain.pem --tls-key key.pem --public-url https://registry.example.com
# and, only if the certificate comes from a CA of your own, on each client: export SSL_CERT_FILE=/path/to/ca.pem
"""
