"""What clients need to find a registry: names, service addresses and configuration text. Pure; prints nothing."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from gitopsreg.errors import ConfigError
from gitopsreg.protocol import discovery
from gitopsreg.settings import Endpoint, Settings
from gitopsreg.settings.values import public_url

_TAKEN = {"github.com", "bitbucket.org"}
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def registry_url(settings: Settings) -> str:
    """The address that clients on this machine use: what is public, else where it listens."""
    return settings.public_url or f"{'https' if settings.tls_cert else 'http'}://{_reachable(settings.listen)}"


def url_of_running(settings: Settings, address: str) -> str:
    """The same for a running server, which knows the port it was given when port 0 was asked for."""
    if settings.public_url:
        return settings.public_url
    parts = urlsplit(address)
    return f"{parts.scheme}://{_reachable(Endpoint(parts.hostname or '', parts.port or settings.listen.port))}"


def _reachable(endpoint: Endpoint) -> Endpoint:
    """Every-address and localhost become 127.0.0.1: terraform wants a dot in a registry's name."""
    anywhere = endpoint.host in {"", "0.0.0.0", "::", "localhost"}  # noqa: S104 - compared, not listened at
    return Endpoint("127.0.0.1", endpoint.port) if anywhere else endpoint


def checked_url(text: str) -> str:
    try:
        return public_url(text)
    except ValueError as error:
        raise ConfigError(f'--url "{text}": {error}') from error


def host_of(url: str) -> str:
    """The name that users write for the registry at this address."""
    parts = urlsplit(url)
    return parts.netloc.removesuffix(_DEFAULT_PORTS.get(parts.scheme, ""))


def checked_host(text: str) -> str:
    """A name that terraform takes as a registry's in the `source` of modules and providers; raises ConfigError."""
    host = text.lower()
    if host.startswith("["):
        raise ConfigError(f"\"{text}\" can't be a registry's name: terraform takes no IPv6 address, write a DNS name")
    name, colon, port = host.partition(":")
    try:
        Endpoint.parse(f"{name or '/'}:{port if colon else 443}")
    except ValueError as error:
        right = 'write one like "registry.example.com" or "127.0.0.1:8080"'
        raise ConfigError(f'"{text}" is no host name: {right}') from error
    if "." not in name.strip("."):
        better = f"127.0.0.1{colon}{port}" if name == "localhost" else f"{name}.example.com{colon}{port}"
        raise ConfigError(
            f'"{text}" can\'t be a module registry\'s name: terraform wants a dot in it, write "{better}"'
        )
    if name in _TAKEN:
        raise ConfigError(f"\"{text}\" can't be a registry's name: terraform takes it for a Git host, write your own")
    return host.removesuffix(":443")


def services(url: str) -> dict[str, str]:
    """Each service's absolute address, as discovery would give it."""
    return {name: url + path for name, path in service_paths().items()}


def service_paths() -> Mapping[str, str]:
    return {str(name): str(path) for name, path in discovery.services().items()}


def host_block(host: str, url: str) -> str:
    """What makes a client skip discovery, and with it the need for https."""
    found = {f'"{name}"': address for name, address in services(url).items()}
    width = max(len(name) for name in found)
    lines = "".join(f'    {name:<{width}} = "{address}"\n' for name, address in found.items())
    return f'host "{host}" {{\n  services = {{\n{lines}  }}\n}}\n'


def mirror_block(host: str, url: str) -> str:
    """Providers of this registry through its network mirror; raises ConfigError for what clients can't use."""
    if not url.startswith("https://"):
        raise ConfigError(
            f'"{url}" can\'t be a network mirror: terraform wants https, so serve with --tls-cert and --tls-key, '
            "or give the https address with --url"
        )
    if ":" in host:
        raise ConfigError(
            f'"{host}" can\'t be looked for in a network mirror: terraform reads its port as part of an address, so '
            'give the registry a name without one, like --host "registry.example.com"'
        )
    return (
        "provider_installation {\n"
        "  network_mirror {\n"
        f'    url     = "{url}{discovery.MIRROR}"\n'
        f'    include = ["{host}/*/*"]\n'
        "  }\n"
        "  direct {\n"
        f'    exclude = ["{host}/*/*"]\n'
        "  }\n"
        "}\n"
    )
