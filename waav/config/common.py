"""What a table ``[plugins.providers.NAME]`` may say whatever the plugin: the gateway reads it itself."""

from collections.abc import Mapping
from typing import Any

from waav.config.expected import Expected

MAX_SESSIONS = "max_sessions"
"""How many conversations the provider may have at one time, for each capability and each key."""


def max_sessions(table: Mapping[str, Any]) -> int | None:
    """Return how many there may be; None for as many as are wanted.

    Raises:
        Expected: it is no number, or none that anything could be done with.
    """
    match table.get(MAX_SESSIONS):
        case None | "":
            return None
        case bool():
            pass
        case int(most) if most > 0:
            return most
        case str(text) if text.isascii() and text.isdecimal() and int(text) > 0:
            return int(text)
    raise Expected("a whole number of at least 1", MAX_SESSIONS)
