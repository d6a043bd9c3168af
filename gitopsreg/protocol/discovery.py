"""Service discovery: where the registry's protocols live. The same for every caller, whatever the snapshot holds."""

from gitopsreg.protocol.document import Document

PATH = "/.well-known/terraform.json"
MODULES = "/v1/modules/"
PROVIDERS = "/v1/providers/"
# The network mirror has no service key: clients are told of it by their own configuration.
MIRROR = "/v1/mirror/"


def services() -> Document:
    """Base URLs start and end with "/": clients resolve them against the discovery URL and add names as they stand."""
    return {"modules.v1": MODULES, "providers.v1": PROVIDERS}
