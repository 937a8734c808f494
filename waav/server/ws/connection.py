"""One connection is one session: what runs around it, and the ways in which it ends."""

import logging
import random
from collections.abc import Callable
from contextlib import suppress
from uuid import uuid4

import attrs
import trio

from waav.errors import SlowClient
from waav.gateway import Gateway
from waav.server.doorkeeper import Visitor
from waav.server.errors import (
    GOING_AWAY,
    IDLE,
    INTERNAL,
    NORMAL,
    close_code,
    describe,
    is_known,
)
from waav.server.websocket import WebSocket
from waav.server.ws.encode import farewell
from waav.server.ws.identity import Identity
from waav.server.ws.talk import Talk
from waav.tasks import open_scoped_nursery

log = logging.getLogger(__name__)

DRAIN = 0.5
"""Seconds for the last events, once the session is over."""


@attrs.frozen
class Ending:
    """Why a connection ends."""

    code: int
    reason: str = ""
    last: str | None = None
    """A message that goes out before the close."""


CLIENT_LEFT = Ending(NORMAL)
SERVER_STOPS = Ending(GOING_AWAY, "the server stops")
SESSION_OVER = Ending(INTERNAL, "the session is over")
UNUSED = Ending(IDLE, "inactivity", farewell("idle_timeout", "Connection closed due to inactivity"))


async def serve_voice(
    socket: WebSocket,
    gateway: Gateway,
    visitor: Visitor,
    leave: trio.Event,
    *,
    uniform: Callable[[float, float], float] = random.uniform,
) -> None:
    """Give one client a session; whichever side ends first ends both. Closes the socket.

    Nothing that goes wrong with this client leaves this function; a bug is logged once, under an
    id that the client is told.

    Args:
        socket: open, and nobody else's.
        gateway: where the session comes from.
        visitor: who is at the other end.
        leave: set when the server wants this client to go.
        uniform: draws the jitter of the idle time.
    """
    limits = gateway.config.websocket
    jitter = uniform(-limits.idle_jitter_seconds, limits.idle_jitter_seconds)
    idle = limits.idle_timeout_seconds + jitter
    # This stays true if we are cancelled, because only a stopping server does that.
    ending = SERVER_STOPS
    with gateway.counters.sockets.including(socket):
        try:
            identity = Identity(gateway.authenticator, visitor)
            left = await _introduce(socket, gateway, identity, leave) if visitor.pending else None
            ending = left or await _converse(socket, gateway, identity, leave, idle)
        except* Exception as group:  # noqa: BLE001  # the top of a connection
            ending = _ending(group)
        finally:
            gateway.counters.connections_ended.note(str(ending.code))
            await _close(socket, ending)


async def _introduce(
    socket: WebSocket, gateway: Gateway, identity: Identity, leave: trio.Event
) -> Ending | None:
    """Ask a client who it is; return None if it has said so."""
    limits = gateway.config.websocket
    ending: Ending | None = SERVER_STOPS

    async def stop() -> None:
        await leave.wait()
        nursery.cancel_scope.cancel(reason=SERVER_STOPS.reason)

    async with open_scoped_nursery("the client has been asked") as nursery:
        nursery.start_soon(stop, name="ws/stopping")
        known = await identity.introduce(socket, limits.auth_timeout_seconds)
        ending = None if known else CLIENT_LEFT
        socket.take_up_to(limits.max_message_bytes)
    return ending


async def _converse(
    socket: WebSocket, gateway: Gateway, identity: Identity, leave: trio.Event, idle: float
) -> Ending:
    async with trio.open_nursery() as nursery:
        async with gateway.open_session(identity.tenant) as session:
            talk = Talk(socket, session, gateway, identity, leave)
            # Outside of the session, whose last words are said while it ends.
            nursery.start_soon(talk.events_to_client, name="ws/events")
            ending = await _until_over(talk, idle)
        nursery.cancel_scope.deadline = trio.current_time() + DRAIN
    return ending


async def _until_over(talk: Talk, idle: float) -> Ending:
    """Let them talk until somebody or something ends it; say what it was."""
    ending = CLIENT_LEFT

    async def part() -> None:
        nonlocal ending
        ending = await _parting(talk, idle)
        nursery.cancel_scope.cancel(reason=ending.reason)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(talk.audio_to_client, name="ws/audio")
        nursery.start_soon(talk.socket.keep_alive, name="ws/keep-alive")
        nursery.start_soon(part, name="ws/parting")
        await talk.from_client(nursery)
        nursery.cancel_scope.cancel(reason="the client left")
    return ending


async def _parting(talk: Talk, idle: float) -> Ending:
    """Wait until the client has to go: also when nobody has said anything for ``idle`` seconds.

    Raises:
        Overloaded: it is not yet so long, but there is too much to do, and nobody would miss this one.
    """
    load = talk.gateway.load
    with load.guest(lambda: talk.used_at, talk.leave) as guest:
        while (until := talk.used_at + idle) > trio.current_time():
            with trio.move_on_at(until):
                await talk.leave.wait()
                if guest.evicted:
                    raise load.overloaded()
                return SESSION_OVER if talk.over else SERVER_STOPS
    return UNUSED


def _ending(group: ExceptionGroup[Exception]) -> Ending:
    """Find out what to tell the client about a failure, and log it if nobody foresaw it."""
    if not is_known(group):
        incident = uuid4().hex[:12]
        log.error("connection failed, id %s", incident, exc_info=group)
        text = f"Internal error (id {incident})"
        return Ending(INTERNAL, text, farewell("internal_error", text))
    code, message = describe(group)
    # A client that does not read would not read this either.
    last = None if code == SlowClient.code else farewell(code, message)
    return Ending(close_code(group), code, last)


async def _close(socket: WebSocket, ending: Ending) -> None:
    if ending.last is not None:
        gone = (SlowClient, trio.BrokenResourceError, trio.ClosedResourceError)
        with trio.move_on_after(1, shield=True), suppress(*gone):
            await socket.send(ending.last)
    await socket.aclose(ending.code, ending.reason)
