"""A relay as one writes it first: ``python -m waav.bench.obvious ws://...``; says its address, then serves.

A Quart-Trio WebSocket on Hypercorn for the client, trio-websocket for the vendor, a task for each
direction. It is what a gateway costs that takes the nearest libraries.
"""

import logging
import sys
from contextlib import suppress

import click
import trio
from hypercorn.config import Config
from hypercorn.trio import serve
from quart import websocket
from quart_trio import QuartTrio
from trio_websocket import ConnectionClosed, WebSocketConnection, open_websocket_url


def make_app(url: str) -> QuartTrio:
    """Return the application."""
    app = QuartTrio(__name__)

    @app.websocket("/ws")
    async def relay() -> None:
        async with open_websocket_url(url) as vendor, trio.open_nursery() as nursery:
            nursery.start_soon(_down, vendor, name="bench/obvious/down")
            try:
                while True:
                    await vendor.send_message(await websocket.receive())
            except ConnectionClosed:
                nursery.cancel_scope.cancel(reason="the vendor left")

    return app


async def _down(vendor: WebSocketConnection) -> None:
    with suppress(ConnectionClosed):
        while True:
            await websocket.send(await vendor.get_message())


async def main(url: str) -> None:
    """Serve until killed."""
    config = Config()
    config.bind = ["127.0.0.1:0"]
    config.websocket_ping_interval = None
    config.loglevel = "WARNING"
    logging.getLogger("quart").setLevel(logging.ERROR)
    async with trio.open_nursery() as nursery:
        binds = await nursery.start(serve, make_app(url), config, name="bench/obvious")
        click.echo(binds[0])


if __name__ == "__main__":
    trio.run(main, sys.argv[1])
