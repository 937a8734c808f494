"""Whatever a client sends, it gets a clear answer, and the session or at least the server lives on."""

import socket as sockets
import struct
from typing import Any

import attrs
import pytest
import trio
from support.clients import STT, TTS
from support.providers import Ears, Mouth
from websockets.exceptions import ConnectionClosed

from capabilities import ProviderUnavailable
from waav.config import Config

MIB = 1 << 20


@pytest.fixture
def config() -> Config:
    """Patience is short here: nobody waits ten seconds of real time."""
    default = Config()
    return attrs.evolve(
        default,
        server=attrs.evolve(default.server, head_timeout_seconds=0.3),
        websocket=attrs.evolve(default.websocket, send_timeout_seconds=0.3),
    )


async def sessions_are(server: Any, number: int) -> None:
    """Wait until so many are open; the kernel tells nobody when a client has really gone."""
    with trio.fail_after(10):
        while server.gateway.sessions != number:
            await trio.lowlevel.checkpoint()


async def lives(server: Any) -> None:
    """A new client gets what it asks for."""
    async with server.client() as client:
        assert (await client.configure())["stt_ready"]


@pytest.mark.pins("D202")
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("not JSON", "invalid_message"),
        ("[]", "invalid_message"),
        ("{}", "invalid_message"),
        ('{"type": "dance"}', "invalid_message"),
        ('{"type": "speak", "text": 5}', "invalid_message"),
        ('{"type": "config", "stt_config": {"provider": "ears", "sample_rate": "x"}}', "invalid_message"),
        ('{"type": "config", "stt_config": {"provider": "ears", "sample_rate": 1}}', "invalid_message"),
        ("x" * (MIB + 1), "message_too_large"),
        ('{"type": "speak", "text": "' + "x" * (100 * 1024 + 1) + '"}', "field_too_large"),
        ('{"type": "speak", "text": "hello"}', "audio_disabled"),
        ('{"type": "config"}', "missing_stt_config"),
        ('{"type": "config", "stt_config": {"provider": "none"}}', "unsupported_provider"),
        ('{"type": "config", "livekit": {"room_name": "r"}}', "not_available"),
    ],
)  # fmt: skip
async def test_a_wrong_message_is_answered_and_the_session_goes_on(
    server: Any, text: str, code: str
) -> None:
    async with server.client() as client:
        await client.socket.send(text)
        error = await client.expect_error(code)
        assert error["message"]
        assert error["recoverable"] is True
        assert (await client.configure())["tts_ready"]


async def test_unknown_keys_are_no_error(server: Any) -> None:
    async with server.client() as client:
        await client.configure(stt_config={**STT, "colour": "red"}, shape={"round": True})


async def test_sound_before_a_config_is_answered_once(server: Any) -> None:
    async with server.client() as client:
        for _ in range(20):
            await client.socket.send(bytes(640))
        await client.expect_error("audio_disabled")
        await client.configure()


async def test_a_sound_message_that_is_too_large(server: Any, ears: Ears) -> None:
    async with server.client() as client:
        await client.configure()
        await client.socket.send(bytes(5 * MIB + 1))
        await client.expect_error("audio_too_large")
        await client.socket.send(bytes(640))
        await client.send(type="ping")
        await client.expect("pong")


async def test_a_frame_of_more_than_ten_mebibytes_ends_the_connection(server: Any) -> None:
    async with server.client() as client:
        await client.configure()
        with pytest.raises(ConnectionClosed):
            await client.socket.send(bytes(10 * MIB + 1))
            await client.next()
        assert client.socket.close_code == 1009
    await lives(server)


async def test_odd_byte_counts_lose_nothing(server: Any, ears: Ears) -> None:
    async with server.client() as client:
        await client.configure()
        for size in (1, 3, 641, 0, 5, 2, 638):
            await client.socket.send(bytes(size))
        with trio.fail_after(5):
            while sum(len(frame.data) for frame in ears.frames) < 1290:
                await trio.lowlevel.checkpoint()


