"""Synthesis against a Google on loopback: streamed, whole, and what goes wrong."""

from typing import Any

import attrs
import pytest
import trio
from support.servers import google as far
from support.servers.certificates import Authority
from support.servers.google import SPOKEN, Call, refusing

from capabilities import (
    AudioFormat,
    AudioFrame,
    Encoding,
    ProviderBusy,
    ProviderClosed,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderUnavailable,
    SpeechRequest,
)
from providers.google import MANIFEST
from waav.testing import check_tts, say

HELLO = SpeechRequest("Hello.")
WHOLE = SpeechRequest("Hello.", voice="de-DE-Standard-A")


async def test_the_contract_streamed(open_house: Any) -> None:
    async with open_house(far.synthesise) as house:
        await check_tts(house.plugin.tts, MANIFEST.abilities["tts"], request=HELLO, cancels=25)


async def test_the_contract_whole(open_house: Any) -> None:
    async with open_house(far.synthesise) as house:
        await check_tts(house.plugin.tts, MANIFEST.abilities["tts"], request=WHOLE, cancels=25)


@pytest.mark.pins("D082")
async def test_sound_that_comes_before_anybody_listens_is_heard_all_the_same(
    open_house: Any,
) -> None:
    sent = trio.Event()

    async def play(call: Call) -> None:
        await far.synthesise(call)
        sent.set()

    async with open_house(play) as house, house.plugin.tts.synthesize(HELLO) as frames:
        with trio.fail_after(5):
            await sent.wait()
        assert b"".join([frame.data async for frame in frames]) == SPOKEN


async def test_over_tls(open_house: Any, authority: Authority) -> None:
    async with open_house(far.synthesise, tls=authority.server(), ca_file=authority.file) as house:
        assert b"".join([each.data for each in await say(house.plugin.tts, HELLO)]) == SPOKEN
    async with open_house(far.synthesise, tls=authority.server()) as house:
        with pytest.raises(ProviderUnavailable, match="its certificate is not trusted"):
            await say(house.plugin.tts, HELLO)


async def test_sound_comes_whole_and_in_order(open_house: Any) -> None:
    async with open_house(far.synthesise) as house:
        for request in (HELLO, WHOLE):
            frames = await say(house.plugin.tts, request)
            assert b"".join(frame.data for frame in frames) == SPOKEN
        assert [call.sent[1]["input"] for call in house.google.calls] == [{"text": "Hello."}]
        assert [each.target for each in house.rest.requests] == ["/token", "/v1/text:synthesize"]


@pytest.mark.pins("D120")
async def test_the_rate_is_what_google_says(open_house: Any) -> None:
    async with open_house(far.synthesise, rate=16000) as house:
        frames = await say(house.plugin.tts, WHOLE)
    assert {frame.format for frame in frames} == {AudioFormat(Encoding.LINEAR16, 16000)}


async def test_first_sound_comes_before_the_last_is_made(open_house: Any) -> None:
    rest = trio.Event()

    async def play(call: Call) -> None:
        await call.message()
        await call.say(audioContent=b"12")
        await rest.wait()
        await call.say(audioContent=b"34")
        await call.trail()

    async with open_house(play) as house, house.plugin.tts.synthesize(HELLO) as frames:
        first = await anext(aiter(frames))
        rest.set()
        more = [frame async for frame in frames]
    assert [each.data for each in (first, *more)] == [b"12", b"34"]


async def test_leaving_stops_google(open_house: Any) -> None:
    async def play(call: Call) -> None:
        await call.message()
        await call.say(audioContent=b"12")
        await trio.sleep_forever()

    async with open_house(play) as house:
        async with house.plugin.tts.synthesize(HELLO) as frames:
            await anext(aiter(frames))
        with trio.fail_after(2):
            await house.google.calls[0].gone.wait()


async def test_ten_requests_share_one_connection(open_house: Any) -> None:
    async with open_house(far.synthesise) as house:
        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(say, house.plugin.tts, HELLO)
        assert len(house.google.calls) == 10
        assert house.google.connections == 1
        assert [each.target for each in house.rest.requests] == ["/token"]


async def test_another_connection_is_made_when_one_has_broken(open_house: Any) -> None:
    async with open_house(far.dropping, far.synthesise) as house:
        with pytest.raises(ProviderUnavailable):
            await say(house.plugin.tts, HELLO)
        assert await say(house.plugin.tts, HELLO)


@pytest.mark.parametrize(
    ("play", "error"),
    [
        pytest.param(refusing(16, "bad token"), ProviderRefused, id="UNAUTHENTICATED"),
        pytest.param(refusing(3, "bad voice"), ProviderRefused, id="INVALID_ARGUMENT"),
        pytest.param(refusing(8, "quota"), ProviderBusy, id="RESOURCE_EXHAUSTED"),
        pytest.param(refusing(14, "down"), ProviderUnavailable, id="UNAVAILABLE"),
        pytest.param(far.dropping, ProviderUnavailable, id="reset"),
        pytest.param(far.silent, ProviderUnavailable, id="silence"),
    ],
)
async def test_what_goes_wrong_is_told_where_the_request_is_made(
    open_house: Any, play: far.Play, error: type[ProviderError]
) -> None:
    async with open_house(play, read_timeout=1.0) as house:
        with pytest.raises(error):
            async with house.plugin.tts.synthesize(HELLO):
                pytest.fail("nothing to hear")
        assert len(house.google.calls) == 1


async def test_a_break_in_the_middle(open_house: Any) -> None:
    async def play(call: Call) -> None:
        await call.message()
        await call.say(audioContent=b"1234")
        await call.refuse(14, "down")

    got: list[AudioFrame] = []
    async with open_house(play) as house:
        with pytest.raises(ProviderClosed):
            async with house.plugin.tts.synthesize(HELLO) as frames:
                async for frame in frames:
                    got.append(frame)  # noqa: PERF401 - what came before the error counts
    assert [frame.data for frame in got] == [b"1234"]


async def test_a_message_of_10_mb(open_house: Any) -> None:
    async def flood(call: Call) -> None:
        await call.message()
        await call.say_raw(bytes(10 * 1024 * 1024))

    async with open_house(flood) as house:
        with pytest.raises(ProviderProtocolError):
            await say(house.plugin.tts, HELLO)


async def test_one_byte_at_a_time(open_house: Any) -> None:
    async def play(call: Call) -> None:
        await call.message()
        await call.say(audioContent=SPOKEN[:500])
        await call.trail()

    async with open_house(play, dribble=True) as house:
        frames = await say(house.plugin.tts, HELLO)
    assert b"".join(frame.data for frame in frames) == SPOKEN[:500]


async def test_the_voices(open_house: Any) -> None:
    async with open_house() as house:
        voices = await house.plugin.tts.voices()
        asked = house.rest.requests[-1]
    assert [(each.id, each.language, each.gender) for each in voices] == [
        ("de-DE-Standard-A", "de-DE", "Male"),
        ("en-US-Chirp3-HD-Kore", "en-US", "Female"),
    ]
    assert asked.headers["authorization"] == "Bearer made-up"


async def test_g711_is_asked_for_as_such(open_house: Any) -> None:
    phone = attrs.evolve(HELLO, format=AudioFormat(Encoding.MULAW, 8000))
    async with open_house(far.synthesise) as house:
        frames = await say(house.plugin.tts, phone)
        config = house.google.calls[0].sent[0]["streamingConfig"]["streamingAudioConfig"]
    assert config == {"audioEncoding": "MULAW", "sampleRateHertz": 8000}
    assert {frame.format for frame in frames} == {phone.format}
