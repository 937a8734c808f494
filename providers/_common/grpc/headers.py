"""What stands in the headers of a gRPC call, written and read without any I/O.

Source: "gRPC over HTTP2" (PROTOCOL-HTTP2.md of the gRPC project), Requests and Responses.
"""

import base64
import binascii
import math
from collections.abc import Mapping
from typing import TypeAlias
from urllib.parse import unquote_to_bytes, urlsplit

from capabilities import ProviderRefused, Secret
from providers._common.failures import Failures
from providers._common.headers import outgoing

Metadata: TypeAlias = Mapping[str, str | bytes | Secret]
"""What goes with a call. A value is bytes if its name ends in ``-bin``, and text if not."""

Fields: TypeAlias = Mapping[bytes, bytes]
"""A header block as it came."""

_UNITS = (("u", 1e-6), ("m", 1e-3), ("S", 1.0), ("M", 60.0), ("H", 3600.0))
_MOST = 99_999_999

# What gRPC sets itself, and what HTTP/2 does not know (RFC 9113, 8.2.2).
_OURS = frozenset(
    [
        "te",
        "content-type",
        "content-length",
        "host",
        "connection",
        "proxy-connection",
        "keep-alive",
        "transfer-encoding",
        "upgrade",
    ]
)


def request_headers(
    provider: str, base_url: str, method: str, timeout: float, *parts: Metadata
) -> tuple[list[tuple[str, str]], Failures]:
    """Put together the header block that opens a call.

    Args:
        base_url: ``http(s)://host[:port]``, perhaps with a path that stands before the method's.
        method: the path, ``/package.Service/Method``.
        timeout: seconds that the server may take; ``inf`` for as long as it likes.
        parts: metadata, the later ones before the earlier ones.

    Returns:
        The block, and who names failures without repeating what is secret in it.

    Raises:
        ProviderRefused: a name or value, such as a key, that cannot be sent.
    """
    sent, failures = outgoing(provider, *(_texts(provider, part) for part in parts))
    base = urlsplit(base_url)
    head = {
        ":method": "POST",
        ":scheme": base.scheme,
        ":path": base.path + method,
        ":authority": base.netloc,
        "te": "trailers",
        "content-type": "application/grpc",
        "grpc-accept-encoding": "identity,gzip",
    }
    if timeout != math.inf:
        head["grpc-timeout"] = encode_timeout(timeout)
    return [*head.items(), *((name.lower(), value) for name, value in sent.items())], failures


def _texts(provider: str, metadata: Metadata) -> dict[str, str | Secret]:
    texts: dict[str, str | Secret] = {}
    for name, value in metadata.items():
        lower = name.lower()
        if lower in _OURS or lower.startswith("grpc-"):
            raise ProviderRefused(provider, f"{lower} cannot be set by hand in a gRPC call")
        if lower.endswith("-bin") != isinstance(value, bytes):
            raise ProviderRefused(
                provider, f"{lower}: bytes belong to a name in -bin, and only there"
            )
        if isinstance(value, bytes):
            texts[lower] = base64.b64encode(value).rstrip(b"=").decode("ascii")
        else:
            texts[lower] = value
    return texts


def encode_timeout(seconds: float) -> str:
    """Write a duration in the finest unit that needs no more than the 8 digits allowed, rounded up."""
    for unit, length in _UNITS:
        count = max(1, math.ceil(seconds / length))
        if count <= _MOST:
            return f"{count}{unit}"
    return f"{_MOST}H"


def decode_text(value: bytes) -> str:
    """Read a ``grpc-message``: percent-encoded UTF-8, as well as it can be read."""
    return unquote_to_bytes(value).decode("utf-8", "replace")


def decode_binary(value: bytes) -> bytes:
    """Read a ``-bin`` value, which comes with or without padding; empty if it is none."""
    # Several values of one name may arrive joined by commas; the first one is as good as any.
    first = value.partition(b",")[0].strip()
    try:
        return base64.b64decode(first + b"=" * (-len(first) % 4), validate=True)
    except binascii.Error:
        return b""
