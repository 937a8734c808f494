"""One port: WebSocket upgrades go to their handlers, everything else to the HTTP side."""

import logging
import math
import ssl
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import TypeAlias

import attrs
import trio

from waav.errors import SlowClient
from waav.server.admission import Admission
from waav.server.arrival import WaitingRoom, read_head, secure
from waav.server.doorkeeper import Visitor
from waav.server.errors import GOING_AWAY, NORMAL, close_code
from waav.server.head import MAX_HEAD, RequestHead
from waav.server.refusal import Refused, refuse
from waav.server.websocket import Limits, WebSocket, accept_websocket

Handler: TypeAlias = Callable[[WebSocket, Visitor], Awaitable[None]]
"""Talks to one WebSocket client until either side has enough; the front door closes the socket."""

UNKNOWN_MESSAGE = 64 * 1024
"""Bytes of a message from a client that has not yet said who it is; its handler may take more later."""

logger = logging.getLogger(__name__)

_REPORT_INTERVAL = 1.0
_LOST = (trio.BrokenResourceError, trio.ClosedResourceError, ConnectionError, SlowClient)
"""What clients do to us every day: it ends their connection, and nobody wants to read of it."""


@attrs.frozen
class DoorLimits:
    """What a connection may cost before we know what it wants. Bytes and seconds."""

    head: int = MAX_HEAD
    head_timeout: float = 10.0
    tls_timeout: float = 10.0


@attrs.define(eq=False)
class FrontDoor:
    """Serves accepted connections. No failure of one leaves :meth:`serve`."""

    routes: Mapping[str, Handler]
    """By path, as in ``/ws``."""
    http: Callable[[trio.abc.Stream, bytes], Awaitable[None]]
    """Serves an HTTP connection to its end, given what was read of it."""
    ssl_context: ssl.SSLContext | None = None
    admission: Admission = attrs.Factory(Admission)
    limits: DoorLimits = attrs.Factory(DoorLimits)
    websocket_limits: Limits = attrs.Factory(Limits)
    failed: int = attrs.field(default=0, init=False)
    """Connections that ended with an error of ours."""
    _waiting: WaitingRoom = attrs.field(factory=WaitingRoom, init=False)
    _reported_at: float = attrs.field(default=-math.inf, init=False)
    _reported: int = attrs.field(default=0, init=False)

    async def serve(self, transport: trio.SocketStream) -> None:
        """Serve one connection to its end; whoever accepted it closes it."""
        try:
            await self._serve(transport)
        except Exception as error:  # noqa: BLE001  # the top of a connection
            self._note(error)
        except BaseExceptionGroup as group:
            # A connection that is cancelled and fails on its way out gives a mixture.
            errors, others = group.split(Exception)
            if errors is not None:
                self._note(errors)
            if others is not None:
                raise others from None

    def close(self) -> None:
        """Let no WebSocket in any more, and send away whoever has not said what they want."""
        self._waiting.close()

    async def _serve(self, transport: trio.SocketStream) -> None:
        stream: trio.abc.Stream = transport
        if self.ssl_context is not None:
            with self._waiting.patience(self.limits.tls_timeout) as patience:
                stream = tls = await secure(transport, self.ssl_context)
            if patience.cancelled_caught:
                return
            if tls.selected_alpn_protocol() == "h2":
                await self.http(stream, b"")
                return
        try:
            await self._serve_request(stream, _peer(transport))
        except Refused as refused:
            self.admission.refused.note(refused.code)
            await refuse(stream, refused)

    async def _serve_request(self, stream: trio.abc.Stream, peer: tuple[str, int]) -> None:
        received = bytearray()
        head = await self._read_head(stream, received, peer)
        if head is None:
            return
        if head.path in self.routes or head.wants_websocket:
            await self._serve_websocket(stream, head, received)
        else:
            await self.http(stream, bytes(received))

    async def _read_head(
        self, stream: trio.abc.Stream, received: bytearray, peer: tuple[str, int]
    ) -> RequestHead | None:
        scheme = "http" if self.ssl_context is None else "https"
        with self._waiting.patience(self.limits.head_timeout):
            return await read_head(
                stream, received, peer=peer, scheme=scheme, limit=self.limits.head
            )
        if not received:
            return None  # a browser opens connections in advance: an answer would puzzle it
        if self._waiting.is_closed:
            raise _shutting_down()
        raise Refused(
            HTTPStatus.REQUEST_TIMEOUT, "head_timeout", "The request head did not come in time"
        )

    async def _serve_websocket(
        self, stream: trio.abc.Stream, head: RequestHead, received: bytearray
    ) -> None:
        self.admission.check_upgrade(head.peer[0], head.headers)
        handler = self.routes.get(head.path)
        if handler is None:
            raise Refused(HTTPStatus.NOT_FOUND, "not_found", f"No WebSocket at {head.path}")
        if self._waiting.is_closed:
            raise _shutting_down()
        # Around the questions and the handshake too: whatever becomes of them, the place is free again.
        async with self.admission.connection(head):
            visitor = await self.admission.doorkeeper.check_upgrade(head)
            await self._converse(handler, stream, visitor, received)

    async def _converse(
        self, handler: Handler, stream: trio.abc.Stream, visitor: Visitor, received: bytearray
    ) -> None:
        limits = self.websocket_limits
        if visitor.pending:
            limits = attrs.evolve(limits, max_message=min(limits.max_message, UNKNOWN_MESSAGE))
        socket = await accept_websocket(stream, visitor.head, received, limits)
        code = NORMAL
        try:
            await handler(socket, visitor)
        except Exception as error:
            code = close_code(error)
            raise
        except BaseException:
            code = GOING_AWAY  # cancelled: the server ends
            raise
        finally:
            await socket.aclose(code)

    def _note(self, error: Exception) -> None:
        """Count an error of ours, and report it, but not more than one in a second."""
        ours = _ours(error)
        if ours is None:
            return
        self.failed += 1
        now = trio.current_time()
        if now < self._reported_at + _REPORT_INTERVAL:
            return
        silent = self.failed - self._reported - 1
        self._reported_at, self._reported = now, self.failed
        logger.error("a connection failed (and %d before it, unreported)", silent, exc_info=ours)


def _peer(transport: trio.SocketStream) -> tuple[str, int]:
    try:
        address, port = transport.socket.getpeername()[:2]
    except OSError as error:
        raise trio.BrokenResourceError("left before we came to look") from error
    return address, port


def _ours(error: Exception) -> Exception | None:
    """What remains of an error, or of a group of them, when clients' doings are taken out."""
    if isinstance(error, ExceptionGroup):
        return error.split(_LOST)[1]
    return None if isinstance(error, _LOST) else error


def _shutting_down() -> Refused:
    return Refused(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "shutting_down",
        "The server is shutting down",
        {"retry-after": "1"},
    )
