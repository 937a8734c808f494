"""A client's text to a request."""

from collections.abc import Mapping
from typing import Any

import attrs
import msgspec

from waav.errors import InvalidRequest
from waav.server.ws import names
from waav.server.ws.names import Names
from waav.server.ws.schema import (
    AudioMessage,
    AuthMessage,
    ClearMessage,
    ConfigMessage,
    CustomMessage,
    FlushMessage,
    Message,
    PingMessage,
    Request,
    SendMessage,
    SipTransfer,
    SpeakMessage,
)

TEXT_LIMIT = 1 << 20
"""Bytes of UTF-8 in one text message."""
LONGEST_TYPE = 256


@attrs.frozen
class Kind:
    """How to read one type of message."""

    shape: type[Message]
    names: Names | None = None
    """None: keys are taken as they stand, and null is a value."""


KINDS = {
    "config": Kind(ConfigMessage, names.CONFIG),
    "speak": Kind(SpeakMessage, names.SPEAK),
    "clear": Kind(ClearMessage),
    "stop": Kind(ClearMessage),
    "interrupt": Kind(ClearMessage),
    "flush": Kind(FlushMessage),
    "audio": Kind(AudioMessage, names.AUDIO),
    "ping": Kind(PingMessage),
    "auth": Kind(AuthMessage),
    "send_message": Kind(SendMessage),
    "sip_transfer": Kind(SipTransfer, names.SIP_TRANSFER),
    "custom": Kind(CustomMessage),
}
"""By ``type``."""


@attrs.frozen
class _Head:
    type: str


def decode(text: str, kinds: Mapping[str, Kind] = KINDS) -> Request:
    """Read one text message.

    Args:
        kinds: those that may come now.

    Raises:
        InvalidRequest: it is too large, unreadable, of no known type, or cannot be served; code
            and text say which.
    """
    size = len(text.encode(errors="replace"))
    if size > TEXT_LIMIT:
        raise InvalidRequest(
            f"Message too large: {size} bytes (max {TEXT_LIMIT} bytes)", code="message_too_large"
        )
    try:
        # First its type alone: nothing is built of a message that nobody will read.
        kind = _kind(msgspec.json.decode(text, type=_Head).type, kinds)
        return _read(msgspec.json.decode(text, type=dict[str, Any]), kind)
    # A number that is too large for its place overflows; `[[[[` to the limit recurses.
    except (ValueError, OverflowError, RecursionError) as exc:
        raise InvalidRequest(f"Invalid message format: {exc}", code="invalid_message") from None


def _kind(name: str, kinds: Mapping[str, Kind]) -> Kind:
    if (kind := kinds.get(name)) is None:
        raise ValueError(f"unknown type {name[:LONGEST_TYPE]!r}")
    return kind


def _read(fields: dict[str, Any], kind: Kind) -> Request:
    known = fields if kind.names is None else kind.names.resolve(fields)
    return msgspec.convert(known, kind.shape).value()
