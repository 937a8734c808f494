"""Recognition against a Google on loopback that really hears, and fails as it is told."""

import json
from typing import Any

import attrs
import pytest
import trio
from support.servers.certificates import Authority
from support.servers.google import (
    Call,
    dropping,
    final,
    recognise,
    recognise_until,
    refusing,
    silent,
)
from support.stt_vendor import place, spoken

from capabilities import (
    SPEECH,
    AudioFormat,
    AudioFrame,
    Encoding,
    Final,
    Plugin,
    ProviderClosed,
    ProviderRefused,
    ProviderUnavailable,
    Secret,
    STTOptions,
    Transcript,
)
from providers.google import MANIFEST, stt
from providers.google.options import GoogleSTTOptions
from waav.testing import check_stt, hear

WORDED = STTOptions(word_timestamps=True)


def words(said: list[Transcript]) -> list[str]:
    return [each.text for each in said if isinstance(each, Final)]


async def hear_words(plugin: Plugin, count: int, options: STTOptions = WORDED) -> list[Transcript]:
    assert plugin.stt is not None
    return await hear(plugin.stt, AudioFrame(spoken(count)), options)


async def test_the_contract(open_house: Any) -> None:
    stereo = AudioFormat(channels=2)
    refused = [
        STTOptions(format=AudioFormat(Encoding.AAC)),
        STTOptions(format=attrs.evolve(SPEECH, sample_rate=48001)),
        STTOptions(format=stereo),
    ]
    async with open_house() as house:
        await check_stt(
            house.plugin.stt,
            MANIFEST.abilities["stt"],
            options=WORDED,
            sound=AudioFrame(spoken(4)),
            text="0 1 2 3",
            refused=refused,
            cancels=25,
        )
        with trio.fail_after(5):
            for call in house.google.calls:
                await call.left.wait()


async def test_words_come_with_their_times(open_house: Any) -> None:
    async with open_house() as house:
        said = await hear_words(house.plugin, 3)
    finals = [each for each in said if isinstance(each, Final)]
    assert words(said) == ["0", "1", "2"]
    told = [(round(word.start, 6), round(word.end, 6)) for each in finals for word in each.words]
    assert told == [place(number) for number in range(3)]
    assert finals[0].confidence == 0.5


@pytest.mark.pins("D051")
async def test_recognizer_and_location_go_into_the_request(open_house: Any) -> None:
    own = GoogleSTTOptions(recognizer="mine")
    async with open_house(location="eu") as house:
        await hear_words(house.plugin, 1, STTOptions(options=own))
        call = house.google.calls[0]
    assert call.sent[0]["recognizer"] == "projects/acme-project/locations/eu/recognizers/mine"
    assert "audio" not in call.sent[0]
    assert all(set(message) == {"audio"} for message in call.sent[1:])


async def test_calls_carry_the_token(open_house: Any) -> None:
    async with open_house() as house:
        await hear_words(house.plugin, 1)
        assert house.google.calls[0].metadata["authorization"] == "Bearer made-up"
        assert house.google.calls[0].method == "/google.cloud.speech.v2.Speech/StreamingRecognize"


async def test_no_message_is_above_15_kb(open_house: Any) -> None:
    """Also at 48 kHz, where a quarter of a second has 24 KB."""
    loud = AudioFormat(sample_rate=48000)
    sound = AudioFrame(b"\x10\x10" * 48000, loud)
    async with open_house() as house:
        await hear(house.plugin.stt, sound, STTOptions(format=loud), step=1.0)
        sent = house.google.calls[0].sent[1:]
    assert max(len(message["audio"]) for message in sent) <= 15 * 1024
    assert b"".join(message["audio"] for message in sent) == sound.data


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(16, id="UNAUTHENTICATED"),
        pytest.param(7, id="PERMISSION_DENIED"),
        pytest.param(3, id="INVALID_ARGUMENT"),
    ],
)
async def test_what_google_refuses_at_once_is_told_once(open_house: Any, code: int) -> None:
    async with open_house(refusing(code, "no")) as house:
        with pytest.raises(ProviderRefused):
            await hear_words(house.plugin, 4)
        assert len(house.google.calls) == 1


