"""Keeps catalog authors from probing the network: which addresses a repository of theirs may live at.

Private networks are fine (that is where company Git servers are); the machine itself and the addresses where clouds
hand out credentials are not. A name is checked as it resolves now: one that changes its address in the next instant is
a matter for the network's own egress rules.
"""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from gitopsreg.errors import UpstreamUnavailable
from gitopsreg.transport.location import Location

_METADATA = tuple(
    ip_network(text)
    for text in (
        "100.100.100.200/32",  # Alibaba Cloud
        "168.63.129.16/32",  # Azure
        "192.0.0.192/32",  # Oracle Cloud
        "fd00:ec2::/32",  # AWS
        "fd20:ce::254/128",  # Google Cloud
        "0.0.0.0/8",
    )
)
_RIGHT = "a module's source must be a Git server"
_NAT64 = ip_network("64:ff9b::/96")


def check_address(location: Location, *, allow_loopback: bool, right: str = _RIGHT) -> None:
    """Raises UpstreamUnavailable when the host is, or resolves to, an address that is off limits; `right` says what
    would not be.

    A host that does not resolve passes: a proxy may know it, and without one nothing is reached.
    """
    try:
        found = socket.getaddrinfo(location.host, location.port, type=socket.SOCK_STREAM)
    except OSError:
        return
    for _, _, _, _, address in found:
        if reason := _refusal(ip_address(str(address[0]).partition("%")[0]), allow_loopback=allow_loopback):
            raise UpstreamUnavailable(
                f'"{location.url}" is refused: its host resolves to {address[0]}, {reason}; {right}'
            )


def _refusal(address: IPv4Address | IPv6Address, *, allow_loopback: bool) -> str:
    """Why the address is off limits, "" when it is not."""
    address = _unwrapped(address)
    if address.is_loopback:
        return "" if allow_loopback else "the registry's own machine (--allow-local-sources permits it)"
    if address.is_link_local or any(address in network for network in _METADATA):
        return "a link-local or cloud metadata address"
    if address.is_multicast or address.is_unspecified:
        return "no address of a single host"
    return ""


def _unwrapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 one stands for, if it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
