"""Between a connection and the application: whose requests they are, and how long an answer may take."""

from typing import Any

import attrs
import trio
from hypercorn.config import Config

from waav.server.answers import Answers
from waav.server.guard import ASGIApp, encoded
from waav.server.proxy_header import Peer
from waav.tasks import ungrouped

PATIENCE = 60.0
"""Seconds in which a client must take each message of an answer over HTTP/2; there are two or three."""

CONNECTION = "connection"
"""Where a request has it: in the ``state`` of its scope."""


class Settings(Config):
    """Hypercorn's, and what goes around every answer, also around one that it gives by itself."""

    answers = Answers()

    def response_headers(self, protocol: str) -> list[tuple[bytes, bytes]]:
        """Return what Hypercorn adds to each answer."""
        return [*super().response_headers(protocol), *encoded(self.answers.always)]


@attrs.frozen(eq=False)
class Connection:
    """What all requests of a connection have in common."""

    peer: Peer
    """The client, who need not be the one at the other end of the socket."""
    scope: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)
    """All that is done for it."""

    def cut_off(self) -> None:
        """End it, with all its requests."""
        self.scope.cancel(reason="the client is gone, or takes nothing")


def on_connection(app: ASGIApp) -> ASGIApp:
    """Tell the application whose request it is, and cut off who takes no answer.

    Over HTTP/2 a client says how much it wants to be sent. One that wants nothing would keep the
    request, and what it was to get, for as long as it likes: nothing is sent, so nothing is late.
    """

    async def call(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
            return
        connection: Connection = scope["state"].pop(CONNECTION)
        scope["client"] = connection.peer
        # Over HTTP/1 all that is sent goes to the stream, which has patience of its own.
        if scope["http_version"] == "2":
            send = _in_time(send, connection)
        with ungrouped():  # Hypercorn keeps a group in its frame, which the group keeps
            await app(scope, receive, send)

    return call


def _in_time(send: Any, connection: Connection) -> Any:
    async def send_in_time(message: Any) -> None:
        with trio.move_on_after(PATIENCE) as patience:
            await send(message)
        if patience.cancelled_caught:
            connection.cut_off()

    return send_in_time
