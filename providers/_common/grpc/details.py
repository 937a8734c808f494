"""How long a server asks us to wait: read from ``google.rpc.Status``, by hand and without any I/O.

Only one number of the richer error model says what to do next, so no generated code is needed.
Source: google/rpc/status.proto and error_details.proto; "Encoding" in the protobuf guide.
"""

from collections.abc import Iterator

_RETRY_INFO = b"google.rpc.RetryInfo"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED = {_FIXED64: 8, _FIXED32: 4}


def retry_delay(details: bytes) -> float | None:
    """Return the seconds of the RetryInfo in a ``grpc-status-details-bin``; None if it has none.

    Details that cannot be read have none: the status beside them says enough.
    """
    try:
        for detail in _all(details, 3):
            if b"".join(_all(detail, 1)).endswith(_RETRY_INFO):
                return _delay(b"".join(_all(detail, 2)))
    except (ValueError, IndexError):
        pass
    return None


def _delay(retry_info: bytes) -> float | None:
    for duration in _all(retry_info, 1):
        fields = dict(_fields(duration))
        seconds, nanos = fields.get(1, 0), fields.get(2, 0)
        # A negative number is a varint with the highest bit set; no pause is that long.
        if (
            isinstance(seconds, int)
            and isinstance(nanos, int)
            and seconds >> 63 == nanos >> 63 == 0
        ):
            return seconds + nanos / 1e9
    return None


def _all(message: bytes, number: int) -> Iterator[bytes]:
    for each, value in _fields(message):
        if each == number and isinstance(value, bytes):
            yield value


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield number and value of each field; ValueError or IndexError where it is no protobuf."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield tag >> 3, value
            continue
        size, at = _varint(message, at) if kind == _BYTES else (_FIXED.get(kind, -1), at)
        if size < 0 or at + size > len(message):
            raise ValueError("not a protobuf message")
        yield tag >> 3, message[at : at + size]
        at += size


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = message[at + shift // 7]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at + shift // 7 + 1
    raise ValueError("a varint of more than ten bytes")
