"""Service discovery."""

import pytest

from gitopsreg.protocol import discovery
from gitopsreg.protocol.document import encode


def test_the_document_names_the_two_services_and_nothing_else() -> None:
    assert encode(discovery.services()) == b'{"modules.v1":"/v1/modules/","providers.v1":"/v1/providers/"}'


@pytest.mark.pitfall(3)
def test_pitfall_03_every_base_url_ends_with_a_slash() -> None:
    assert all(url.endswith("/") for url in discovery.services().values())


@pytest.mark.pitfall(4)
def test_pitfall_04_every_base_url_starts_with_a_slash() -> None:
    """Terraform resolves "v1/modules/" below /.well-known/, Renovate at the root."""
    assert all(url.startswith("/") for url in discovery.services().values())
