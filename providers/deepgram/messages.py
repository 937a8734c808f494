"""The vendor's JSON -> values, for all of its WebSockets; and what its error messages mean."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

import attrs
import msgspec

from capabilities import (
    ProviderClosed,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
)
from providers._common.failures import Failures
from providers._common.wire import Message
from providers.deepgram.names import ID

Seconds: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1e7)]


@attrs.frozen
class Error:
    """Something is wrong; v1 calls its kind ``variant``, all others call it ``code``."""

    code: str | None = None
    variant: str | None = None
    description: str | None = None
    message: str | None = None

    def failure(self) -> ProviderError:
        """Name it by what to do next."""
        code = self.code or self.variant or "error"
        kind = _KINDS.get(code.partition("-")[0], ProviderClosed)
        told = self.description or self.message or "no reason given"
        return kind(ID, Failures(ID).tidy(f"{code}: {told}"))


# DATA-0000 and its like: the first word is the kind. What is not here may pass.
_KINDS: Mapping[str, type[ProviderError]] = {
    "DATA": ProviderRefused,
    "BIG": ProviderRefused,
    "MESSAGE": ProviderProtocolError,
    "SchemaError": ProviderProtocolError,
}


@attrs.frozen
class Warning:  # noqa: A001 - the vendor's own word
    """Something is not as asked for, and it goes on."""

    code: str = ""
    description: str = ""


def read(message: Message, kinds: Mapping[str, type[Any]]) -> Any:
    """Return the value of the class that ``kinds`` has for the message's type; None if it has none.

    Raises:
        ProviderProtocolError: it is no message of this vendor, or lacks what its type must have.
    """
    if isinstance(message, bytes):
        raise ProviderProtocolError(ID, "sent sound where words were expected")
    try:
        told = msgspec.json.decode(message)
        kind = kinds.get(told["type"])
        return None if kind is None else msgspec.convert(told, kind)
    except (msgspec.MsgspecError, LookupError, TypeError, ValueError, RecursionError):
        raise ProviderProtocolError(ID, "sent a message that cannot be read") from None


def sure(confidence: float) -> float:
    """Return a confidence as the contract has it: 0 to 1."""
    return min(max(0.0, confidence), 1.0)
