"""espeak as a plugin: understood by the local recogniser, cut into sentences, stopped at once."""

import numpy as np
import pytest
import soxr
import trio

from capabilities import (
    SPEECH,
    AudioFormat,
    AudioFrame,
    Capability,
    Encoding,
    Final,
    ProviderBusy,
    ProviderRefused,
    ProviderUnavailable,
    SpeechRequest,
    Transcript,
)
from providers.local import espeak, pocketsphinx
from providers.local.espeak import MANIFEST, SPEEDS, EspeakOptions, EspeakSettings, choose_manner
from providers.local.espeak_library import EspeakError, EspeakLibrary, Manner, espeak_library
from waav.testing import check_plugin, hear, open_manifest, say

NATIVE = AudioFormat(Encoding.LINEAR16, 22050)
DEFAULT = Manner("gmw/en-US+edward")


@pytest.fixture(scope="module")
def library() -> EspeakLibrary:
    return espeak_library()


def manner(request: SpeechRequest, settings: EspeakSettings | None = None) -> Manner:
    return choose_manner(request, settings or EspeakSettings(), espeak_library().voices)


def sound_of(frames: list[AudioFrame]) -> bytes:
    return b"".join(frame.data for frame in frames)


def texts(said: list[Transcript]) -> list[str]:
    return [each.text for each in said if isinstance(each, Final)]


async def test_the_plugin_passes_the_suite() -> None:
    await check_plugin(MANIFEST)


async def test_the_local_recogniser_understands_it() -> None:
    async with (
        open_manifest(MANIFEST) as mouth,
        open_manifest(
            pocketsphinx.MANIFEST, pocketsphinx.PocketsphinxSettings(concurrency=1)
        ) as ear,
    ):
        assert mouth.tts is not None
        assert ear.stt is not None
        # Many words, because its consonants are noise that depends on all it has said before.
        text = "one two three four five six seven eight nine ten"
        frames = await say(mouth.tts, SpeechRequest(text))
        samples = np.frombuffer(sound_of(frames), np.int16)
        heard = soxr.resample(samples, frames[0].format.sample_rate, SPEECH.sample_rate)
        assert texts(await hear(ear.stt, AudioFrame(heard.tobytes()))) == [text]


async def test_frames_say_what_they_are_whatever_was_asked_for() -> None:
    async with open_manifest(MANIFEST) as plugin:
        assert plugin.tts is not None
        wish = AudioFormat(Encoding.MULAW, 8000)
        frames = await say(plugin.tts, SpeechRequest("Hello.", format=wish))
        assert {frame.format for frame in frames} == {NATIVE}
        assert max(frame.duration for frame in frames) <= 0.1


