"""Settings of all tests."""

import os

from hypothesis import settings

# A shared machine may stop for longer than any deadline of one example. In CI the examples are the
# same each time, so that a commit is not refused for what another one did; at a desk they differ.
settings.register_profile("waav", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("waav")
