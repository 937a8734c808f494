"""A connection before we know what it wants: who it is, the TLS handshake and the request head, in time."""

import socket
import ssl

import attrs
import trio

from waav.security.addresses import Clients
from waav.server.head import RequestHead, parse_head
from waav.server.proxy_header import MAX_BINARY, NoProxyHeader, Peer, parse_proxy_header
from waav.server.tls import Tls

_READ = 65536


@attrs.frozen
class Arrival:
    """A connection on which HTTP can be spoken."""

    stream: trio.abc.Stream
    peer: Peer
    """Whoever is connected, or whom a proxy has announced."""
    is_http2: bool = False
    """Agreed on in the TLS handshake; without one the first request tells."""


async def arrive(
    transport: trio.SocketStream, peer: Peer, tls: Tls | None, clients: Clients
) -> Arrival:
    """Do what comes before HTTP.

    Args:
        peer: the other end of the socket.

    Raises:
        NoProxyHeader: the other end is no proxy that we trust, or announces nobody.
        trio.BrokenResourceError: the TLS handshake failed, or the client has left.
        OSError: the client has left.
    """
    if clients.announced:
        if not clients.trusts(peer[0]):
            raise NoProxyHeader("not a trusted proxy")
        peer = await read_proxy_header(transport.socket) or peer
    if tls is None:
        return Arrival(transport, peer)
    stream = await secure(transport, tls.context)
    return Arrival(stream, peer, stream.selected_alpn_protocol() == "h2")


def peer_of(transport: trio.SocketStream) -> Peer:
    """Return the other end of the socket.

    Raises:
        trio.BrokenResourceError: the client has left.
    """
    try:
        address, port = transport.socket.getpeername()[:2]
    except OSError as error:
        raise trio.BrokenResourceError("left before we came to look") from error
    return address, port


async def read_proxy_header(connected: trio.socket.SocketType) -> Peer | None:
    """Take the header of the PROXY protocol off a connection, and not one byte more.

    Returns:
        The client that it announces; None if it announces nobody.

    Raises:
        NoProxyHeader: what comes is none.
        trio.BrokenResourceError: the proxy has left.
    """
    received = bytearray()
    while True:
        # TLS reads from the socket itself: what follows the header has to stay there.
        seen = await connected.recv(MAX_BINARY, socket.MSG_PEEK)
        if not seen:
            raise trio.BrokenResourceError("left before it said for whom it came")
        header = parse_proxy_header(received + seen)
        size = len(seen) if header is None else header.size - len(received)
        received += await connected.recv(size)
        if header is not None:
            return header.client


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
