"""Speech, against a server that speaks."""

import attrs
import pytest
import trio
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
from support.servers.loopback import closed_port
from support.servers.openai import PCM, OpenAPI, refuse, speak

from capabilities import (
    AudioFormat,
    Delivery,
    Emotion,
    Encoding,
    Feeling,
    ProviderBusy,
    ProviderClosed,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderUnavailable,
    Secret,
    SpeechRequest,
)
from providers.openai import MANIFEST
from providers.openai.options import OpenAITTSOptions
from providers.openai.tts import OpenAITTS
from waav.speech.key import speech_key
from waav.speech.output import resolve_output
from waav.testing import check_tts
from waav.testing.talk import say

HELLO = SpeechRequest("Hello world.")


async def test_it_keeps_the_contract(open_api: OpenAPI) -> None:
    async with open_http_server(speak) as server, open_api(server.url) as api:
        await check_tts(OpenAITTS(api), MANIFEST.abilities["tts"], cancels=25)


@pytest.mark.pins("D013", "D128")
async def test_what_is_asked_for(open_api: OpenAPI) -> None:
    request = SpeechRequest(
        "Grüß Gott",
        voice="voice_1234",
        speed=1.5,
        feeling=Feeling(Emotion.HAPPY, 0.9, Delivery.WHISPERED),
        options=OpenAITTSOptions(instructions="Speak like a pirate."),
        api_key=Secret("sessions-own"),
    )
    async with open_http_server(speak) as server, open_api(server.url) as api:
        await say(OpenAITTS(api), request)
        await say(OpenAITTS(api), HELLO)
        await say(OpenAITTS(api), attrs.evolve(request, model="tts-1"))
    first, second, third = server.requests
    assert (first.method, first.target) == ("POST", "/v1/audio/speech")
    assert first.headers["authorization"] == "Bearer sessions-own"
    assert first.json == {
        "model": "gpt-4o-mini-tts",
        "input": "Grüß Gott",
        "voice": {"id": "voice_1234"},
        "response_format": "pcm",
        "instructions": "Speak like a pirate. Sound very happy, smiling. Whisper.",
        "speed": 1.5,
    }
    assert second.json == {
        "model": "gpt-4o-mini-tts",
        "input": "Hello world.",
        "voice": "marin",
        "response_format": "pcm",
    }
    assert "instructions" not in third.json


@pytest.mark.pins("D069", "D070", "D071")
@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        (Encoding.LINEAR16, "pcm"),
        (Encoding.MP3, "mp3"),
        (Encoding.OPUS, "opus"),
        (Encoding.OGG, "opus"),
        (Encoding.AAC, "aac"),
        (Encoding.FLAC, "flac"),
    ],
)
async def test_each_format_has_its_name_and_frames_say_what_they_are(
    open_api: OpenAPI, encoding: Encoding, name: str
) -> None:
    request = attrs.evolve(HELLO, format=AudioFormat(encoding, 8000))
    async with open_http_server(speak) as server, open_api(server.url) as api:
        frames = await say(OpenAITTS(api), request)
    assert server.requests[0].json["response_format"] == name
    assert {frame.format for frame in frames} == {AudioFormat(encoding, 24000)}


@pytest.mark.pins("D121", "D122")
def test_what_a_listener_wants_changes_neither_the_request_nor_its_key() -> None:
    ability = MANIFEST.abilities["tts"]
    wanted = [
        AudioFormat(),
        AudioFormat(Encoding.LINEAR16, 48000),
        AudioFormat(Encoding.MULAW, 8000),
        AudioFormat(Encoding.WAV, 16000),
    ]
    keys = {
        speech_key("openai", attrs.evolve(HELLO, format=resolve_output("openai", ability, each)))
        for each in wanted
    }
    assert len(keys) == 1
    mp3 = resolve_output("openai", ability, AudioFormat(Encoding.MP3, 44100))
    assert speech_key("openai", attrs.evolve(HELLO, format=mp3)) not in keys


async def test_sound_is_given_before_the_last_byte_has_come(open_api: OpenAPI) -> None:
    heard = trio.Event()

    async def wait_for_the_listener(exchange: Exchange) -> None:
        await exchange.head(200, [("Transfer-Encoding", "chunked"), *PCM.items()])
        await exchange.body(b"\0\1" * 100)
        await heard.wait()
        await exchange.body(b"\0\1" * 50)
        await exchange.end()

    async with (
        open_http_server(wait_for_the_listener) as server,
        open_api(server.url) as api,
        OpenAITTS(api).synthesize(HELLO) as frames,
    ):
        with trio.fail_after(2):
            first = await anext(frames)
            heard.set()
            rest = [frame async for frame in frames]
    assert len(first.data) == 200
    assert [(len(frame.data), frame.start) for frame in rest] == [(100, 100 / 24000)]


