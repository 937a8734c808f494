"""A connection before we know what it wants: the TLS handshake and the request head, in time."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import attrs
import trio

from waav.server.head import RequestHead, parse_head

_READ = 65536


@attrs.define(eq=False)
class WaitingRoom:
    """The patience we have with those who have not said what they want; it can end for all at once."""

    is_closed: bool = attrs.field(default=False, init=False)
    _scopes: set[trio.CancelScope] = attrs.field(factory=set, init=False)

    @contextmanager
    def patience(self, seconds: float) -> Iterator[trio.CancelScope]:
        """A cancel scope that also ends when the room closes."""
        with trio.move_on_after(0 if self.is_closed else seconds) as scope:
            self._scopes.add(scope)
            try:
                yield scope
            finally:
                self._scopes.discard(scope)

    def close(self) -> None:
        """Send away everybody who waits, and who comes later."""
        self.is_closed = True
        for scope in self._scopes:
            scope.cancel(reason="the server is shutting down")


async def secure(
    transport: trio.SocketStream, context: ssl.SSLContext
) -> trio.SSLStream[trio.SocketStream]:
    """Do the TLS handshake.

    Raises:
        trio.BrokenResourceError: it failed, or the client has left.
    """
    # https_compatible: HTTP clients close without the closing words of TLS.
    stream = trio.SSLStream(transport, context, server_side=True, https_compatible=True)
    await stream.do_handshake()
    return stream


async def read_head(
    stream: trio.abc.Stream,
    received: bytearray,
    *,
    peer: tuple[str, int],
    scheme: str,
    limit: int,
) -> RequestHead | None:
    """Read the request head into ``received``, and perhaps some of what follows it.

    Returns:
        None when the client leaves before it has asked for anything.

    Raises:
        Refused: no request, or a head beyond the limit.
        trio.BrokenResourceError: the client has left.
    """
    while data := await stream.receive_some(_READ):
        searched = len(received)
        received += data
        head = parse_head(received, peer=peer, scheme=scheme, searched=searched, limit=limit)
        if head is not None:
            return head
    return None