async def test_a_busy_google_is_asked_again_after_its_pause(open_house: Any) -> None:
    pushback = ("grpc-retry-pushback-ms", "700")
    async with open_house(refusing(8, "quota", pushback), recognise) as house:
        start = trio.current_time()
        assert words(await hear_words(house.plugin, 3)) == ["0", "1", "2"]
        assert trio.current_time() - start >= 0.7


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(dropping, id="reset"),
        pytest.param(refusing(14, "going away"), id="UNAVAILABLE"),
        pytest.param(refusing(11, "Exceeded maximum allowed stream duration"), id="OUT_OF_RANGE"),
        pytest.param(refusing(10, "no audio for too long"), id="ABORTED"),
        pytest.param(lambda call: call.break_off(), id="RST_STREAM"),
        pytest.param(lambda call: call.trail(), id="OK-too-early"),
    ],
)
async def test_a_break_in_mid_utterance_costs_no_word(open_house: Any, fault: Any) -> None:
    """The next connection hears again what no final has settled; nothing comes twice."""

    async with open_house(recognise_until(4, fault), recognise) as house:
        said = await hear_words(house.plugin, 6)
        assert len(house.google.calls) == 2
    assert words(said) == ["0", "1", "2", "3", "4", "5"]


async def test_one_byte_at_a_time(open_house: Any) -> None:
    async with open_house(dribble=True) as house:
        assert words(await hear_words(house.plugin, 2)) == ["0", "1"]


async def test_garbage_in_a_message(open_house: Any) -> None:
    async def garble(call: Call) -> None:
        await call.message()
        await call.say_raw(b"\xff\xff\xff")
        await trio.sleep_forever()

    async with open_house(garble, recognise) as house:
        assert words(await hear_words(house.plugin, 2)) == ["0", "1"]
        assert len(house.google.calls) == 2


async def test_a_message_of_10_mb(open_house: Any) -> None:
    """It is never held: its size is known from its first bytes."""

    async def flood(call: Call) -> None:
        await call.message()
        await call.say_raw(bytes(10 * 1024 * 1024))

    async with open_house(flood, recognise) as house:
        assert words(await hear_words(house.plugin, 2)) == ["0", "1"]
        assert len(house.google.calls) == 2


async def test_never_a_final(open_house: Any) -> None:
    """Speech without last words ends in an error and not in a hang."""
    async with open_house(silent) as house:
        with trio.fail_after(20), pytest.raises((ProviderClosed, ProviderUnavailable)):
            await hear_words(house.plugin, 2)


async def test_nobody_there(open_house: Any) -> None:
    async with open_house(connect_timeout=2.0) as house:
        stt = attrs.evolve(
            house.plugin.stt,
            network=attrs.evolve(
                house.plugin.stt._network,
                settings=attrs.evolve(
                    house.plugin.stt._network.settings, base_url="http://127.0.0.1:9"
                ),
            ),
        )
        with pytest.raises(ProviderUnavailable):
            await hear(stt, AudioFrame(spoken(1)))


