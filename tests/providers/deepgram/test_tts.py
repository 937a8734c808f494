"""Speaking through Deepgram, by WebSocket and by REST, on real sockets."""

from typing import Any

import attrs
import pytest
import trio
from support.servers.deepgram import KEY, VOICES, OpenPlugin, Speak, rest, sound_of, vendor
from support.servers.http import Answer, Cut, Exchange, Stall, answer_json, open_http_server
from support.servers.websocket import (
    Close,
    Hear,
    Peer,
    Refuse,
    Say,
    accept,
    dribble,
    drop,
    fall_silent,
    open_websocket_server,
)

from capabilities import (
    TTS,
    Ability,
    AudioFormat,
    Capability,
    Encoding,
    Plugin,
    ProviderBusy,
    ProviderClosed,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderUnavailable,
    SpeechRequest,
)
from providers.deepgram import MANIFEST
from providers.deepgram.options import DeepgramTTSOptions
from waav.testing import check_tts, say

ABILITY: Ability = MANIFEST.abilities[Capability.TTS]
TEXT = "Grüße, world. How are you?"
REQUEST = SpeechRequest(TEXT)
FLUX = attrs.evolve(REQUEST, voice="flux-alexis-en")
REST = attrs.evolve(REQUEST, options=DeepgramTTSOptions(transport="rest"))


def tts(plugin: Plugin) -> TTS:
    assert plugin.tts is not None
    return plugin.tts


async def sound(plugin: Plugin, request: SpeechRequest) -> bytes:
    return b"".join(frame.data for frame in await say(tts(plugin), request))


# All is well.


@pytest.mark.pins("D127")
@pytest.mark.parametrize("request_", [REQUEST, FLUX], ids=["aura", "flux"])
async def test_the_contract_is_kept_by_websocket(
    opened: OpenPlugin, request_: SpeechRequest
) -> None:
    async with open_websocket_server([vendor]) as server, opened(server.url) as plugin:
        await check_tts(tts(plugin), ABILITY, request=request_, cancels=25)


async def test_the_contract_is_kept_by_rest(opened: OpenPlugin) -> None:
    async with open_http_server(rest) as server, opened(server.url) as plugin:
        await check_tts(tts(plugin), ABILITY, request=REST, cancels=25)


@pytest.mark.parametrize("request_", [REQUEST, FLUX], ids=["aura", "flux"])
async def test_all_of_the_sound_comes(opened: OpenPlugin, request_: SpeechRequest) -> None:
    async with open_websocket_server([Speak()]) as server, opened(server.url) as plugin:
        assert await sound(plugin, request_) == sound_of(TEXT, {})


async def test_compressed_sound_comes_by_rest(opened: OpenPlugin) -> None:
    request = attrs.evolve(REQUEST, format=AudioFormat(Encoding.MP3, 24000))
    async with open_http_server(rest) as server, opened(server.url) as plugin:
        frames = await say(tts(plugin), request)
    assert {frame.format for frame in frames} == {AudioFormat(Encoding.MP3, 22050)}
    assert b"".join(frame.data for frame in frames) == sound_of(TEXT, {})
    (request_made,) = server.requests
    assert request_made.json == {"text": TEXT}
    assert "encoding=mp3" in request_made.target


@pytest.mark.parametrize("request_", [REQUEST, FLUX], ids=["aura", "flux"])
async def test_the_first_sound_leaves_before_the_last_is_made(
    opened: OpenPlugin, request_: SpeechRequest
) -> None:
    hold = trio.Event()
    async with (
        open_websocket_server([Speak(hold)]) as server,
        opened(server.url) as plugin,
        tts(plugin).synthesize(request_) as frames,
    ):
        with trio.fail_after(10):
            first = await anext(aiter(frames))
        hold.set()
        rest_of_it = b"".join([frame.data async for frame in frames])
    assert first.data + rest_of_it == sound_of(TEXT, {})


