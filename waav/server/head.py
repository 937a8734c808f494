"""The head of an HTTP/1 request as a value. Bytes in, value out: no I/O."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, unquote
from uuid import uuid4

import attrs
import h11

from waav.server.refusal import Refused
from waav.tasks import without_frames

MAX_HEAD = 65536
"""Bytes."""

_END = re.compile(rb"\n\r?\n")
_FIRST_PRINTABLE = 0x21
_BEFORE_PATH = re.compile(r"[a-z][a-z0-9+.-]*://[^/]*", re.IGNORECASE)
# It goes into logs and headers as it is.
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


def new_request_id() -> str:
    """Return a name for a request that brought none."""
    return uuid4().hex


@attrs.frozen
class RequestHead:
    """What a client asks for, and who it is. Rules about who may come in are functions of this."""

    method: str
    path: str
    """Percent-decoded, without the query."""
    query: str = attrs.field(repr=False)
    """As it was sent. Not shown: it may hold a token."""
    headers: Mapping[str, str] = attrs.field(repr=False)
    """Names in lower case; a repeated header is joined with a comma."""
    peer: tuple[str, int]
    """Address and port of the other end of the socket."""
    scheme: str
    """``http`` or ``https``."""
    http_version: str
    size: int
    """Bytes of the head, with the empty line that ends it."""
    request_id: str = attrs.field(eq=False)
    """What answer, log and errors call the request: its own name for it if that can be shown."""

    @request_id.default
    def _request_id(self) -> str:
        given = self.headers.get("x-request-id", "")
        return given if _REQUEST_ID.fullmatch(given) else new_request_id()

    @property
    def resource(self) -> str:
        """The path as routes are written: without a host, one slash before it and none behind it.

        The REST side serves ``//voices/`` and ``http://host/voices`` as ``/voices``: who decides by
        the path must not be led around by another spelling.
        """
        path = self.path if self.path.startswith("/") else _BEFORE_PATH.sub("", self.path, 1)
        return "/" + path.strip("/")

    @property
    def wants_websocket(self) -> bool:
        """Whether the client asks to talk WebSocket, rightly or clumsily."""
        upgrades = self.headers.get("upgrade", "").lower().split(",")
        return any(upgrade.strip() == "websocket" for upgrade in upgrades)

    def parameter(self, name: str) -> str | None:
        """The first value of a query parameter, percent-decoded; None when it is absent."""
        values = parse_qs(self.query, keep_blank_values=True).get(name)
        return values[0] if values else None


def parse_head(
    buffer: bytes | bytearray,
    *,
    peer: tuple[str, int],
    scheme: str = "http",
    searched: int = 0,
    limit: int = MAX_HEAD,
) -> RequestHead | None:
    """Read the head at the start of ``buffer``; what follows it is left alone.

    Args:
        searched: how many bytes of the buffer an earlier call has seen, so that
            a head that comes in drops is not searched again from its start.
        limit: the longest head to accept, in bytes.

    Returns:
        None while the head is incomplete.

    Raises:
        Refused: no request, or a head beyond the limit.
    """
    # Nothing that begins like this is HTTP (a TLS client on a plain port begins
    # with 0x16): do not wait for a line that never comes.
    if buffer and buffer[0] < _FIRST_PRINTABLE:
        raise Refused(HTTPStatus.BAD_REQUEST, "bad_request", "Not an HTTP request")
    end = _END.search(buffer, max(0, searched - 2))
    if (end.end() if end else len(buffer)) > limit:
        raise Refused(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
            "head_too_large",
            f"Request head too large (max {limit} bytes)",
        )
    if end is None:
        return None
    request = _request(bytes(buffer[: end.end()]))
    target, _, query = request.target.decode("ascii").partition("?")
    return RequestHead(
        method=request.method.decode("ascii"),
        path=unquote(target),
        query=query,
        headers=_joined(request),
        peer=peer,
        scheme=scheme,
        http_version=request.http_version.decode("ascii"),
        size=end.end(),
    )


class Parser(h11.Connection):
    """The library's, which has its exceptions raise themselves, in a frame that keeps them."""

    def next_event(self) -> Any:
        """Return what comes next.

        Raises:
            h11.RemoteProtocolError: it is no HTTP.
        """
        try:
            return super().next_event()
        except h11.RemoteProtocolError as error:
            without_frames(error)
            raise


def _request(head: bytes) -> h11.Request:
    connection = Parser(h11.SERVER, max_incomplete_event_size=len(head))
    connection.receive_data(head)
    try:
        event = connection.next_event()
    except h11.RemoteProtocolError as error:
        status = HTTPStatus(error.error_status_hint)
        # The rest of the library's sentence quotes the line, and there may be a token in it.
        what = str(error).partition(":")[0]
        raise Refused(status, "bad_request", f"Bad request: {what}") from None
    if not isinstance(event, h11.Request):
        raise Refused(HTTPStatus.BAD_REQUEST, "bad_request", "Not an HTTP request")
    return event


def _joined(request: h11.Request) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in request.headers:
        name, value = raw_name.decode("ascii"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
