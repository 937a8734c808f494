"""Speech from a scripted vendor over both transports, well and badly behaved."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import attrs
import pytest
import trio
from support.servers.elevenlabs import KEY, StreamInput, audio, query_of, serve_http, sound_of
from support.servers.http import (
    Answer,
    Cut,
    Dribbled,
    Exchange,
    Garbage,
    Reply,
    Stall,
    answer_json,
    open_http_server,
)
from support.servers.websocket import (
    Close,
    Hear,
    Peer,
    Refuse,
    Say,
    Script,
    accept,
    dribble,
    drop,
    fall_silent,
    hang_up,
    open_websocket_server,
)

from capabilities import (
    TTS,
    AudioFormat,
    AudioFrame,
    Capability,
    Emotion,
    Encoding,
    Feeling,
    Plugin,
    ProviderBusy,
    ProviderClosed,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderUnavailable,
    Secret,
    SpeechRequest,
)
from providers.elevenlabs import MANIFEST
from providers.elevenlabs.options import ElevenLabsTTSOptions
from providers.elevenlabs.tts import ElevenLabsTTS, frames_of
from providers.elevenlabs.tts_wire import Piece
from waav.speech.key import speech_key
from waav.speech.text import pieces, pronouncing
from waav.testing import check_tts, say

Open = Callable[..., AbstractAsyncContextManager[Plugin]]

ABILITY = MANIFEST.abilities[Capability.TTS]
TEXT = "Hello world. How are you today?"
SOCKET = ElevenLabsTTSOptions(transport="websocket")


def tts_of(plugin: Plugin) -> TTS:
    assert plugin.tts is not None
    return plugin.tts


async def spoken(tts: TTS, text: str = TEXT, **more: Any) -> bytes:
    with trio.fail_after(20):
        return b"".join([frame.data for frame in await say(tts, SpeechRequest(text, **more))])


async def test_the_contract_is_kept_over_http(open_plugin: Open) -> None:
    async with open_http_server(serve_http) as server, open_plugin(server.url) as plugin:
        await check_tts(tts_of(plugin), ABILITY, cancels=25)


async def test_the_contract_is_kept_over_websocket(open_plugin: Open) -> None:
    """The voices come over HTTP, so they are somebody else's here."""
    async with (
        open_http_server(serve_http) as http,
        open_websocket_server([StreamInput()]) as server,
        open_plugin(http.url) as lister,
        open_plugin(server.url) as speaker,
    ):
        assert isinstance(speaker.tts, ElevenLabsTTS)
        tts = attrs.evolve(speaker.tts, voices=lister.tts._voices)  # type: ignore[union-attr]  # ours
        request = SpeechRequest(TEXT, options=SOCKET)
        await check_tts(tts, ABILITY, request=request, cancels=25)


# HTTP.


async def test_a_request_goes_out_as_the_vendor_wants_it(open_plugin: Open) -> None:
    async with open_http_server(serve_http) as server, open_plugin(server.url) as plugin:
        assert await spoken(tts_of(plugin)) == sound_of(TEXT)
        request = server.requests[0]
    assert request.method == "POST"
    assert request.target == (
        "/v1/text-to-speech/JBFqnCBsd6RMkjVDRZzb/stream?output_format=pcm_24000"
    )
    assert request.headers["xi-api-key"] == KEY
    assert request.json == {"text": TEXT, "model_id": "eleven_flash_v2_5"}


async def test_connections_are_kept(open_plugin: Open) -> None:
    async with open_http_server(serve_http) as server, open_plugin(server.url) as plugin:
        for _ in range(3):
            await spoken(tts_of(plugin))
        assert server.connections == 1


async def test_the_operator_chooses_who_speaks_by_default(open_plugin: Open) -> None:
    async with (
        open_http_server(serve_http) as server,
        open_plugin(server.url, voice="bob") as plugin,
    ):
        await spoken(tts_of(plugin))
        await spoken(tts_of(plugin), voice="alice")
    assert [each.target.split("/")[3] for each in server.requests] == ["bob", "alice"]


