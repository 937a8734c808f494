"""The HTTP side: Hypercorn's trio server without its accept loop, one call for each connection."""

import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import attrs
import hypercorn.protocol
import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.trio.lifespan import Lifespan
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import AppWrapper, ASGIFramework, ConnectionState, LifespanState

from waav.server.admission import Admission
from waav.server.answers import Answers
from waav.server.guard import ASGIApp, guard
from waav.server.head import MAX_HEAD
from waav.server.http1 import Http1
from waav.server.http2 import Http2
from waav.server.http_connection import CONNECTION, Connection, Settings, on_connection
from waav.server.proxy_header import Peer

# Load balancers keep idle connections for up to a minute; whoever closes first
# while the other one sends makes a request fail, so it should not be us.
_KEEP_ALIVE = 75.0

# It has no setting for this, and makes them in several places.
hypercorn.protocol.H11Protocol = Http1  # type: ignore[assignment,attr-defined]
hypercorn.protocol.H2Protocol = Http2  # type: ignore[assignment,attr-defined]

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

    async def serve(self, stream: trio.abc.Stream, received: bytes, peer: Peer) -> None:
        """Serve one connection to its end; it closes the stream.

        Args:
            received: what was read from the stream already.
            peer: the client, who need not be the one at the other end of the socket.

        Raises:
            Exception: whatever goes wrong in Hypercorn, which leaves that to its caller.
        """
        connection = Connection(peer)
        replay = Replay(stream, received, connection)
        state = ConnectionState({**self._state, CONNECTION: connection})
        with connection.scope:
            await _Server(self._app, self._config, self._context, state, replay).run()  # type: ignore[arg-type]  # it looks like an SSLStream when it has to

    async def drain(self) -> None:
        """Close idle connections now, and the others after the answer they are waiting for."""
        await self._context.terminated.set()


@asynccontextmanager
async def open_http_worker(
    app: ASGIApp, admission: Admission | None = None, answers: Answers | None = None
) -> AsyncIterator[HttpWorker]:
    """Start the application, and shut it down at the end of the block.

    When the block is cancelled or fails, so is the application: there is no shutdown then.

    Args:
        admission: asked about each request before the application is.
        answers: what goes around each answer.

    Raises:
        hypercorn.utils.LifespanFailureError: the application does not start, in a group.
    """
    answers = answers or Answers()
    config = _config(answers)
    state: LifespanState = {}
    guarded = on_connection(guard(app, admission or Admission(), answers))
    wrapped = ASGIWrapper(cast(ASGIFramework, guarded))
    lifespan = Lifespan(wrapped, config, state)
    async with trio.open_nursery() as nursery:
        await nursery.start(lifespan.handle_lifespan, name="server/lifespan")
        await lifespan.wait_for_startup()
        yield HttpWorker(wrapped, config, state)
        await lifespan.wait_for_shutdown()
        nursery.cancel_scope.cancel(reason="the application is shut down")


def _config(answers: Answers) -> Config:
    config = Settings()
    config.answers = answers
    config.errorlog = logging.getLogger("hypercorn.error")  # the name alone would add a handler
    config.h11_max_incomplete_size = MAX_HEAD
    config.include_server_header = False
    config.keep_alive_timeout = _KEEP_ALIVE
    # Beyond it HTTP/2 would end in the middle of the answers that are under way.
    config.keep_alive_max_requests = sys.maxsize
    return config


class Replay:
    """A stream whose first bytes were read already and are read again.

    Everything else is the stream's own: Hypercorn finds out by trying whether it is
    TLS, and a handshake that was done is not done again.
    """

    def __init__(self, stream: trio.abc.Stream, received: bytes, connection: Connection) -> None:
        self._stream = stream
        self._received = received
        self._connection = connection

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
        try:
            for start in range(0, len(data), _PIECE):
                with trio.fail_after(_PATIENCE):
                    await self._stream.send_all(data[start : start + _PIECE])
        except trio.BusyResourceError as error:
            # Hypercorn sends one thing after the other: what else is under way is its goodbye
            # to a client that broke off a request whose answer this is.
            raise trio.BrokenResourceError("the connection is being closed") from error
        except (trio.TooSlowError, trio.BrokenResourceError) as error:
            # Hypercorn would go on reading, or wait for the end of an answer that nobody takes.
            self._connection.cut_off()
            raise trio.BrokenResourceError("the client is gone, or takes nothing") from error


class _Server(TCPServer):
    """Hypercorn's connection, with what it lacks for a server that has to end in time."""

    _nobody_reads = False

    async def run(self) -> None:
        try:
            await super().run()
        finally:
            # They hold each other, and would until a search for garbage finds them.
            if (wrapper := vars(self).get("protocol")) is not None:
                vars(wrapper.protocol.connection).clear()
                vars(wrapper.protocol).clear()
            vars(self).clear()

    async def protocol_send(self, event: Event) -> None:
        if isinstance(event, Updated) and self._nobody_reads:
            event = Closed()  # it would wait for the next request
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
        # The client has left, and Hypercorn would wait for it, with an open socket, until it was idle
        # for long enough.
        self._nobody_reads = True
        await self.idle_task.stop()
