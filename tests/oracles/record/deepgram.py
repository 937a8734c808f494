"""Deepgram's SDK talks with our Deepgram."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import trio
from support.servers.deepgram import rest, vendor
from support.servers.http import HTTPServer, open_http_server
from support.servers.websocket import WebSocketServer, open_websocket_server
from support.stt_vendor import spoken

from oracles.program import Program
from oracles.sessions import Shown, runs, shown_request, shown_session

SOUND = spoken(3)
SESSIONS = ("nova", "nova with all", "flux", "flux with all", "aura", "flux voice")
REQUESTS = ("rest", "rest with all", "voices")


@attrs.frozen
class Servers:
    """Both sides of the vendor."""

    websockets: WebSocketServer
    http: HTTPServer

    async def shown(self) -> Shown:
        """Return what was said to them, by task, once all have left."""
        with trio.fail_after(10):
            for peer in self.websockets.peers:
                await peer.gone.wait()
        sessions = map(shown_session, self.websockets.peers)
        requests = map(shown_request, self.http.requests)
        return {
            **dict(zip(SESSIONS, sessions, strict=True)),
            **dict(zip(REQUESTS, requests, strict=True)),
        }


@asynccontextmanager
async def open_servers() -> AsyncIterator[Servers]:
    """Run them."""
    async with open_websocket_server([vendor]) as websockets, open_http_server(rest) as http:
        yield Servers(websockets, http)


async def record(program: Program) -> Shown:
    """Return what the SDK said, and what it understood."""
    async with open_servers() as servers:
        understood = await program(servers.websockets.url, servers.http.url, stdin=SOUND)
        return {**await servers.shown(), "understood": runs(understood)}
