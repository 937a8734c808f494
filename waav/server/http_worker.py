"""The HTTP side: Hypercorn's trio server without its accept loop, one call for each connection."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Any, TypeAlias, cast

import attrs
import h11
import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.events import Event, RawData
from hypercorn.protocol import ProtocolWrapper
from hypercorn.protocol.h2 import H2Protocol
from hypercorn.trio.lifespan import Lifespan
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import AppWrapper, ASGIFramework, ConnectionState, LifespanState

from waav.server.admission import Admission
from waav.server.foreseen import ForeseenBody
from waav.server.head import MAX_HEAD, RequestHead
from waav.server.refusal import Refused

ASGIApp: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]
"""An ASGI 3 application, such as the one of Quart-Trio."""

# Load balancers keep idle connections for up to a minute; whoever closes first
# while the other one sends makes a request fail, so it should not be us.
_KEEP_ALIVE = 75.0

_PATIENCE = 30.0
_PIECE = 65536
_CLOSE_TIMEOUT = 1.0


@attrs.define
class HttpWorker:
    """Serves HTTP/1.1 and HTTP/2 on streams that somebody else has accepted."""

    _app: AppWrapper
    _config: Config
    _state: LifespanState
    _context: WorkerContext = attrs.Factory(lambda: WorkerContext(max_requests=None))

    async def serve(self, stream: trio.abc.Stream, received: bytes) -> None:
        """Serve one connection to its end; it closes the stream.

        Args:
            received: what was read from the stream already.

        Raises:
            Exception: whatever goes wrong in Hypercorn, which leaves that to its caller.
        """
        state = ConnectionState(self._state.copy())
        replay = Replay(stream, received)
        await _Server(self._app, self._config, self._context, state, replay).run()  # type: ignore[arg-type]  # it looks like an SSLStream when it has to

    async def drain(self) -> None:
        """Close idle connections now, and the others after the answer they are waiting for."""
        await self._context.terminated.set()


@asynccontextmanager
async def open_http_worker(
    app: ASGIApp, admission: Admission | None = None
) -> AsyncIterator[HttpWorker]:
    """Start the application, and shut it down at the end of the block.

    When the block is cancelled or fails, so is the application: there is no shutdown then.

    Args:
        admission: asked about each request before the application is.

    Raises:
        hypercorn.utils.LifespanFailureError: the application does not start, in a group.
    """
    config = _config()
    state: LifespanState = {}
    wrapped = ASGIWrapper(cast(ASGIFramework, _guarded(app, admission or Admission())))
    lifespan = Lifespan(wrapped, config, state)
    async with trio.open_nursery() as nursery:
        await nursery.start(lifespan.handle_lifespan, name="server/lifespan")
        await lifespan.wait_for_startup()
        yield HttpWorker(wrapped, config, state)
        await lifespan.wait_for_shutdown()
        nursery.cancel_scope.cancel(reason="the application is shut down")


def _config() -> Config:
    config = Config()
    config.errorlog = logging.getLogger("hypercorn.error")  # the name alone would add a handler
    config.h11_max_incomplete_size = MAX_HEAD
    config.include_server_header = False
    config.keep_alive_timeout = _KEEP_ALIVE
    return config


def _guarded(app: ASGIApp, admission: Admission) -> ASGIApp:
    """Ask about each request of a connection, also one that there is nothing for.

    WebSockets are kept away from the application: they belong to the front door. One comes here when
    it is a later request of a connection that began with HTTP, as a proxy's may be. 421 tells the
    client to try again with a connection of its own.
    """

    async def call(scope: Any, receive: Any, send: Any) -> None:
        kind = scope["type"]
        if kind == "lifespan":
            await app(scope, receive, send)
            return
        head, body = _head(scope), ForeseenBody(receive)
        try:
            if kind == "websocket":
                admission.check_upgrade(head.peer[0], head.headers)
                raise _misdirected()
            admission.check_request(head.path, head.peer[0], head.headers)
            await admission.doorkeeper.check_request(head, body.read)
        except Refused as refused:
            admission.refused.note(refused.code)
            await _answer(send, refused, "websocket." if kind == "websocket" else "")
            return
        await app(scope, body.receive, send)

    return call


def _misdirected() -> Refused:
    return Refused(
        HTTPStatus.MISDIRECTED_REQUEST,
        "new_connection_required",
        "A WebSocket must be the first request of its connection",
    )


def _head(scope: Any) -> RequestHead:
    """Return what the front door would have read; the bytes are gone."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return RequestHead(
        method=scope.get("method", "GET"),
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        peer=tuple(scope["client"]),
        scheme=scope["scheme"],
        http_version=scope["http_version"],
        size=0,
    )


async def _answer(send: Any, refused: Refused, prefix: str) -> None:
    headers, body = refused.answer()
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    start = {"status": refused.status.value, "headers": pairs}
    # A client that sends frames before it has an answer got a 400 from Hypercorn.
    with suppress(h11.LocalProtocolError):
        await send({"type": f"{prefix}http.response.start", **start})
        await send({"type": f"{prefix}http.response.body", "body": body, "more_body": False})


class Replay:
    """A stream whose first bytes were read already and are read again.

    Everything else is the stream's own: Hypercorn finds out by trying whether it is
    TLS, and a handshake that was done is not done again.
    """

    def __init__(self, stream: trio.abc.Stream, received: bytes) -> None:
        self._stream = stream
        self._received = received

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Return what was read already, and then what comes."""
        if not self._received:
            return await self._stream.receive_some(max_bytes)
        await trio.lowlevel.checkpoint()
        first, self._received = self._received[:max_bytes], self._received[max_bytes:]
        return first

    async def send_all(self, data: bytes) -> None:
        """Send in pieces, so that the patience is for the piece and not for the whole."""
        for start in range(0, len(data), _PIECE):
            with trio.move_on_after(_PATIENCE) as patience:
                await self._stream.send_all(data[start : start + _PIECE])
            if patience.cancelled_caught:
                raise trio.BrokenResourceError("the client takes nothing")


class _Server(TCPServer):
    """Hypercorn's connection, with what it lacks for a server that has to end in time."""

    def __setattr__(self, name: str, value: object) -> None:
        # Hypercorn offers WebSockets over HTTP/2 (RFC 8441), which we do not have: a
        # browser with an HTTP/2 connection would use it for wss, and fail.
        if isinstance(value, ProtocolWrapper) and isinstance(value.protocol, H2Protocol):
            settings = value.protocol.connection.local_settings
            settings.enable_connect_protocol = 0
            settings.acknowledge()  # not sent yet, so there is no one to wait for
        super().__setattr__(name, value)

    async def protocol_send(self, event: Event) -> None:
        if isinstance(event, RawData):
            await super().protocol_send(event)
            return
        # The end of a response: the task is the application's, and Quart-Trio cancels it
        # as soon as the response is complete. Cancelled here, a connection would stay
        # open that should close, or never be watched for idleness again.
        with trio.move_on_after(_CLOSE_TIMEOUT, shield=True):
            await super().protocol_send(event)

    async def _read_data(self) -> None:
        try:
            await super()._read_data()
        except trio.Cancelled:
            # Hypercorn shields what it sends. To a client that takes nothing it would
            # send for ever, and the server could not end.
            await trio.aclose_forcefully(self.stream)
            raise
