import pytest

from gitopsreg.errors import UpstreamUnavailable
from gitopsreg.transport.address_guard import check_address
from gitopsreg.transport.location import Location


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "169.254.1.2",
        "100.100.100.200",
        "168.63.129.16",
        "0.0.0.0",
        "224.0.0.1",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "[ff02::1]",
        "[::]",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:a9fe:a9fe::1]",
        "2852039166",
        "0xa9fea9fe",
    ],
)
def test_an_address_that_is_off_limits_is_refused(host: str) -> None:
    for allow_loopback in (False, True):
        with pytest.raises(UpstreamUnavailable, match="is refused"):
            check_address(Location.parse(f"https://{host}/x"), allow_loopback=allow_loopback)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "[::1]", "2130706433", "[::ffff:127.0.0.1]"])
def test_this_machine_is_refused_unless_allowed(host: str) -> None:
    location = Location.parse(f"https://{host}/x")
    with pytest.raises(UpstreamUnavailable, match="--allow-local-sources"):
        check_address(location, allow_loopback=False)
    check_address(location, allow_loopback=True)


@pytest.mark.parametrize("host", ["10.1.2.3", "192.168.1.1", "203.0.113.7", "[fd12::1]", "no-such-host.invalid"])
def test_company_networks_and_the_world_are_fine(host: str) -> None:
    check_address(Location.parse(f"https://{host}/x"), allow_loopback=False)


def test_ssh_hosts_are_judged_too() -> None:
    with pytest.raises(UpstreamUnavailable):
        check_address(Location.parse("git@169.254.169.254:x"), allow_loopback=True)
