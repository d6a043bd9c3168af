"""What all tests share."""

import os

from hypothesis import settings

# A loaded machine is no failing law, so examples have no deadline; in CI the same examples are tried each time.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "here")
