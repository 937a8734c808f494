"""Puts the server together: listeners, front door, HTTP side; and takes it apart again in order."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TypeAlias

import trio

from waav.server.admission import Admission
from waav.server.answers import Answers
from waav.server.frontdoor import DoorLimits, FrontDoor, Handler
from waav.server.guard import ASGIApp
from waav.server.http_worker import open_http_worker
from waav.server.tls import Tls
from waav.server.websocket import Limits
from waav.server.workers.listener import SharedListener
from waav.tasks import open_scoped_nursery

Listener: TypeAlias = trio.SocketListener | SharedListener
"""What one gateway listens on by itself, or all workers together."""


async def serve(
    app: ASGIApp,
    routes: Mapping[str, Handler],
    *,
    host: str,
    port: int,
    listeners: Sequence[Listener] = (),
    stopping: trio.Event,
    tls: Tls | None = None,
    grace: float = 30.0,
    admission: Admission | None = None,
    answers: Answers | None = None,
    door_limits: DoorLimits | None = None,
    websocket_limits: Limits | None = None,
    task_status: trio.TaskStatus[list[tuple[str, int]]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until ``stopping`` is set and every connection has ended; then return.

    Once it is set nobody new is let in, idle HTTP connections close, and the handlers of the
    routes, which watch the same event, say goodbye to their clients. Whoever is still there
    after ``grace`` seconds is cancelled, at once if this is: a WebSocket is closed with 1001.

    Args:
        routes: who talks to WebSocket clients, by path.
        port: 0 for any free one.
        listeners: what somebody else listens on, instead of host and port; closed at the end.
        admission: who may come in at either door; None for everybody.
        answers: what goes around each answer.
        task_status: told the address and port of each listening socket.

    Raises:
        OSError: the port cannot be had.
        hypercorn.utils.LifespanFailureError: the application does not start, in a group.
    """
    async with AsyncExitStack() as stack:
        listeners = listeners or await trio.open_tcp_listeners(port, host=host)
        for listener in listeners:
            await stack.enter_async_context(listener)
        http = await stack.enter_async_context(open_http_worker(app, admission, answers))
        door = FrontDoor(
            routes=routes,
            http=http.serve,
            tls=tls,
            admission=admission or Admission(),
            answers=answers or Answers(),
            limits=door_limits or DoorLimits(),
            websocket_limits=websocket_limits or Limits(),
        )
        async with trio.open_nursery() as connections:
            async with _accepting(door, listeners, connections):
                task_status.started([each.socket.getsockname()[:2] for each in listeners])
                await stopping.wait()
            door.close()
            await http.drain()
            connections.cancel_scope.deadline = trio.current_time() + grace


@asynccontextmanager
async def _accepting(
    door: FrontDoor, listeners: Sequence[Listener], connections: trio.Nursery
) -> AsyncIterator[None]:
    doors: list[trio.abc.Listener[trio.SocketStream]] = [*listeners]
    # Out of file descriptors? It pauses, and tries again.
    accept = partial(trio.serve_listeners, door.serve, doors, handler_nursery=connections)
    async with open_scoped_nursery("shutting down") as accepting:
        await accepting.start(accept, name="server/accept")
        yield
