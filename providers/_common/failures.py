"""What went wrong -> one of ``capabilities.errors``, by what the caller should do next."""

import json
import os
import re
import ssl
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from socket import gaierror
from typing import Any

import attrs

from capabilities import (
    ProviderBusy,
    ProviderClosed,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderUnavailable,
)

MOST_DETAIL = 200
"""Characters of a vendor's own words that a message quotes."""
LONGEST_PAUSE = 3600.0
"""Seconds: more of a Retry-After is not believed."""

_PAUSE = 1.0  # seconds, where a vendor says that it is busy but not for how long

# A close code is said on the wire (RFC 6455, 7.4.1 and the registry of IANA). What is not here
# and below 4000 is a connection that ended: open a new one.
_CLOSED: Mapping[int, type[ProviderError]] = {
    1002: ProviderProtocolError,
    1003: ProviderProtocolError,
    1007: ProviderProtocolError,
    1008: ProviderRefused,
    1009: ProviderProtocolError,
    1010: ProviderProtocolError,
    1013: ProviderBusy,
    3000: ProviderRefused,
    3003: ProviderRefused,
}
_PRIVATE = range(4000, 5000)  # as a rule somebody's policy
_LIKE_HTTP = range(4400, 4600)  # by a common habit an HTTP status and 4000

# Where vendors put the sentence for people in an answer of JSON.
_SAID = ("message", "err_msg", "error_message", "error", "detail", "reason", "title")

_KEYS = re.compile(
    r"\b(?:sk|pk|rk|gsk|xi)[-_][\w*.-]{4,}"
    r"|(?:key|token|secret|password|signature)[\"']?\s?[=:]\s?[\"']?(?=\S*\d)\S{6,}"
    # Whatever else is long and has both letters and digits.
    r"|(?<![\w*-])(?=[A-Za-z*_-]*\d)(?=[\d*_-]*[A-Za-z])[\w*-]{24,}",
    re.IGNORECASE,
)


@attrs.frozen
class Failures:
    """Names what one provider does wrong, without giving away what must stay secret."""

    provider: str
    secrets: tuple[str, ...] = attrs.field(default=(), repr=False)
    """Texts that no message may hold."""

    def of_status(
        self,
        status: int,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        *,
        by_proxy: bool = False,
    ) -> ProviderError:
        """An HTTP answer that is not the one that was wanted.

        Args:
            headers: with names in lower case.
            body: the beginning of it; of JSON the sentence for people is quoted.
            by_proxy: it was not the vendor who answered.
        """
        what = f"its proxy {_phrase(status)}" if by_proxy else _phrase(status)
        # A proxy's status says nothing about the vendor.
        told = None if by_proxy else status
        return self._name(_kind_of(status), what, said_in(body), headers, told)

    def of_close(self, code: int, reason: str = "") -> ProviderError:
        """A WebSocket that the vendor closed; 1006 if it just broke."""
        kind = _CLOSED.get(code, ProviderClosed)
        if code in _LIKE_HTTP:
            kind = _kind_of(code - 4000)
        elif code in _PRIVATE:
            kind = ProviderRefused
        what = "hung up without a goodbye" if code == 1006 else f"closed the connection ({code})"
        return self._name(kind, what, reason)

    def of_network(self, exc: BaseException) -> ProviderUnavailable:
        """A host that could not be found or reached, or with which TLS could not be agreed on."""
        return ProviderUnavailable(self.provider, self.tidy(_network(exc)))

    def tidy(self, text: str) -> str:
        """Somebody else's words as part of a message: short, in one line, without keys."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        text = _KEYS.sub("***", text[: 10 * MOST_DETAIL])
        line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        return line if len(line) <= MOST_DETAIL else line[: MOST_DETAIL - 1] + "…"

    def _name(
        self,
        kind: type[ProviderError],
        what: str,
        detail: str,
        headers: Mapping[str, str] | None = None,
        status: int | None = None,
    ) -> ProviderError:
        detail = self.tidy(detail)
        message = f"{what}: {detail}" if detail else what
        pause = retry_after(headers or {})
        if kind is ProviderBusy or (kind is ProviderUnavailable and pause is not None):
            pause = _PAUSE if pause is None else pause
            return ProviderBusy(self.provider, message, retry_after=pause, status=status)
        return kind(self.provider, message, status=status)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Read ``Retry-After`` (RFC 9110, 10.2.3) as seconds; None if there is none to be read.

    A date is compared with the ``Date`` of the same answer, so that no clock but the vendor's
    matters.

    Args:
        headers: with names in lower case.
    """
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text, re.ASCII):
        return min(float(text), LONGEST_PAUSE)
    try:
        then, now = parsedate_to_datetime(text), parsedate_to_datetime(headers.get("date", ""))
        return min(max((then - now).total_seconds(), 0.0), LONGEST_PAUSE)
    except (TypeError, ValueError, OverflowError):
        return None


def said_in(body: bytes) -> str:
    """The sentence for people in the body of an answer; empty if there is none, as in a page."""
    try:
        return _said(json.loads(body), 4)
    except (ValueError, RecursionError):
        text = body.decode(errors="replace").strip()
        return "" if text.startswith(("<", "{", "[")) else text


def _said(value: Any, depth: int) -> str:
    match value:
        case str():
            return value
        case [first, *_] if depth:
            return _said(first, depth - 1)
        case dict() if depth:
            return next((s for k in _SAID if (s := _said(value.get(k), depth - 1))), "")
        case _:
            return ""


def _kind_of(status: int) -> type[ProviderError]:
    match status:
        case 429:
            return ProviderBusy
        case 408 | 425:
            return ProviderUnavailable
        case _ if status >= 500:
            return ProviderUnavailable
        case _ if status >= 300:
            return ProviderRefused
        case _:
            return ProviderProtocolError


def _phrase(status: int) -> str:
    try:
        return f"answered HTTP {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"answered HTTP {status}"


def _network(exc: BaseException) -> str:
    """The deepest reason that says something to people."""
    for cause in reversed(list(_causes(exc))):
        match cause:
            case ssl.SSLCertVerificationError(verify_message=why):
                return f"its certificate is not trusted: {why}"
            case ssl.SSLError(reason=why):
                return f"TLS failed: {(why or 'broken off').replace('_', ' ').lower()}"
            case gaierror():
                return "its host name is not known"
            case OSError(errno=int(number)):  # its own text often has the address in it
                return f"cannot be reached: {os.strerror(number)}"
            case _:
                continue
    return "cannot be reached: the connection broke"


def _causes(exc: BaseException | None) -> Iterator[BaseException]:
    while exc is not None:
        yield exc
        exc = exc.exceptions[0] if isinstance(exc, BaseExceptionGroup) else exc.__cause__