async def test_a_voice_cannot_lead_elsewhere(open_plugin: Open) -> None:
    async with open_http_server(serve_http) as server, open_plugin(server.url) as plugin:
        for name in ("../../v1/user", "..", "a?b#c"):
            with pytest.raises(ProviderRefused):
                await spoken(tts_of(plugin), voice=name)
        assert {each.target.split("?")[0].rpartition("/")[2] for each in server.requests} == {
            "stream"
        }


async def test_without_a_key_nobody_is_called(open_plugin: Open) -> None:
    async with (
        open_http_server(serve_http) as server,
        open_plugin(server.url, key=None) as plugin,
    ):
        with pytest.raises(ProviderRefused, match="ElevenLabs API key not configured in server"):
            await spoken(tts_of(plugin))
        assert await spoken(tts_of(plugin), api_key=Secret(KEY)) == sound_of(TEXT)
        assert len(server.requests) == 1


async def test_sound_begins_before_the_vendor_has_sent_the_last_byte(open_plugin: Open) -> None:
    more = trio.Event()

    async def slowly(exchange: Exchange) -> None:
        await exchange.head(200, [("Transfer-Encoding", "chunked")])
        await exchange.body(b"\1\2\3")
        await more.wait()
        await exchange.body(b"\4")
        await exchange.end()

    async with (
        open_http_server(slowly) as server,
        open_plugin(server.url) as plugin,
        tts_of(plugin).synthesize(SpeechRequest(TEXT)) as frames,
    ):
        with trio.fail_after(5):
            first = await anext(aiter(frames))
            more.set()
            rest = [frame.data async for frame in frames]
    assert (first.data, rest) == (b"\1\2", [b"\3\4"]), "and no sample is torn"


@pytest.mark.pins("D082")
@pytest.mark.parametrize("over", ["http", "websocket"])
async def test_sound_that_comes_before_anybody_listens_is_heard_all_the_same(
    open_plugin: Open, over: str
) -> None:
    sent = trio.Event()

    async def speak(exchange: Exchange) -> None:
        await Answer(body=(b"\1\2\3", b"\4"))(exchange)
        sent.set()

    async def tell(_peer: Peer) -> None:
        sent.set()

    script = [accept, Hear(2), Say(audio(b"\1\2\3"), audio(b"\4"), '{"isFinal": true}'), tell]
    request = SpeechRequest(TEXT, options=ElevenLabsTTSOptions(transport=over))  # type: ignore[arg-type]  # of the table
    async with (
        open_http_server(speak) as http,
        open_websocket_server(script) as socket,
        open_plugin((http if over == "http" else socket).url) as plugin,
        tts_of(plugin).synthesize(request) as frames,
    ):
        with trio.fail_after(5):
            await sent.wait()
        assert b"".join([frame.data async for frame in frames]) == b"\1\2\3\4"


async def test_leaving_stops_the_vendor(open_plugin: Open) -> None:
    left = trio.Event()

    async def endless(exchange: Exchange) -> None:
        await exchange.head(200, [("Transfer-Encoding", "chunked")])
        await exchange.body(bytes(100))
        await exchange.until_gone()
        left.set()

    async with open_http_server(endless) as server, open_plugin(server.url) as plugin:
        async with tts_of(plugin).synthesize(SpeechRequest(TEXT)) as frames:
            await anext(aiter(frames))
        with trio.fail_after(5):
            await left.wait()


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (answer_json({"detail": {"message": "bad key"}}, 401), ProviderRefused, "bad key"),
        (answer_json({"detail": {"message": "pay"}}, 402), ProviderRefused, "pay"),
        (answer_json({}, 429, Retry_After="7"), ProviderBusy, "429"),
        (answer_json({}, 500), ProviderUnavailable, "500"),
        (answer_json({}, 503), ProviderUnavailable, "503"),
        (Answer(422, b'{"detail": [{"msg": "no"}]}'), ProviderRefused, "422"),
        (Cut(), ProviderUnavailable, None),
        (Cut(b"\1\2"), ProviderClosed, "middle"),
        (Cut(b"\1\2", hard=True), ProviderClosed, "middle"),
        (Stall(), ProviderUnavailable, "nothing moved"),
        (Stall(b"\1\2"), ProviderUnavailable, "nothing moved"),
        (Garbage(), ProviderProtocolError, "not HTTP"),
    ],
)
async def test_http_faults(
    open_plugin: Open, reply: Reply, error: type[ProviderError], words: str | None
) -> None:
    async with (
        open_http_server(reply) as server,
        open_plugin(server.url, read_timeout=0.3) as plugin,
    ):
        with pytest.raises(error, match=words) as caught:
            await spoken(tts_of(plugin))
        assert type(caught.value) is error
        assert len(server.requests) == 1, "what costs money is not asked for twice"
    if isinstance(caught.value, ProviderBusy):
        assert caught.value.retry_after == 7