@pytest.mark.pins("D185", "D187")
async def test_a_second_config_is_a_merge(server: Any, ears: Ears) -> None:
    async with server.client() as client:
        first = await client.configure(stt_config=STT)
        second = await client.configure(tts_config=TTS)
        assert first["session_id"] == second["session_id"] == second["stream_id"]
        assert (second["stt_ready"], second["tts_ready"]) == (True, True)
        await client.configure(stt_config=STT)
        assert ears.open_streams == 1


async def test_empty_speak_and_clear_of_nothing(server: Any) -> None:
    async with server.client() as client:
        await client.configure()
        await client.send(type="clear")
        await client.send(type="speak", text="  ")
        await client.expect("tts_playback_complete")
        assert not client.sound


async def test_a_provider_that_fails_to_start(server: Any, ears: Ears) -> None:
    ears.fail = ProviderUnavailable("ears", "no route")
    async with server.client() as client:
        await client.send(type="config", stt_config=STT)
        error = await client.expect_error("provider_start_failed")
        assert error["message"] == (
            "Failed to start voice manager: STT error: Connection failed: ears: no route"
        )
        ears.fail = None
        await client.configure()


async def test_a_head_that_never_ends_is_cut_off(server: Any) -> None:
    stream = await trio.open_tcp_stream("127.0.0.1", server.port)
    async with stream:
        await stream.send_all(b"GET /ws HTTP/1.1\r\nHost: x\r\nX-")
        answer = b""
        with trio.fail_after(5):
            async for chunk in stream:
                answer += chunk
    assert answer.startswith(b"HTTP/1.1 408 ")
    await lives(server)


async def test_headers_beyond_reason_are_refused(server: Any) -> None:
    stream = await trio.open_tcp_stream("127.0.0.1", server.port)
    async with stream:
        await stream.send_all(b"GET / HTTP/1.1\r\n" + b"X-A: " + b"a" * 65536 + b"\r\n\r\n")
        assert (await stream.receive_some()).startswith(b"HTTP/1.1 431 ")
    await lives(server)


async def test_one_byte_behind_an_upgrade_to_nowhere(server: Any) -> None:
    """The HTTP library would end the whole process."""
    stream = await trio.open_tcp_stream("127.0.0.1", server.port)
    upgrade = (
        b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: bKdPyn3u98cTfZJSh4TNeQ==\r\n\r\nx"
    )
    async with server.client() as neighbour, stream:
        await neighbour.configure()
        await stream.send_all(upgrade)
        assert (await stream.receive_some()).startswith(b"HTTP/1.1 404 ")
        await neighbour.send(type="ping")
        await neighbour.expect("pong")
    await lives(server)


async def test_a_client_that_stops_reading_is_cut_off(server: Any, mouth: Mouth) -> None:
    """Its session ends and gives everything back; a neighbour notices nothing."""
    mouth.whole = True
    async with server.client() as neighbour:
        await neighbour.configure()
        stream = await trio.open_tcp_stream("127.0.0.1", server.port)
        async with stream:
            await deaf_client(stream)
            await sessions_are(server, 1)
        await neighbour.send(type="ping")
        await neighbour.expect("pong")
    assert mouth.open_requests == 0


async def deaf_client(stream: trio.SocketStream) -> None:
    """Ask for an hour of speech, and never read."""
    stream.socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    await stream.send_all(
        b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: bKdPyn3u98cTfZJSh4TNeQ==\r\n\r\n"
    )
    await stream.receive_some()
    for text in (
        '{"type":"config","tts_config":{"provider":"mouth"}}',
        '{"type":"speak","text":"%s"}' % ("x" * 36000),
    ):
        head = (
            bytes([0x81, 0x80 | 126]) + struct.pack("!H", len(text))
            if len(text) > 125
            else bytes([0x81, 0x80 | len(text)])
        )
        await stream.send_all(head + bytes(4) + text.encode())


async def test_a_client_that_is_reset_frees_its_session(server: Any, ears: Ears) -> None:
    async with server.client() as client:
        await client.configure()
        linger = struct.pack("ii", 1, 0)
        client.socket.stream.socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, linger)
        await trio.aclose_forcefully(client.socket.stream)
    await sessions_are(server, 0)
    assert ears.open_streams == 0
