"""A voice whose vendor fails: what a client is told, by ``/ws`` and by ``/speak``."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any, TypeAlias

import httpx
import pytest
from support.clients import Client, open_client
from support.gateways import gateway_before
from support.servers import deepgram
from support.servers.http import open_http_server
from support.servers.websocket import open_websocket_server

from waav.testing import Fault, Relay, Transport, open_relay
from waav.testing.contract import Belongings

TEXT = "Hello world. How are you today?"
HALF = len(TEXT) * deepgram.BYTES_A_LETTER // 2
Vendor: TypeAlias = Callable[[], AbstractAsyncContextManager[Any]]
BY_SOCKET: tuple[Vendor, Transport] = (
    partial(open_websocket_server, [deepgram.vendor]),
    Transport.WEBSOCKET,
)
BY_HTTP: tuple[Vendor, Transport] = (partial(open_http_server, deepgram.rest), Transport.HTTP)
OPTIONS = {Transport.WEBSOCKET: {}, Transport.HTTP: {"transport": "rest"}}
AT_ONCE, IN_THE_MIDDLE = None, HALF

CASES: dict[str, tuple[tuple[Vendor, Transport], Fault, int | None, tuple[int, str]]] = {
    "refused": (BY_SOCKET, Fault.HTTP_401, AT_ONCE, (502, "provider_refused")),
    "busy": (BY_SOCKET, Fault.HTTP_429, AT_ONCE, (429, "provider_busy")),
    "unreachable": (BY_SOCKET, Fault.RESET, AT_ONCE, (502, "provider_unavailable")),
    "reset": (BY_SOCKET, Fault.RESET, IN_THE_MIDDLE, (502, "provider_closed")),
    "goodbye": (BY_SOCKET, Fault.CLOSE_1011, IN_THE_MIDDLE, (502, "provider_closed")),
    "silence": (BY_SOCKET, Fault.SILENCE, IN_THE_MIDDLE, (502, "provider_unavailable")),
    "rubbish": (BY_SOCKET, Fault.RUBBISH, IN_THE_MIDDLE, (502, "provider_protocol_error")),
    "http-down": (BY_HTTP, Fault.HTTP_503, AT_ONCE, (502, "provider_unavailable")),
    "http-reset": (BY_HTTP, Fault.RESET, IN_THE_MIDDLE, (502, "provider_closed")),
}
"""How the vendor is asked, what it does, behind how much of its answer, and what ``/speak`` says."""
FIELDS = ("way", "fault", "at", "told")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may sit behind a proxy."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@asynccontextmanager
async def running(way: tuple[Vendor, Transport]) -> AsyncIterator[tuple[Relay, str]]:
    vendor, transport = way
    async with (
        vendor() as server,
        open_relay(server.url, transport) as relay,
        gateway_before(relay.url) as address,
    ):
        yield relay, address


async def until_complete(client: Client) -> list[str]:
    """Return what the client is told until an utterance is over, and the codes of errors."""
    told: list[str] = []
    while (message := await client.next())["type"] != "tts_playback_complete":
        told += [message["type"], *([message["code"]] if "code" in message else [])]
    return told


@pytest.mark.parametrize(FIELDS, CASES.values(), ids=CASES)
async def test_a_voice_that_fails_is_one_error_and_the_next_utterance_is_said(
    way: tuple[Vendor, Transport], fault: Fault, at: int | None, told: tuple[int, str]
) -> None:
    """And when the session is over nothing is left."""
    del told  # which of them it was stands in the message
    async with running(way) as (relay, address):
        before = Belongings.now()
        async with open_client(f"ws://{address}/ws") as client:
            voice = {"provider": "deepgram", "options": OPTIONS[way[1]]}
            await client.configure(tts_config=voice)
            relay.strike(fault, at)
            await client.send(type="speak", text=TEXT)
            assert await until_complete(client) == ["error", "tts_error"]
            assert relay.has_struck
            client.sound.clear()
            await client.send(type="speak", text=TEXT)
            assert await until_complete(client) == []
            assert client.sound
        await before.check_no_more("the session")


@pytest.mark.parametrize(FIELDS, CASES.values(), ids=CASES)
async def test_a_voice_that_fails_is_one_answer_that_says_so(
    way: tuple[Vendor, Transport], fault: Fault, at: int | None, told: tuple[int, str]
) -> None:
    async with running(way) as (relay, address):
        relay.strike(fault, at)
        before = Belongings.now()
        config = {"provider": "deepgram", "options": OPTIONS[way[1]]}
        asked = {"text": TEXT, "tts_config": config}
        once = {"Connection": "close"}  # or the front door would wait for a further request
        async with httpx.AsyncClient(trust_env=False, headers=once) as client:
            answer = await client.post(f"http://{address}/speak", json=asked)
            assert (answer.status_code, answer.json()["code"]) == told
            assert relay.has_struck
            again = await client.post(f"http://{address}/speak", json=asked)
            assert again.status_code == 200
        await before.check_no_more("the requests")