async def test_http_byte_by_byte(open_plugin: Open) -> None:
    async with (
        open_http_server(Dribbled(Answer(body=bytes(range(100))))) as server,
        open_plugin(server.url) as plugin,
    ):
        assert await spoken(tts_of(plugin)) == bytes(range(100))


# WebSocket.


async def test_a_text_goes_over_a_websocket_as_the_vendor_wants_it(open_plugin: Open) -> None:
    async with (
        open_websocket_server([StreamInput()]) as server,
        open_plugin(server.url) as plugin,
    ):
        assert await spoken(tts_of(plugin), options=SOCKET) == sound_of(TEXT)
        peer = server.peers[0]
    assert peer.path.startswith("/v1/text-to-speech/JBFqnCBsd6RMkjVDRZzb/stream-input?")
    assert query_of(peer.path) == {
        "model_id": ["eleven_flash_v2_5"],
        "output_format": ["pcm_24000"],
    }
    assert peer.headers["xi-api-key"] == KEY
    assert [json.loads(each)["text"] for each in peer.messages] == [" ", f"{TEXT} ", ""]


async def test_a_normal_close_is_an_end_too(open_plugin: Open) -> None:
    """The vendor's own client does not look at ``isFinal``."""
    async with (
        open_websocket_server([StreamInput(last=False)]) as server,
        open_plugin(server.url) as plugin,
    ):
        assert await spoken(tts_of(plugin), options=SOCKET) == sound_of(TEXT)


async def test_a_token_goes_instead_of_a_key(open_plugin: Open) -> None:
    own = attrs.evolve(SOCKET, single_use_token="once")
    async with (
        open_websocket_server([accept, Say('{"isFinal": true}')]) as server,
        open_plugin(server.url, key=None) as plugin,
    ):
        assert await spoken(tts_of(plugin), options=own) == b""
        assert query_of(server.peers[0].path)["single_use_token"] == ["once"]
        assert "xi-api-key" not in server.peers[0].headers


async def test_leaving_a_websocket_hangs_up(open_plugin: Open) -> None:
    """Also before the vendor has said all."""
    request = SpeechRequest(TEXT, options=SOCKET)
    async with (
        open_websocket_server([StreamInput(halting=True)]) as server,
        open_plugin(server.url) as plugin,
    ):
        async with tts_of(plugin).synthesize(request) as frames:
            with trio.fail_after(5):
                await anext(aiter(frames))
        with trio.fail_after(5):
            await server.peers[0].gone.wait()


@pytest.mark.parametrize(
    ("script", "error", "words"),
    [
        ([Refuse(401)], ProviderRefused, "401"),
        ([Refuse(429, {"Retry-After": "7"})], ProviderBusy, "429"),
        ([Refuse(503)], ProviderUnavailable, "503"),
        ([hang_up], ProviderUnavailable, None),
        ([accept, Hear(3), drop], ProviderClosed, None),
        ([accept, Hear(3), Say(audio(b"\1\2")), drop], ProviderClosed, None),
        ([accept, Hear(3), Close(1008, "quota")], ProviderRefused, "quota"),
        ([accept, Hear(3), Close(1000)], ProviderClosed, "before there was any sound"),
        ([accept, Hear(3), Close(1011)], ProviderClosed, "1011"),
        ([accept, Hear(3), Close(1013)], ProviderBusy, "1013"),
        ([accept, Hear(3), fall_silent], ProviderUnavailable, "no sound came for 0.3 s"),
        ([accept, Hear(3), Say("garbage")], ProviderProtocolError, "not JSON"),
        ([accept, Hear(3), Say("x" * 20_000_000)], ProviderProtocolError, "larger"),
    ],
)
async def test_websocket_faults(
    open_plugin: Open, script: Script, error: type[ProviderError], words: str | None
) -> None:
    async with (
        open_websocket_server(script) as server,
        open_plugin(server.url, read_timeout=0.3) as plugin,
    ):
        with pytest.raises(error, match=words) as caught:
            await spoken(tts_of(plugin), options=SOCKET)
        assert type(caught.value) is error
        assert len(server.peers) == 1


