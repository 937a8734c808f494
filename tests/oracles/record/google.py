"""Google's packages talk with our Google."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import attrs
from support.servers.google import Google, open_google_server, recognise, rest_reply, synthesise
from support.servers.http import HTTPServer, open_http_server
from support.stt_vendor import spoken

from oracles.program import Program
from oracles.sessions import Shown, runs, shown_call, shown_request

SOUND = spoken(3)
CALLS = ("recognize", "recognize with all", "stream", "stream with all")
REQUESTS = ("rest", "rest with all", "voices")
_FACTS = ("fields", "assertion")


@attrs.frozen
class Servers:
    """All sides of the vendor."""

    speech: Google
    tts: Google
    http: HTTPServer

    def shown(self) -> Shown:
        """Return what was said to them, by task."""
        calls = map(shown_call, (*self.speech.calls, *self.tts.calls))
        asked = (each for each in self.http.requests if not each.target.startswith("/token"))
        return {
            **dict(zip(CALLS, calls, strict=True)),
            **dict(zip(REQUESTS, map(shown_request, asked), strict=True)),
        }


@asynccontextmanager
async def open_servers() -> AsyncIterator[Servers]:
    """Run them."""
    async with (
        open_google_server(recognise) as speech,
        open_google_server(synthesise) as tts,
        open_http_server(rest_reply()) as http,
    ):
        yield Servers(speech, tts, http)


async def record(program: Program) -> Shown:
    """Return what the packages said and understood, what their messages are, and what they sign."""
    async with open_servers() as servers:
        ports = map(str, (servers.speech.port, servers.tts.port, servers.http.port))
        lines = await program(*ports, stdin=SOUND)
        told = servers.shown()
    understood = [line for line in lines if line[0] not in _FACTS]
    return {**told, "understood": runs(understood), **_facts(lines)}


def _facts(lines: Iterable[Any]) -> Shown:
    facts: Shown = {name: {} for name in _FACTS}
    for what, *told in lines:
        if what in _FACTS:
            facts[what] |= told[0]
    return facts