async def test_leaving_stops_within_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text of a hundred sentences, left after the first frame."""
    said: list[str] = []
    real = EspeakLibrary.say

    def counting(self: EspeakLibrary, text: str, *rest: object) -> bytes:
        said.append(text)
        return real(self, text, *rest)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(EspeakLibrary, "say", counting)
    async with open_manifest(MANIFEST) as plugin:
        assert plugin.tts is not None
        async with plugin.tts.synthesize(SpeechRequest("Hello there. " * 100)) as frames:
            assert (await anext(aiter(frames))).data
    assert said == ["Hello there."]


def test_the_library_stops_in_the_middle_when_asked(library: EspeakLibrary) -> None:
    text = "a very long sentence that goes on and on and on"
    whole = library.say(text, DEFAULT, lambda: False)
    part = library.say(text, DEFAULT, lambda: True)
    assert 0 < len(part) < len(whole) / 4
    again = library.say(text, DEFAULT, lambda: False)
    assert len(again) == len(whole), "nothing of it is left for the next one"


async def test_a_cancelled_request_asks_the_library_to_stop() -> None:
    """The worker thread sees that the task which waits for it was cancelled."""
    stopped: list[bool] = []

    def work() -> None:
        stopped.append(espeak._is_cancelled())
        trio.from_thread.run_sync(scope.cancel)
        stopped.append(espeak._is_cancelled())

    with trio.CancelScope() as scope:
        await trio.to_thread.run_sync(work)
    assert stopped == [False, True]


async def test_the_limit_counts_requests() -> None:
    async with open_manifest(MANIFEST, EspeakSettings(concurrency=1)) as plugin:
        assert plugin.tts is not None
        async with plugin.tts.synthesize(SpeechRequest("one")):
            with pytest.raises(ProviderBusy, match="all 1 places"):
                await say(plugin.tts, SpeechRequest("two"))
        assert await say(plugin.tts, SpeechRequest("three"))


async def test_voices_are_those_of_the_library() -> None:
    async with open_manifest(MANIFEST) as plugin:
        assert plugin.tts is not None
        voices = {voice.id: voice for voice in await plugin.tts.voices()}
    assert len(voices) > 100
    assert voices["en-US"].language == "en-US"
    assert voices["en-US"].name == "English (America)"
    assert voices["en"].language == "en-GB"
    assert voices["de"].gender == "Male"


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        pytest.param(SpeechRequest(""), DEFAULT, id="default"),
        pytest.param(SpeechRequest("", language="en-US"), DEFAULT, id="own-language"),
        pytest.param(SpeechRequest("", language="de-AT"), Manner("gmw/de"), id="main-language"),
        pytest.param(SpeechRequest("", language="en-GB"), Manner("gmw/en"), id="first-choice"),
        pytest.param(SpeechRequest("", language="pt_BR"), Manner("roa/pt-BR"), id="underscore"),
        pytest.param(SpeechRequest("", language="zh-CN"), Manner("sit/cmn"), id="second-tag"),
        pytest.param(SpeechRequest("", voice="DE"), Manner("gmw/de"), id="any-case"),
        pytest.param(SpeechRequest("", voice="de+F3"), Manner("gmw/de+f3"), id="variant"),
        pytest.param(
            SpeechRequest("", voice="de", options=EspeakOptions(variant="whisper")),
            Manner("gmw/de+whisper"),
            id="variant-of-options",
        ),
        pytest.param(
            SpeechRequest("", voice="de+f3", options=EspeakOptions(variant="whisper")),
            Manner("gmw/de+f3"),
            id="the-voice-wins",
        ),
        pytest.param(
            SpeechRequest("", options=EspeakOptions(variant="m3")),
            Manner("gmw/en-US+m3"),
            id="variant-of-default",
        ),
        pytest.param(
            SpeechRequest("", speed=2, pitch=0.5, volume=0.5),
            Manner("gmw/en-US+edward", 340, 25, 50),
            id="numbers",
        ),
        pytest.param(
            SpeechRequest("", speed=9, pitch=9, volume=9),
            Manner("gmw/en-US+edward", 450, 99, 200),
            id="highest",
        ),
        pytest.param(
            SpeechRequest("", speed=0.01, pitch=-1, volume=-1),
            Manner("gmw/en-US+edward", 80, 0, 0),
            id="lowest",
        ),
    ],
)
def test_what_a_request_becomes(request_: SpeechRequest, expected: Manner) -> None:
    assert manner(request_) == expected


@pytest.mark.parametrize("speed", SPEEDS)
def test_the_manifest_names_the_speeds_that_are_spoken(speed: float) -> None:
    assert MANIFEST.abilities[Capability.TTS].speeds == SPEEDS
    assert manner(SpeechRequest("", speed=speed)).rate == round(170 * speed)
    beyond = speed * (1.1 if speed > 1 else 0.9)
    assert manner(SpeechRequest("", speed=beyond)) == manner(SpeechRequest("", speed=speed))


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (SpeechRequest("", voice="en-usa"), r"no voice 'en-usa'; near are .*en-us"),
        (SpeechRequest("", voice="de+edwart"), r"no variant 'edwart'; near are .*edward"),
        (SpeechRequest("", voice="../../etc/passwd"), r"no voice"),
        (SpeechRequest("", language="qq"), r"no voice speaks 'qq'"),
    ],
)
def test_a_voice_that_is_not_there_is_refused(request_: SpeechRequest, message: str) -> None:
    with pytest.raises(ProviderRefused, match=message):
        manner(request_)


async def test_a_model_is_refused() -> None:
    async with open_manifest(MANIFEST) as plugin:
        assert plugin.tts is not None
        with pytest.raises(ProviderRefused, match="no models"):
            await say(plugin.tts, SpeechRequest("hi", model="turbo"))


async def test_a_wrong_voice_in_the_settings_is_told_at_the_start() -> None:
    with pytest.raises(ProviderRefused, match=r"in the settings: no voice 'klingon'"):
        async with open_manifest(MANIFEST, EspeakSettings(voice="klingon")):
            pass


def test_the_library_says_what_it_cannot_do(library: EspeakLibrary) -> None:
    with pytest.raises(EspeakError, match="no such voice"):
        library.say("hi", Manner("nobody"), lambda: False)


async def test_a_fault_of_the_library_is_an_error_of_the_provider(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> bytes:
        raise EspeakError("could not say the text (code 1)")

    monkeypatch.setattr(EspeakLibrary, "say", fail)
    async with open_manifest(MANIFEST) as plugin:
        assert plugin.tts is not None
        with pytest.raises(ProviderUnavailable, match="could not say"):
            await say(plugin.tts, SpeechRequest("hi"))


def test_speed_and_volume_are_heard(library: EspeakLibrary) -> None:
    slow = library.say("hello world", Manner("gmw/en", rate=100), lambda: False)
    fast = library.say("hello world", Manner("gmw/en", rate=300), lambda: False)
    loud = library.say("hello world", Manner("gmw/en", volume=200), lambda: False)
    soft = library.say("hello world", Manner("gmw/en", volume=20), lambda: False)
    assert len(fast) < len(slow) / 2
    assert np.abs(np.frombuffer(soft, np.int16)).max() < np.frombuffer(loud, np.int16).max() / 4
