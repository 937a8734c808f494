"""What the outside hears of an exception: HTTP status, WebSocket close code, stable code, text.

One table for both doors. Only exceptions of the table are explained to a client; of everything
else it learns nothing but that it happened.
"""

import attrs

from capabilities.errors import (
    CredentialMissing,
    ProviderBusy,
    ProviderClosed,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderUnavailable,
)
from waav.errors import (
    AddressRefused,
    ClientKeyRefused,
    Forbidden,
    InvalidRequest,
    LimitReached,
    Overloaded,
    PluginFailed,
    PluginNotRunning,
    SlowClient,
    UnknownProvider,
)
from waav.session.failures import sentence

NORMAL = 1000
GOING_AWAY = 1001
POLICY = 1008
INTERNAL = 1011
TRY_AGAIN = 1013
IDLE = 4000
UNAUTHORIZED = 4001


class NotAvailable(InvalidRequest):
    """A part of the protocol that this version of the gateway does not have."""

    code = "not_available"

    def __init__(self, feature: str, message: str) -> None:
        super().__init__(message)
        self.feature = feature


class NotAuthenticated(InvalidRequest):
    """A client does not say who it is, or nobody knows it."""

    def __init__(self, message: str, *, code: str, retry_after: float | None = None) -> None:
        super().__init__(message, code=code)
        self.retry_after = retry_after
        """Seconds after which trying again may help, if that is known."""


@attrs.frozen
class Row:
    """How one class of exceptions looks from outside."""

    status: int
    """Of the HTTP answer."""
    close: int
    """Of a WebSocket that ends because of it."""
    code: str | None = None
    """Stable name; None if the exception carries its own."""


TABLE: dict[type[BaseException], Row] = {
    InvalidRequest: Row(400, POLICY),
    AddressRefused: Row(400, POLICY),
    UnknownProvider: Row(400, POLICY),
    ClientKeyRefused: Row(403, POLICY),
    NotAvailable: Row(501, POLICY),
    NotAuthenticated: Row(401, UNAUTHORIZED),
    Forbidden: Row(403, POLICY),
    PluginFailed: Row(502, INTERNAL),
    PluginNotRunning: Row(503, TRY_AGAIN),
    SlowClient: Row(503, TRY_AGAIN),
    LimitReached: Row(503, TRY_AGAIN),
    Overloaded: Row(503, TRY_AGAIN),
    ProviderError: Row(502, INTERNAL, "provider_error"),
    ProviderUnavailable: Row(502, INTERNAL, "provider_unavailable"),
    ProviderBusy: Row(429, TRY_AGAIN, "provider_busy"),
    ProviderClosed: Row(502, INTERNAL, "provider_closed"),
    ProviderRefused: Row(502, INTERNAL, "provider_refused"),
    CredentialMissing: Row(400, POLICY, "missing_api_key"),
    ProviderProtocolError: Row(502, INTERNAL, "provider_protocol_error"),
}
"""A class that is not here counts as the nearest of its parents that is."""

_UNKNOWN = Row(500, INTERNAL, "internal_error")


def http_status(exc: BaseException) -> int:
    """Say with which status an HTTP request ends that failed so."""
    return _row(_cause(exc)).status


def close_code(exc: BaseException) -> int:
    """Say with which code a WebSocket closes that failed so."""
    return _row(_cause(exc)).close


def describe(exc: BaseException) -> tuple[str, str]:
    """Return the stable code and a text of at most 500 characters that a client may see."""
    cause = _cause(exc)
    row = _row(cause)
    if row is _UNKNOWN:
        return "internal_error", "Internal error"
    code = row.code or str(getattr(cause, "code", "internal_error"))
    return code, sentence(cause)


def details(exc: BaseException) -> dict[str, object]:
    """Return what a program may want to know beside the code; mostly nothing."""
    match _cause(exc):
        case (
            ProviderBusy(retry_after=seconds)
            | LimitReached(retry_after=seconds)
            | Overloaded(retry_after=seconds)
        ):
            return {"retry_after": seconds}
        case NotAuthenticated(retry_after=float(seconds)):
            return {"retry_after": seconds}
        case NotAvailable(feature=feature):
            return {"feature": feature}
        case _:
            return {}


def retry_after(exc: BaseException) -> float | None:
    """Return the seconds after which trying again may help, if that is known."""
    cause = _cause(exc)
    return (
        cause.retry_after if isinstance(cause, ProviderBusy | LimitReached | Overloaded) else None
    )


def is_known(exc: BaseException) -> bool:
    """Say whether the table explains ``exc``; otherwise it is a bug, and belongs in the log."""
    return _row(_cause(exc)) is not _UNKNOWN


def _row(exc: BaseException) -> Row:
    return next((TABLE[kind] for kind in type(exc).__mro__ if kind in TABLE), _UNKNOWN)


def _cause(exc: BaseException) -> BaseException:
    """Pick the one exception of a group that decides: a bug before any that is foreseen."""
    if not isinstance(exc, BaseExceptionGroup):
        return exc
    causes = [_cause(inner) for inner in exc.exceptions]
    return next((cause for cause in causes if _row(cause) is _UNKNOWN), causes[0])
