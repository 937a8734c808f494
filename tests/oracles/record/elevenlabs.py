"""ElevenLabs' SDK talks with our ElevenLabs."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import trio
from support.servers.elevenlabs import (
    Scribe,
    StreamInput,
    audio,
    committed,
    partial,
    problem,
    serve_http,
    started,
)
from support.servers.http import HTTPServer, open_http_server
from support.servers.websocket import WebSocketServer, open_websocket_server
from support.stt_vendor import spoken

from oracles.program import Program
from oracles.sessions import Shown, runs, shown_request, shown_session

SOUND = spoken(2)
SESSIONS = ("listen", "listen with all", "speak by socket")
REQUESTS = (
    "speak",
    "speak with all",
    "voices",
    "more voices",
    "last voices",
    "clone",
    "cloned voice",
    "removal of the voice",
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
    """Run them: two recognisers, and then a voice."""
    scripts = ([Scribe()], [Scribe()], [StreamInput()])
    async with (
        open_websocket_server(*scripts) as websockets,
        open_http_server(serve_http) as http,
    ):
        yield Servers(websockets, http)


async def record(program: Program) -> Shown:
    """Return what the SDK said, what it understood, and which messages of ours it does not know."""
    async with open_servers() as servers:
        understood = await program(servers.websockets.url, servers.http.url, stdin=SOUND)
        told = await servers.shown()
    strangers = await program("check", stdin="".join(_messages()).encode())
    return {**told, "understood": runs(understood), "unknown to the models": strangers}


def _messages() -> list[str]:
    """Return what our WebSockets say, as the SDK makes no models of that; and a wrong message."""
    plain, timed = committed(("hello", 0.0, 0.4), ("there", 0.5, 0.9))
    stranger = {"message_type": "partial_transcript", "text": "", "wrong on purpose": 1}
    told = [
        ("SessionStartedPayload", started(commit_strategy="vad")),
        ("PartialTranscriptPayload", partial("hel")),
        ("CommittedTranscriptPayload", plain),
        ("CommittedTranscriptWithTimestampsPayload", timed),
        ("ScribeThrottledErrorPayload", problem("commit_throttled")),
        ("ScribeErrorPayload", problem("error")),
        ("AudioOutput", audio(b"\1\2")),
        ("FinalOutput", '{"isFinal": true}'),
        ("PartialTranscriptPayload", json.dumps(stranger)),
    ]
    return [json.dumps([name, json.loads(text)]) + "\n" for name, text in told]
