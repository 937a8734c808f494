"""The least that relays a voice: ``python -m waav.bench.bare ws://...``; says its address, then serves.

A sans-IO WebSocket protocol on each of the two sockets, a task for each direction, and nothing that
a gateway is for. Its cost per frame is the yardstick of ours.
"""

import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from urllib.parse import urlsplit

import click
import trio
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import CONNECTING, OPEN, Protocol
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

_READ = 65536


async def _open(stream: trio.SocketStream, protocol: Protocol) -> None:
    """Read until the handshake is done."""
    while protocol.state is CONNECTING:
        protocol.receive_data(await _read(stream))
        for event in protocol.events_received():
            if isinstance(protocol, ServerProtocol):
                protocol.send_response(protocol.accept(event))  # type: ignore[arg-type]  # a request
        await _flush(stream, protocol)


async def _read(stream: trio.SocketStream) -> bytes | bytearray:
    data = await stream.receive_some(_READ)
    if not data:
        raise trio.BrokenResourceError("it hung up without a word")
    return data


async def _flush(stream: trio.SocketStream, protocol: Protocol) -> None:
    data = b"".join(protocol.data_to_send())
    if data:
        await stream.send_all(data)


async def _carry(
    source: trio.SocketStream,
    reader: Protocol,
    target: trio.SocketStream,
    writer: Protocol,
) -> None:
    """Pass messages on in one direction, until either side closes."""
    while reader.state is OPEN and writer.state is OPEN:
        reader.receive_data(await _read(source))
        for frame in reader.events_received():
            match frame:
                case Frame(opcode=Opcode.BINARY, data=data):
                    writer.send_binary(data)
                case Frame(opcode=Opcode.TEXT, data=data):
                    writer.send_text(data)
                case _:
                    pass
        # What a protocol answers by itself goes out with what the other task sends next.
        await _flush(target, writer)


async def _serve(url: str, client: trio.SocketStream) -> None:
    """Relay one client."""
    parts = urlsplit(url)
    async with await trio.open_tcp_stream(parts.hostname or "", parts.port or 80) as vendor:
        ours, theirs = ServerProtocol(), ClientProtocol(parse_uri(url))
        await _open(client, ours)
        theirs.send_request(theirs.connect())
        await _flush(vendor, theirs)
        await _open(vendor, theirs)
        async with trio.open_nursery() as nursery:
            up = partial(_carry, client, ours, vendor, theirs)
            down = partial(_carry, vendor, theirs, client, ours)
            nursery.start_soon(_until_over, up, nursery.cancel_scope, name="bench/bare/up")
            nursery.start_soon(_until_over, down, nursery.cancel_scope, name="bench/bare/down")
        with suppress(trio.BrokenResourceError):
            await _flush(client, ours)
            await _flush(vendor, theirs)


async def _until_over(carry: Callable[[], Awaitable[None]], both: trio.CancelScope) -> None:
    with suppress(trio.BrokenResourceError):
        await carry()
    both.cancel(reason="one side left")


async def main(url: str) -> None:
    """Serve until killed."""

    async def serve(stream: trio.SocketStream) -> None:
        async with stream:
            with suppress(trio.BrokenResourceError):
                await _serve(url, stream)

    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    click.echo("http://{}:{}".format(*listeners[0].socket.getsockname()))
    await trio.serve_listeners(serve, listeners)


if __name__ == "__main__":
    trio.run(main, sys.argv[1])