async def test_by_rest_too(opened: OpenPlugin) -> None:
    hold = trio.Event()

    async def reply(exchange: Exchange) -> None:
        await exchange.head(200, [("Transfer-Encoding", "chunked")])
        await exchange.body(b"abc")
        await hold.wait()
        await exchange.body(b"d")
        await exchange.end()

    async with (
        open_http_server(reply) as server,
        opened(server.url) as plugin,
        tts(plugin).synthesize(REST) as frames,
    ):
        with trio.fail_after(10):
            first = await anext(aiter(frames))
        hold.set()
        assert [first.data, *[frame.data async for frame in frames]] == [b"ab", b"cd"]


@pytest.mark.pins("D082")
async def test_sound_that_comes_before_anybody_listens_is_heard_all_the_same(
    opened: OpenPlugin,
) -> None:
    sent = trio.Event()

    async def tell(_peer: Peer) -> None:
        sent.set()

    script = [accept, Hear(2), Say(b"ab", b"cd", '{"type":"Flushed","sequence_id":0}'), tell]
    async with (
        open_websocket_server(script) as server,
        opened(server.url) as plugin,
        tts(plugin).synthesize(REQUEST) as frames,
    ):
        with trio.fail_after(10):
            await sent.wait()
        assert [frame.data async for frame in frames] == [b"ab", b"cd"]


@pytest.mark.parametrize(
    ("request_", "stop"), [(REQUEST, '{"type": "Clear"}'), (FLUX, '{"type": "Interrupt"}')]
)
async def test_who_leaves_early_stops_the_voice(
    opened: OpenPlugin, request_: SpeechRequest, stop: str
) -> None:
    async with (
        open_websocket_server([Speak(interrupted=True)]) as server,
        opened(server.url) as plugin,
    ):
        async with tts(plugin).synthesize(request_) as frames:
            await anext(aiter(frames))
        (peer,) = server.peers
        with trio.fail_after(10):
            await peer.gone.wait()
    assert peer.messages[-2:] == [stop, '{"type": "Close"}']


async def test_who_is_cancelled_stops_the_voice(opened: OpenPlugin) -> None:
    async with (
        open_websocket_server([Speak(interrupted=True)]) as server,
        opened(server.url) as plugin,
    ):
        with trio.CancelScope() as scope:
            async with tts(plugin).synthesize(REQUEST) as frames:
                async for _ in frames:
                    scope.cancel()
        (peer,) = server.peers
        with trio.fail_after(10):
            await peer.gone.wait()
    assert scope.cancelled_caught
    assert peer.messages[-2:] == ['{"type": "Clear"}', '{"type": "Close"}']


async def test_who_leaves_a_rest_answer_early_drops_it(opened: OpenPlugin) -> None:
    gone = trio.Event()

    async def reply(exchange: Exchange) -> None:
        await exchange.head(200, [("Transfer-Encoding", "chunked")])
        await exchange.body(b"ab")
        await exchange.until_gone()
        gone.set()

    async with open_http_server(reply) as server, opened(server.url) as plugin:
        async with tts(plugin).synthesize(REST) as frames:
            await anext(aiter(frames))
        with trio.fail_after(10):
            await gone.wait()


async def test_a_warning_is_logged_and_the_sound_goes_on(
    opened: OpenPlugin, caplog: pytest.LogCaptureFixture
) -> None:
    told = '{"type":"Warning","code":"SYNTHESIS_RETRYING","description":"again"}'
    script = [accept, Hear(2), Say(told, b"ab", '{"type":"Flushed","sequence_id":0}')]
    async with open_websocket_server(script) as server, opened(server.url) as plugin:
        assert await sound(plugin, REQUEST) == b"ab"
    assert "deepgram: SYNTHESIS_RETRYING: again" in caplog.messages


async def test_the_voices_are_those_of_the_vendor(opened: OpenPlugin) -> None:
    async with open_http_server(rest) as server, opened(server.url) as plugin:
        assert [voice.id for voice in await tts(plugin).voices()] == sorted(VOICES)