async def test_a_websocket_byte_by_byte_and_a_long_message(open_plugin: Open) -> None:
    big = bytes(10_000_000)

    async def speak_long(peer: Peer) -> None:
        await Hear(3)(peer)
        await peer.send(audio(big))
        await peer.send('{"isFinal": true}')

    async with (
        open_websocket_server([dribble, StreamInput()], [accept, speak_long]) as server,
        open_plugin(server.url) as plugin,
    ):
        assert await spoken(tts_of(plugin), "Hi", options=SOCKET) == sound_of("Hi")
        assert await spoken(tts_of(plugin), options=SOCKET) == big


# What the gateway does before the vendor is asked.


@pytest.mark.pins("D115")
async def test_pronunciations_are_in_the_text_that_the_vendor_gets(open_plugin: Open) -> None:
    words = [("SQL", "sequel")]
    (request,) = pieces(SpeechRequest(""), ABILITY, "I like SQL.", None, pronouncing(words))
    async with open_http_server(serve_http) as server, open_plugin(server.url) as plugin:
        await say(tts_of(plugin), request)
    assert server.requests[0].json["text"] == "I like sequel."


@pytest.mark.pins("D116")
@pytest.mark.parametrize(
    "other",
    [
        {"voice": "bob"},
        {"model": "eleven_v3"},
        {"speed": 1.1},
        {"feeling": Feeling(Emotion.HAPPY)},
        {"options": ElevenLabsTTSOptions(style=0.2)},
        {"options": ElevenLabsTTSOptions(seed=1)},
        {"api_key": Secret("another-key")},
    ],
)
def test_equal_requests_are_one_to_the_cache_and_others_are_not(other: dict[str, Any]) -> None:
    plain = SpeechRequest(TEXT, options=ElevenLabsTTSOptions())
    again = SpeechRequest(TEXT, options=ElevenLabsTTSOptions())
    assert speech_key(MANIFEST.id, plain) == speech_key(MANIFEST.id, again)
    assert speech_key(MANIFEST.id, plain) != speech_key(MANIFEST.id, attrs.evolve(plain, **other))


# Frames.


async def test_frames_are_whole_and_know_their_place() -> None:
    async def torn() -> AsyncIterator[Piece]:
        for sound in (b"\1", b"\2\3", b"", b"\4\5"):
            yield Piece(sound)

    audio_format = AudioFormat(Encoding.LINEAR16, 1000)
    frames = [frame async for frame in frames_of(torn(), audio_format)]
    assert frames == [
        AudioFrame(b"\1\2", audio_format, 0.0),
        AudioFrame(b"\3\4", audio_format, 0.001),
    ]


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        (Encoding.LINEAR16, [(20, ""), (20, "A "), (60, "dog barks"), (20, "."), (80, " So ")]),
        (Encoding.MP3, [(100, "A dog barks"), (100, ". So ")]),
    ],
)
async def test_frames_hold_the_words_that_begin_in_them(
    encoding: Encoding, expected: list[tuple[int, str]]
) -> None:
    async def told() -> AsyncIterator[Piece]:
        yield Piece(bytes(100), words=((0.01, "A "), (0.02, "dog "), (0.02, "barks")))
        yield Piece(bytes(100), words=((0.0, "."), (0.01, " So ")))

    audio_format = AudioFormat(encoding, 1000)
    frames = [frame async for frame in frames_of(told(), audio_format)]
    assert [(len(frame.data), frame.text) for frame in frames] == expected
