"""From an exception to the event that tells the client, in the words of the protocol."""

from capabilities import (
    ProviderBusy,
    ProviderClosed,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderUnavailable,
)
from waav.errors import WaavError
from waav.session.events import Failed

_PREFIXES: dict[type[ProviderError], str] = {
    # The first that fits; children stand in front of their parents.
    ProviderBusy: "Provider busy: ",
    ProviderUnavailable: "Connection failed: ",
    ProviderClosed: "Connection closed: ",
    ProviderRefused: "Configuration error: ",
    ProviderProtocolError: "Protocol error: ",
}

MAX_TEXT = 500


def sentence(exc: Exception) -> str:
    """Say what went wrong, in one short sentence without internals."""
    if isinstance(exc, ProviderError):
        prefix = next(text for kind, text in _PREFIXES.items() if isinstance(exc, kind))
        return (prefix + exc.message)[:MAX_TEXT]
    if isinstance(exc, WaavError):
        return exc.message[:MAX_TEXT]
    return "Internal error"


def failure(exc: ProviderError | WaavError, prefix: str, code: str) -> Failed:
    """Make the event. An error of ours that has a code of its own keeps it."""
    if isinstance(exc, WaavError):
        code = exc.code
    return Failed(code, prefix + sentence(exc))
