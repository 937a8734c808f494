"""What clients of the gateway do all day, over a real socket."""

import json
from typing import Any

import httpx
import pytest
import trio
from support.clients import STT, TTS
from support.providers import Ears
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from capabilities import Final, Interim


@pytest.mark.pins("D194", "D203", "D192")
async def test_hear_and_speak(server: Any, ears: Ears) -> None:
    async with server.client() as client:
        ready = await client.configure()
        assert ready["stream_id"] == ready["session_id"]
        await client.socket.send(bytes(3200))
        ears.say(Interim("hel"), Final("hello", 0.9, speech_final=True))
        interim, final = await client.expect("stt_result"), await client.expect("stt_result")
        assert (interim["transcript"], interim["is_final"]) == ("hel", False)
        assert final["transcript"] == final["text"] == "hello"
        assert (final["is_final"], final["is_speech_final"], final["confidence"]) == (
            True,
            True,
            0.9,
        )
        await client.send(type="speak", text="abc")
        await client.send(type="speak", text="de")
        first = await client.expect("tts_playback_complete")
        assert len(client.sound) == 3 * 4800
        second = await client.expect("tts_playback_complete")
        assert len(client.sound) == 5 * 4800
        assert first["utterance_id"] != second["utterance_id"]


@pytest.mark.pins("D193")
@pytest.mark.parametrize("block", [{"stt_config": STT}, {"tts_config": TTS}, {"stt": STT}])
async def test_one_sided_sessions(server: Any, block: dict[str, Any]) -> None:
    async with server.client() as client:
        ready = await client.configure(**block)
        assert (ready["stt_ready"], ready["tts_ready"]) == (
            "tts_config" not in block,
            "tts_config" in block,
        )


async def test_a_foreign_client_in_a_thread(server: Any, ears: Ears) -> None:
    """The sync client of another library, under the other name of the endpoint."""

    def talk() -> tuple[list[str], int]:
        kinds, size = [], 0
        with connect(f"ws://127.0.0.1:{server.port}/api/ws") as socket:
            socket.send(json.dumps({"type": "config", "stt_config": STT, "tts_config": TTS}))
            socket.send(bytes(3200))
            socket.send(json.dumps({"type": "speak", "text": "hello"}))
            for message in socket:
                if isinstance(message, bytes):
                    size += len(message)
                    continue
                kinds.append(json.loads(message)["type"])
                if kinds[-1] == "tts_playback_complete":
                    return kinds, size
        raise AssertionError(kinds)

    with trio.fail_after(10):
        kinds, size = await trio.to_thread.run_sync(talk)
    assert (kinds, size) == (["ready", "tts_playback_complete"], 5 * 4800)
    assert ears.seconds == pytest.approx(0.1)


@pytest.mark.pins("D207", "D224")
async def test_rest_on_the_same_port(server: Any) -> None:
    async with httpx.AsyncClient(base_url=server.url) as http:
        assert (await http.get("/")).json()["status"] == "OK"
        body = {"text": "hello", "tts_config": {**TTS, "audio_format": "wav"}}
        answer = await http.post("/speak", json=body)
        assert answer.headers["content-type"] == "audio/wav"
        assert int(answer.headers["content-length"]) == len(answer.content) == 44 + 5 * 4800
        assert (await http.get("/api/providers")).status_code == 200


@pytest.mark.pins("D189")
async def test_a_server_that_stops_says_goodbye(server: Any) -> None:
    async with server.client() as client:
        await client.configure()
        server.stopping.set()
        with pytest.raises(ConnectionClosed):
            await client.next()
        assert client.socket.close_code == 1001


async def test_many_talk_at_once(server: Any, ears: Ears) -> None:
    async def talk() -> None:
        async with server.client() as client:
            await client.configure()
            for _ in range(10):
                await client.socket.send(bytes(640))
            await client.send(type="speak", text="hi")
            await client.expect("tts_playback_complete")
            assert len(client.sound) == 2 * 4800

    async with trio.open_nursery() as nursery:
        for _ in range(50):
            nursery.start_soon(talk)
    assert ears.seconds == pytest.approx(50 * 0.2)