async def test_a_call_is_followed_by_another_one_before_google_ends_it(
    open_house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five minutes are a second and a half here, and who speaks pauses behind every other word."""
    pause, ended = bytes(SPEECH.size(1.2)), list[Call]()
    sound = b"".join(spoken(2, first) + pause for first in range(0, 24, 2))

    async def limited(call: Call) -> None:
        with trio.move_on_after(1.5) as limit:
            await recognise(call)
        if limit.cancelled_caught:
            ended.append(call)
            await call.refuse(11, "Exceeded maximum allowed stream duration")

    policy = attrs.evolve(stt.POLICY, longest_session=0.6, margin=0.4, pace=6.0)
    monkeypatch.setattr(stt, "POLICY", policy)
    async with open_house(limited) as house:
        with trio.fail_after(20):
            said = await hear(house.plugin.stt, AudioFrame(sound), WORDED)
        assert len(house.google.calls) > 2
        with trio.fail_after(5):
            for call in house.google.calls:
                await call.left.wait()
    finals = [each for each in said if isinstance(each, Final)]
    assert words(said) == [str(number) for number in range(24)]
    starts = [word.start for each in finals for word in each.words]
    assert starts == pytest.approx([place(n)[0] + n // 2 * 1.2 for n in range(24)])
    assert ended == []


async def test_an_authority_of_the_operators_own_is_trusted(
    open_house: Any, authority: Authority
) -> None:
    async with open_house(tls=authority.server(), ca_file=authority.file) as house:
        assert house.google.url.startswith("https://")
        assert words(await hear_words(house.plugin, 2)) == ["0", "1"]


@pytest.mark.parametrize("names", [(), ("speech.example",)], ids=["unknown", "another-host"])
async def test_a_certificate_that_is_not_trusted_is_told_in_clear_words(
    open_house: Any, authority: Authority, names: tuple[str, ...]
) -> None:
    settings = {"ca_file": authority.file} if names else {}
    async with open_house(tls=authority.server(*names), **settings) as house:
        with pytest.raises(ProviderUnavailable, match="its certificate is not trusted") as caught:
            await hear_words(house.plugin, 1)
    assert type(caught.value) is ProviderUnavailable
    assert house.google.calls == []


@pytest.mark.pins("D049")
async def test_a_single_utterance_ends_the_turn(open_house: Any) -> None:
    """Google closes the call when its timeout fires: the turn ends, and the stream goes on."""

    async def first(call: Call) -> None:
        came = 0
        while (message := await call.message()) is not None:
            came += len(message.get("audio", b""))
            if came > SPEECH.size(0.2):
                await call.say(speechEventType="SPEECH_ACTIVITY_BEGIN")
                await call.say(speechEventType="SPEECH_ACTIVITY_END")
                await call.say(results=[final("0", 0.0, 0.2)])
                await call.trail()
                return

    own = GoogleSTTOptions(single_utterance=True, speech_end_timeout=0.75)
    async with open_house(first, recognise) as house:
        said = await hear_words(house.plugin, 4, attrs.evolve(WORDED, options=own))
        features = house.google.calls[0].sent[0]["streamingConfig"]["streamingFeatures"]
    assert features["enableVoiceActivityEvents"] is True
    assert features["voiceActivityTimeout"]["speechEndTimeout"]["nanos"] == 750_000_000
    finals = [each for each in said if isinstance(each, Final)]
    assert [(each.text, each.speech_final) for each in finals] == [
        ("0", True),
        ("1", False),
        ("2", False),
        ("3", False),
    ]


@pytest.mark.pins("D014")
async def test_a_session_may_bring_its_own_account(
    open_house: Any, account: dict[str, str]
) -> None:
    other = json.dumps(account | {"project_id": "other-project"})
    async with open_house() as house:
        await hear_words(house.plugin, 1, STTOptions(api_key=Secret(other)))
        name = house.google.calls[0].sent[0]["recognizer"]
    assert name == "projects/other-project/locations/global/recognizers/_"


async def test_leaving_ends_the_call_at_google(open_house: Any) -> None:
    heard = trio.Event()

    async def play(call: Call) -> None:
        await call.message()
        heard.set()
        await silent(call)

    async with open_house(play) as house:
        async with house.plugin.stt.connect(STTOptions()) as stream:
            await stream.send(AudioFrame(spoken(1)))
            await heard.wait()
        with trio.fail_after(2):
            await house.google.calls[0].gone.wait()
