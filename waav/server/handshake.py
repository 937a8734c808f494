"""The WebSocket opening handshake: a request head in, the answer out. No I/O."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

from websockets.datastructures import Headers
from websockets.exceptions import InvalidHeader
from websockets.http11 import Request
from websockets.server import ServerProtocol

from waav.server.head import RequestHead
from waav.server.refusal import Refused
from waav.tasks import without_frames

# The library's debug records show what is in a frame, and with it tokens; its
# other records are a line for each connection that comes and goes.
QUIET = logging.getLogger("waav.server.websocket.protocol")
QUIET.setLevel(logging.ERROR)

_CODES = {
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
    HTTPStatus.UPGRADE_REQUIRED: "upgrade_required",
    HTTPStatus.HTTP_VERSION_NOT_SUPPORTED: "http_version_not_supported",
}


def negotiate(head: RequestHead, headers: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """The ``101`` answer to a WebSocket request; no extension, no sub-protocol.

    Args:
        headers: what it says besides.

    Raises:
        Refused: not a proper handshake: 400, 405, 426 or 505.
    """
    try:
        told = Headers(head.headers)
    except InvalidHeader:
        text = "WebSocket handshake failed: a header has characters that none may have"
        raise Refused(HTTPStatus.BAD_REQUEST, "bad_request", text) from None
    request = Request(
        head.path,
        told,
        method=head.method,
        protocol=f"HTTP/{head.http_version}",
    )
    protocol = ServerProtocol(logger=QUIET)
    response = protocol.accept(request)
    protocol.parser.close()  # the two hold each other
    if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
        response.headers.update(headers)
        return response.serialize()
    status = HTTPStatus(response.status_code)
    if (why := protocol.handshake_exc) is not None:
        without_frames(why)  # the protocol keeps it, and is in them
    raise Refused(
        status,
        _CODES.get(status, "bad_request"),
        f"WebSocket handshake failed: {why}",
        {name: response.headers[name] for name in ("Allow", "Upgrade") if name in response.headers},
    )
