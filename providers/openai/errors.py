"""An error in the middle of a stream of events -> one of ``capabilities.errors``. No I/O."""

from collections.abc import Mapping
from typing import Any

from capabilities import (
    ProviderBusy,
    ProviderClosed,
    ProviderError,
    ProviderRefused,
)
from providers._common.failures import Failures
from providers.openai.names import ID

_KINDS: Mapping[str, type[ProviderError]] = {
    "rate_limit_exceeded": ProviderBusy,
    "insufficient_quota": ProviderRefused,
    "invalid_api_key": ProviderRefused,
    "model_not_found": ProviderRefused,
    "session_expired": ProviderClosed,
    "authentication_error": ProviderRefused,
    "permission_error": ProviderRefused,
    "server_error": ProviderClosed,
    "rate_limit_error": ProviderBusy,
    "invalid_request_error": ProviderRefused,
}
"""By ``code``, which is the more exact one, and by ``type``."""


def stream_error(error: Any) -> ProviderError:
    """Name the value of an event's ``error``: ``{type, code, message, param}``."""
    told = error if isinstance(error, Mapping) else {"message": error}
    names = (told.get("code"), told.get("type"))
    kind = next((_KINDS[n] for n in names if isinstance(n, str) and n in _KINDS), ProviderClosed)
    detail = told.get("message")
    text = Failures(ID).tidy(detail) if isinstance(detail, str) else ""
    return kind(ID, f"reported an error: {text}" if text else "reported an error")
