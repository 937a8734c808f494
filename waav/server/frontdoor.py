"""One port: WebSocket upgrades go to their handlers, everything else to the HTTP side."""

import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import TypeAlias

import attrs
import trio

from waav.errors import SlowClient
from waav.server.access import Exchange
from waav.server.admission import Admission
from waav.server.answers import Answers
from waav.server.arrival import Arrival, arrive, peer_of, read_head
from waav.server.doorkeeper import Visitor
from waav.server.errors import GOING_AWAY, NORMAL, close_code
from waav.server.head import MAX_HEAD, RequestHead
from waav.server.proxy_header import NoProxyHeader, Peer
from waav.server.refusal import Refused, refuse
from waav.server.tls import Tls
from waav.server.waiting import WaitingRoom
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
    """What connections may cost before we know what they want. Bytes and seconds."""

    head: int = MAX_HEAD
    head_timeout: float = 10.0
    tls_timeout: float = 10.0
    """For the TLS handshake, and for a proxy's header before it."""
    waiting: float = math.inf
    """Connections at one time."""
    waiting_of_client: float = math.inf


@attrs.define(eq=False)
class FrontDoor:
    """Serves accepted connections. No failure of one leaves :meth:`serve`."""

    routes: Mapping[str, Handler]
    """By path, as in ``/ws``."""
    http: Callable[[trio.abc.Stream, bytes, Peer], Awaitable[None]]
    """Serves an HTTP connection to its end, given what was read of it and who the client is."""
    tls: Tls | None = None
    admission: Admission = attrs.Factory(Admission)
    answers: Answers = Answers()
    limits: DoorLimits = attrs.Factory(DoorLimits)
    websocket_limits: Limits = attrs.Factory(Limits)
    failed: int = attrs.field(default=0, init=False)
    """Connections that ended with an error of ours."""
    _waiting: WaitingRoom = attrs.field(init=False)
    _reported_at: float = attrs.field(default=-math.inf, init=False)
    _reported: int = attrs.field(default=0, init=False)

    @_waiting.default
    def _waiting_room(self) -> WaitingRoom:
        return WaitingRoom(self.limits.waiting, self.limits.waiting_of_client)

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
        arrival = await self._arrive(transport)
        if arrival is None:
            return
        if arrival.is_http2:
            await self._serve_http(arrival.stream, None, b"", arrival.peer)
        else:
            await self._serve_request(arrival.stream, arrival.peer)

    async def _arrive(self, transport: trio.SocketStream) -> Arrival | None:
        peer, clients = peer_of(transport), self.admission.clients
        with self._waiting.patience(self.limits.tls_timeout, clients.owner(peer[0])):
            try:
                return await arrive(transport, peer, self.tls, clients)
            except NoProxyHeader:
                self.admission.refused.note("no_proxy_header")
        return None

    async def _serve_http(
        self, stream: trio.abc.Stream, head: RequestHead | None, received: bytes, peer: Peer
    ) -> None:
        try:
            async with self.admission.http_connection(peer[0], head.path if head else None):
                await self.http(stream, received, peer)
        except Refused as refused:
            with self.answers.log.exchange(head, peer[0]) as exchange:
                await self._refuse(stream, refused, exchange)

    async def _serve_request(self, stream: trio.abc.Stream, peer: tuple[str, int]) -> None:
        received = bytearray()
        try:
            head = await self._read_head(stream, received, peer)
        except Refused as refused:
            with self.answers.log.exchange(None, peer[0]) as exchange:
                await self._refuse(stream, refused, exchange)
            return
        if head is None:
            return
        if not (head.path in self.routes or head.wants_websocket):
            await self._serve_http(stream, head, bytes(received), peer)
            return
        with self.answers.log.exchange(head, peer[0]) as exchange:
            try:
                await self._serve_websocket(stream, head, received, exchange)
            except Refused as refused:
                await self._refuse(stream, refused, exchange)

    async def _refuse(self, stream: trio.abc.Stream, refused: Refused, exchange: Exchange) -> None:
        self.admission.refused.note(refused.code)
        headers, body = refused.answer(exchange.request_id)
        exchange.status, exchange.sent = refused.status.value, len(body)
        await refuse(stream, refused.status, headers | self.answers.headers(exchange), body)

    async def _read_head(
        self, stream: trio.abc.Stream, received: bytearray, peer: tuple[str, int]
    ) -> RequestHead | None:
        scheme = "http" if self.tls is None else "https"
        owner = self.admission.clients.owner(peer[0])
        with self._waiting.patience(self.limits.head_timeout, owner):
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
        self,
        stream: trio.abc.Stream,
        head: RequestHead,
        received: bytearray,
        exchange: Exchange,
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
            passage = await self.admission.pass_middlewares(head, visitor.principal, websocket=True)
            added = await passage.headers(HTTPStatus.SWITCHING_PROTOCOLS)
            headers = {**added, **self.answers.headers(exchange)}
            limits = self._limits(visitor)
            socket = await accept_websocket(stream, head, received, limits, headers)
            await self._converse(handler, socket, visitor, exchange)

    def _limits(self, visitor: Visitor) -> Limits:
        limits = self.websocket_limits
        if visitor.pending:
            limits = attrs.evolve(limits, max_message=min(limits.max_message, UNKNOWN_MESSAGE))
        return limits

    async def _converse(
        self, handler: Handler, socket: WebSocket, visitor: Visitor, exchange: Exchange
    ) -> None:
        exchange.status, code = HTTPStatus.SWITCHING_PROTOCOLS.value, NORMAL
        try:
            await handler(socket, visitor)
        except Exception as error:
            code = close_code(error)
            raise
        except BaseException:
            code = GOING_AWAY  # cancelled: the server ends
            raise
        finally:
            exchange.sent = socket.bytes_out
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