# All goes wrong.


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ([Refuse(400)], ProviderRefused),
        ([Refuse(401)], ProviderRefused),
        ([Refuse(402)], ProviderRefused),
        ([Refuse(429, {"Retry-After": "3"})], ProviderBusy),
        ([Refuse(503)], ProviderUnavailable),
        ([accept, Hear(2), Say(b"ab"), Close(1000)], ProviderClosed),
        ([accept, Hear(2), Say(b"ab"), Close(1008, "DATA-0000")], ProviderRefused),
        ([accept, Hear(2), Say(b"ab"), Close(1011)], ProviderClosed),
        ([accept, Hear(2), Say(b"ab"), Close(1013)], ProviderBusy),
        ([accept, Hear(2), drop], ProviderClosed),
        ([accept, Hear(2), Say("what?")], ProviderProtocolError),
        ([accept, Hear(2), Say('{"type":"Error","code":"NET-0000"}')], ProviderClosed),
        ([accept, fall_silent], ProviderUnavailable),
        ([accept, Hear(2), Say(b"ab"), fall_silent], ProviderUnavailable),
    ],
)
async def test_what_goes_wrong_is_told_by_what_to_do(
    opened: OpenPlugin, script: list[Any], kind: type[ProviderError]
) -> None:
    async with (
        open_websocket_server(script) as server,
        opened(server.url, read_timeout=0.2) as plugin,
    ):
        with pytest.raises(ProviderError) as caught:
            await sound(plugin, REQUEST)
    assert type(caught.value) is kind
    assert KEY not in str(caught.value)
    assert len(server.peers) == 1


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (answer_json({"err_msg": "No such model."}, 400), ProviderRefused),
        (answer_json({"err_msg": "Who are you?"}, 401), ProviderRefused),
        (answer_json({"err_msg": "Slow down."}, 429, Retry_After="3"), ProviderBusy),
        (Answer(500), ProviderUnavailable),
        (Cut(b"ab"), ProviderClosed),
        (Stall(), ProviderUnavailable),
        (Stall(b"ab"), ProviderUnavailable),
    ],
)
async def test_and_by_rest(opened: OpenPlugin, reply: Any, kind: type[ProviderError]) -> None:
    async with (
        open_http_server(reply) as server,
        opened(server.url, read_timeout=0.2) as plugin,
    ):
        with pytest.raises(ProviderError) as caught:
            await sound(plugin, REST)
    assert type(caught.value) is kind
    assert len(server.requests) == 1


async def test_the_vendors_own_words_are_told(opened: OpenPlugin) -> None:
    reply = answer_json({"err_code": "Bad Request", "err_msg": "No such model."}, 400)
    async with open_http_server(reply) as server, opened(server.url) as plugin:
        with pytest.raises(ProviderRefused, match="No such model"):
            await sound(plugin, REST)


async def test_sound_that_comes_byte_by_byte_is_whole(opened: OpenPlugin) -> None:
    async def slow(peer: Peer) -> None:
        await dribble(peer)
        await Speak()(peer)

    request = attrs.evolve(REQUEST, text="Hi")
    async with open_websocket_server([slow]) as server, opened(server.url) as plugin:
        frames = await say(tts(plugin), request)
    assert b"".join(frame.data for frame in frames) == sound_of("Hi", {})


async def test_ten_megabytes_in_one_message_are_sound_too(opened: OpenPlugin) -> None:
    script = [accept, Hear(2), Say(bytes(10_000_000), '{"type":"Flushed","sequence_id":0}')]
    async with open_websocket_server(script) as server, opened(server.url) as plugin:
        assert len(await sound(plugin, REQUEST)) == 10_000_000


async def test_without_a_key_no_connection_is_made(opened: OpenPlugin) -> None:
    told = "Deepgram API key not configured in server environment"
    async with opened("http://127.0.0.1:1", None) as plugin:
        for asking in (sound(plugin, REQUEST), tts(plugin).voices()):
            with pytest.raises(ProviderRefused, match=told):
                await asking
