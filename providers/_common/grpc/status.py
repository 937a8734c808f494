"""How a call ended, and which error tells the caller what to do next. No I/O.

Sources: "Status codes and their use in gRPC" (statuscodes.md), "gRPC over HTTP2" (Errors), and
proposal A6 for the pushback.
"""

import math
from collections.abc import Mapping
from enum import IntEnum

import attrs

from capabilities import (
    ProviderBusy,
    ProviderClosed,
    ProviderError,
    ProviderRefused,
    ProviderUnavailable,
)
from providers._common.failures import LONGEST_PAUSE, Failures
from providers._common.grpc.details import retry_delay
from providers._common.grpc.headers import Fields, decode_binary, decode_text

_PAUSE = 1.0  # seconds, where a server says that it is busy but not for how long


class Code(IntEnum):
    """The status codes of gRPC."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


@attrs.frozen
class Status:
    """What the server says at the end of a call, or what the way it broke off amounts to."""

    code: Code
    message: str = ""
    pause: float | None = None
    """Seconds to wait before the next attempt, if the server says so; ``inf``: make no other."""


# What to do next, as far as the code tells: (before the server had begun to answer, and after).
# A stream that had begun was accepted, so a new one has a good chance: Closed. What the same
# request will meet again is Refused at any time.
_REFUSED = (ProviderRefused, ProviderRefused)
_PASSING = (ProviderUnavailable, ProviderClosed)
_NEXT: Mapping[Code, tuple[type[ProviderError], type[ProviderError]]] = {
    Code.CANCELLED: _PASSING,
    Code.UNKNOWN: _PASSING,
    Code.INVALID_ARGUMENT: _REFUSED,
    # Too slow is too slow, whether the server says it or our own clock was a little faster.
    Code.DEADLINE_EXCEEDED: (ProviderUnavailable, ProviderUnavailable),
    Code.NOT_FOUND: _REFUSED,
    Code.ALREADY_EXISTS: _REFUSED,
    Code.PERMISSION_DENIED: _REFUSED,
    Code.RESOURCE_EXHAUSTED: (ProviderBusy, ProviderBusy),
    Code.FAILED_PRECONDITION: _REFUSED,
    Code.ABORTED: _PASSING,
    # Vendors end a recognition that has lasted too long like this; as a first answer it is about
    # the request.
    Code.OUT_OF_RANGE: (ProviderRefused, ProviderClosed),
    Code.UNIMPLEMENTED: _REFUSED,
    Code.INTERNAL: _PASSING,
    Code.UNAVAILABLE: _PASSING,
    Code.DATA_LOSS: _PASSING,
    Code.UNAUTHENTICATED: _REFUSED,
}

_RESET: Mapping[int, Code] = {
    0x7: Code.UNAVAILABLE,  # REFUSED_STREAM, met a second time
    0x8: Code.CANCELLED,  # CANCEL
    0xB: Code.RESOURCE_EXHAUSTED,  # ENHANCE_YOUR_CALM
    0xC: Code.PERMISSION_DENIED,  # INADEQUATE_SECURITY
}


def read_status(fields: Fields) -> Status | None:
    """Read the status out of trailers, or out of the only header block; None if it is not there."""
    if b"grpc-status" not in fields:
        return None
    number = fields[b"grpc-status"]
    known = number.isdigit() and len(number) < 3 and int(number) in set(Code)
    message = decode_text(fields.get(b"grpc-message", b""))
    return Status(Code(int(number)) if known else Code.UNKNOWN, message, _pause(fields))


def _pause(fields: Fields) -> float | None:
    pushback = fields.get(b"grpc-retry-pushback-ms")
    if pushback is not None:
        # A6: negative or unreadable asks for no other attempt.
        return min(int(pushback) / 1000, LONGEST_PAUSE) if pushback.isdigit() else math.inf
    delay = retry_delay(decode_binary(fields.get(b"grpc-status-details-bin", b"")))
    return None if delay is None else min(delay, LONGEST_PAUSE)


def reset_status(error_code: int) -> Status:
    """Say what the error code of a RST_STREAM amounts to."""
    return Status(_RESET.get(error_code, Code.INTERNAL), f"stream reset, HTTP/2 code {error_code}")


def failure(failures: Failures, status: Status, *, answered: bool) -> ProviderError:
    """Return the error that a status other than OK is for the caller.

    Args:
        answered: the server had begun to answer before.
    """
    kind = _NEXT[status.code][answered]
    said = failures.tidy(status.message)
    text = f"{status.code.name}: {said}" if said else status.code.name
    if not issubclass(kind, ProviderUnavailable):
        return kind(failures.provider, text)
    if status.pause == math.inf:
        return ProviderRefused(failures.provider, f"{text} (and asks not to try again)")
    if kind is ProviderBusy or status.pause is not None:
        pause = _PAUSE if status.pause is None else status.pause
        return ProviderBusy(failures.provider, text, retry_after=pause)
    return kind(failures.provider, text)
