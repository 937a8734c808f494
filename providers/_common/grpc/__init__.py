"""A gRPC client for trio: bytes in, bytes out, every failure one of ``capabilities.errors``.

From the bottom: ``messages``, ``headers``, ``details`` and ``status`` are rules; ``wire`` is HTTP/2
without I/O; ``stream`` and ``connection`` are one connection, ``call`` and ``channel`` what a
provider uses.
"""

from providers._common.grpc.call import Call
from providers._common.grpc.channel import HTTP2, MOST_MESSAGE, Channel, connect, open_channel
from providers._common.grpc.connection import Keepalive
from providers._common.grpc.headers import Metadata

__all__ = [
    "HTTP2",
    "MOST_MESSAGE",
    "Call",
    "Channel",
    "Keepalive",
    "Metadata",
    "connect",
    "open_channel",
]
