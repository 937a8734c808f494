"""OpenAI's SDK talks with our OpenAI."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import trio
from support.servers.http import HTTPServer, open_http_server
from support.servers.openai import LIVE, converse, openai, spoken
from support.servers.websocket import WebSocketServer, accept, open_websocket_server

from oracles.program import Program
from oracles.sessions import Shown, runs, shown_request, shown_session
from providers._common.buffered import Utterance, wav_file

SOUND = spoken(2)
SESSIONS = ("live", "live with all", "live semantic")
REQUESTS = (
    "file",
    "words",
    "events",
    "diarized",
    "speech",
    "speech by another voice",
    "chat",
    "chat with all",
)


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
    async with (
        open_websocket_server([accept, converse]) as websockets,
        open_http_server(openai) as http,
    ):
        yield Servers(websockets, http)


async def record(program: Program) -> Shown:
    """Return what the SDK said, and what it understood."""
    wav = wav_file(Utterance(SOUND.data, LIVE, 0.0))
    async with open_servers() as servers:
        understood = await program(servers.websockets.url, servers.http.url, stdin=wav)
        return {**await servers.shown(), "understood": runs(understood)}
