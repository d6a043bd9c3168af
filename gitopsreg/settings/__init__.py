"""What the operator says: one frozen `Settings` from flags, environment, a YAML file and defaults, in this order.

`model` and `values` need only the standard library, so that a command line can be built from them at once;
`sources.load` puts the sources together.
"""

from gitopsreg.settings.model import TABLE, VARIABLE_PREFIX, Setting, Settings
from gitopsreg.settings.values import Backend, Endpoint, Receiver, Secret

__all__ = ["TABLE", "VARIABLE_PREFIX", "Backend", "Endpoint", "Receiver", "Secret", "Setting", "Settings"]