@pytest.mark.pins("D082")
async def test_sound_that_comes_before_anybody_listens_is_heard_all_the_same(
    open_api: OpenAPI,
) -> None:
    sent = trio.Event()

    async def speak_at_once(exchange: Exchange) -> None:
        await speak(exchange)
        sent.set()

    async with open_http_server(speak_at_once) as server, open_api(server.url) as api:
        expected = b"".join([frame.data for frame in await say(OpenAITTS(api), HELLO)])
        sent = trio.Event()
        async with OpenAITTS(api).synthesize(HELLO) as frames:
            with trio.fail_after(5):
                await sent.wait()
            assert b"".join([frame.data async for frame in frames]) == expected


async def test_leaving_stops_the_far_side(open_api: OpenAPI) -> None:
    stopped = trio.Event()

    async def speak_for_ever(exchange: Exchange) -> None:
        await exchange.head(200, [("Transfer-Encoding", "chunked"), *PCM.items()])
        await exchange.body(b"\0\1" * 100)
        await exchange.until_gone()
        stopped.set()

    async with open_http_server(speak_for_ever) as server, open_api(server.url) as api:
        async with OpenAITTS(api).synthesize(HELLO) as frames:
            await anext(frames)
        with trio.fail_after(2):
            await stopped.wait()


async def test_samples_stay_whole_one_byte_at_a_time(open_api: OpenAPI) -> None:
    reply = Dribbled(Answer(200, tuple(bytes([n]) for n in range(9)), PCM))
    async with open_http_server(reply) as server, open_api(server.url) as api:
        frames = await say(OpenAITTS(api), HELLO)
    assert all(len(frame.data) % 2 == 0 for frame in frames)
    assert b"".join(frame.data for frame in frames) == bytes(range(8))


async def test_blank_text_is_asked_of_nobody(open_api: OpenAPI) -> None:
    async with open_http_server(speak) as server, open_api(server.url) as api:
        assert await say(OpenAITTS(api), SpeechRequest(" \n")) == []
    assert server.requests == []


@pytest.mark.parametrize(
    ("reply", "kind", "text"),
    [
        (refuse(401, "Incorrect API key provided: sk-abcd1234efgh"), ProviderRefused, "401"),
        (refuse(402, "pay"), ProviderRefused, "402"),
        (refuse(429, "slow down", retry_after="7"), ProviderBusy, "slow down"),
        (refuse(500, "oh"), ProviderUnavailable, "500"),
        (refuse(503, "oh"), ProviderUnavailable, "503"),
        (Garbage(), ProviderProtocolError, "not HTTP"),
        (answer_json({"error": "what?"}), ProviderProtocolError, "application/json"),
        (Cut(), ProviderUnavailable, "broke"),
        (Stall(), ProviderUnavailable, "nothing moved"),
    ],
)
async def test_what_goes_wrong_before_the_first_sound(
    open_api: OpenAPI, reply: Reply, kind: type[ProviderError], text: str
) -> None:
    async with open_http_server(reply) as server, open_api(server.url, read_timeout=0.1) as api:
        with pytest.raises(kind, match=text) as caught:
            await say(OpenAITTS(api), HELLO)
    assert type(caught.value) is kind
    assert "sk-abcd" not in str(caught.value)
    if isinstance(caught.value, ProviderBusy):
        assert caught.value.retry_after == 7
    # Speech costs money: whoever wants it again asks again.
    assert len(server.requests) == 1


@pytest.mark.parametrize("hard", [False, True])
async def test_a_sound_that_breaks_off_is_an_error_behind_what_came(
    open_api: OpenAPI, *, hard: bool
) -> None:
    async with (
        open_http_server(Cut(b"\0\1" * 10, hard=hard)) as server,
        open_api(server.url) as api,
    ):
        with pytest.raises(ProviderClosed):
            await say(OpenAITTS(api), HELLO)


async def test_nobody_there(open_api: OpenAPI) -> None:
    async with open_api(f"http://127.0.0.1:{closed_port()}") as api:
        with pytest.raises(ProviderUnavailable):
            await say(OpenAITTS(api), HELLO)


@pytest.mark.pins("D079")
async def test_the_default_voice_is_the_operator_s(open_api: OpenAPI) -> None:
    async with open_http_server(speak) as server, open_api(server.url, voice="coral") as api:
        await say(OpenAITTS(api), HELLO)
    assert server.requests[0].json["voice"] == "coral"
