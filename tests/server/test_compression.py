"""Nothing is compressed on its way: sound gains nothing, and the length of an answer would tell secrets."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import trio
from quart import Quart
from support.rest import Reader, open_rest, voice_plugin

ASK = (
    b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
)
SQUEEZED = {"Accept-Encoding": "gzip, deflate, br, zstd"}


@pytest.mark.pins("D264")
async def test_a_websocket_is_not_compressed_although_the_client_offers_it(start: Any) -> None:
    running = await start()
    async with await running.connect() as stream:
        await stream.send_all(ASK)
        with trio.fail_after(5):
            answer = (await stream.receive_some(65536)).lower()
    assert b" 101 " in answer
    assert b"extensions" not in answer


@pytest.mark.pins("D264")
@pytest.mark.parametrize("wanted", ["linear16", "wav", "mulaw"])
async def test_speech_over_rest_is_not_compressed_although_the_client_offers_it(
    wanted: str,
) -> None:
    reader = Reader()
    async with open_rest(voice_plugin("espeak", reader)) as client:
        config = {"provider": "espeak", "audio_format": wanted}
        body = {"text": "hello " * 1000, "tts_config": config}
        answer = await client.post("/speak", json=body, headers=SQUEEZED)
        assert answer.status_code == 200
        assert "content-encoding" not in answer.headers
        assert int(answer.headers["content-length"]) == len(await answer.get_data())


@pytest.mark.pins("D264")
@pytest.mark.parametrize("path", ["/openapi.json", "/voices", "/nothing"])
async def test_json_is_not_compressed_either(start: Any, path: str) -> None:
    running = await start()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.port}") as client:
        answer = await client.get(path, headers=SQUEEZED)
    assert "content-encoding" not in answer.headers
    assert "accept-encoding" not in answer.headers.get("vary", "").lower()
    answer.json()


@pytest.fixture
async def app() -> AsyncIterator[Quart]:
    """What ``start`` serves."""
    async with open_rest(voice_plugin("espeak", Reader())) as client:
        yield client.app
