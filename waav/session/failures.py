"""From an exception to the words of the protocol that tell the client."""

from capabilities import (
    CredentialMissing,
    ProviderBusy,
    ProviderClosed,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderUnavailable,
)
from waav.errors import WaavError
from waav.observe.scope import redact
from waav.session.events import Failed

PREFIXES: dict[type[BaseException], str] = {
    ProviderUnavailable: "Connection failed: ",
    ProviderBusy: "Provider busy: ",
    ProviderClosed: "Network error: ",
    ProviderProtocolError: "Network error: ",
    ProviderRefused: "Configuration error: ",
}
"""A class that is not here counts as the nearest of its parents that is."""

TEXT_LIMIT = 500
"""Characters of a text to a client: it may quote a vendor, and a vendor may answer with a page."""


def sentence(exc: BaseException) -> str:
    """Say what went wrong in at most 500 characters, for an exception whose text clients may see."""
    if isinstance(exc, CredentialMissing):
        return exc.message  # a text that clients look for
    prefix = next((PREFIXES[kind] for kind in type(exc).__mro__ if kind in PREFIXES), "")
    text = exc.message if isinstance(exc, WaavError) else str(exc)
    return shorten(prefix + redact(text, TEXT_LIMIT))


def shorten(text: str) -> str:
    """Cut a text that is longer than a client should get."""
    return text if len(text) <= TEXT_LIMIT else text[: TEXT_LIMIT - 1] + "…"


def failure(exc: ProviderError | WaavError, prefix: str, code: str) -> Failed:
    """Make the event. An error that has a code of its own keeps it."""
    if isinstance(exc, CredentialMissing):
        return Failed("missing_api_key", sentence(exc))
    if isinstance(exc, WaavError):
        code = exc.code
    return Failed(code, prefix + sentence(exc))
