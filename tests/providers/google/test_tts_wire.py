"""What is asked of the synthesis, streamed and whole."""

from typing import Any

import attrs
import pytest

from capabilities import AudioFormat, Encoding, ProviderRefused, SpeechRequest
from providers.google.options import DEFAULT_VOICE, GoogleTTSOptions, Pronunciation
from providers.google.protobuf import decode
from providers.google.tts_messages import STREAMING_REQUEST
from providers.google.tts_wire import can_stream, resolve, streaming_messages, whole_body
from waav.speech.key import speech_key

CHIRP = SpeechRequest("Hello.", voice="de-DE-Chirp3-HD-Kore", language="de-DE")
FULL = GoogleTTSOptions(
    gender="female",
    custom_voice="projects/p/locations/global/models/m",
    reported_usage="realtime",
    voice_cloning_key="clone",
    prompt="Say it calmly.",
    speakers={"Ann": "Kore", "Bob": "Puck"},
    pronunciations=(Pronunciation("WaaV", "wɑːv"),),
    low_latency_journey=False,
    text_normalization=False,
    relax_safety_filters=True,
    safety={"harassment": "only_high", "hate_speech": "off"},
)


def with_options(**own: Any) -> SpeechRequest:
    return attrs.evolve(CHIRP, options=GoogleTTSOptions(**own))


def streamed(request: SpeechRequest) -> tuple[dict[str, Any], dict[str, Any]]:
    how, what = (decode(STREAMING_REQUEST, each) for each in streaming_messages(request))
    return how["streamingConfig"], what["input"]


def test_the_least() -> None:
    how, what = streamed(CHIRP)
    assert how == {
        "voice": {"languageCode": "de-DE", "name": "de-DE-Chirp3-HD-Kore"},
        "streamingAudioConfig": {"audioEncoding": "PCM", "sampleRateHertz": 24000},
    }
    assert what == {"text": "Hello."}
    assert whole_body(CHIRP) == {
        "input": {"text": "Hello."},
        "voice": {"languageCode": "de-DE", "name": "de-DE-Chirp3-HD-Kore"},
        "audioConfig": {"audioEncoding": "LINEAR16", "sampleRateHertz": 24000},
    }


def test_every_option_is_sent() -> None:
    request = attrs.evolve(
        CHIRP, text="Ann: Hi.\nHow are you?\nBob: Fine: yes.", speed=1.5, model="m", options=FULL
    )
    how, what = streamed(request)
    assert how["voice"] == {
        "languageCode": "de-DE",
        "name": "de-DE-Chirp3-HD-Kore",
        "ssmlGender": "FEMALE",
        "customVoice": {
            "model": "projects/p/locations/global/models/m",
            "reportedUsage": "REALTIME",
        },
        "voiceClone": {"voiceCloningKey": "clone"},
        "modelName": "m",
        "multiSpeakerVoiceConfig": {
            "speakerVoiceConfigs": [
                {"speakerAlias": "Ann", "speakerId": "Kore"},
                {"speakerAlias": "Bob", "speakerId": "Puck"},
            ]
        },
    }
    assert how["streamingAudioConfig"]["speakingRate"] == 1.5
    pronunciation = {
        "phrase": "WaaV",
        "phoneticEncoding": "PHONETIC_ENCODING_IPA",
        "pronunciation": "wɑːv",
    }
    assert how["customPronunciations"] == {"pronunciations": [pronunciation]}
    assert how["advancedVoiceOptions"] == {
        "lowLatencyJourneySynthesis": False,
        "enableTextnorm": False,
        "relaxSafetyFilters": True,
        "safetySettings": {
            "settings": [
                {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_ONLY_HIGH"},
                {"category": "HARM_CATEGORY_HATE_SPEECH", "threshold": "OFF"},
            ]
        },
    }
    assert what == {
        "multiSpeakerMarkup": {
            "turns": [
                {"speaker": "Ann", "text": "Hi.\nHow are you?"},
                {"speaker": "Bob", "text": "Fine: yes."},
            ]
        },
        "prompt": "Say it calmly.",
    }
    # Whole synthesis has the same parts in other places.
    body = whole_body(request)
    assert body["voice"] == how["voice"]
    assert body["advancedVoiceOptions"] == how["advancedVoiceOptions"]
    assert body["input"] == what | {"customPronunciations": how["customPronunciations"]}


@pytest.mark.pins("D117")
def test_pitch_volume_and_effects_are_within_reach() -> None:
    request = with_options(pitch=-3.5, volume_gain=6.0, effects=("telephony-class-application",))
    assert not can_stream(request)
    assert whole_body(request)["audioConfig"] == {
        "audioEncoding": "LINEAR16",
        "sampleRateHertz": 24000,
        "pitch": -3.5,
        "volumeGainDb": 6.0,
        "effectsProfileId": ["telephony-class-application"],
    }


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"pitch": 2.0}, ("pitch", 12.0)),
        ({"pitch": 0.5}, ("pitch", -12.0)),
        ({"pitch": 100.0}, ("pitch", 20.0)),
        ({"pitch": -1.0}, ("pitch", -20.0)),
        ({"volume": 0.1}, ("volumeGainDb", -20.0)),
        ({"volume": 0.0}, ("volumeGainDb", -96.0)),
    ],
)
def test_a_factor_becomes_semitones_or_decibels(
    asked: dict[str, Any], told: tuple[str, float]
) -> None:
    name, value = told
    assert whole_body(attrs.evolve(CHIRP, **asked))["audioConfig"][name] == pytest.approx(value)


@pytest.mark.pins("D119")
@pytest.mark.parametrize(
    "own", [{"pitch": 1.0}, {"volume_gain": 1.0}, {"effects": ("x",)}], ids=str
)
def test_what_changes_the_sound_changes_the_key(own: dict[str, Any]) -> None:
    assert speech_key("google", with_options(**own)) != speech_key("google", with_options())


@pytest.mark.pins("D118")
@pytest.mark.parametrize(
    ("voice", "language", "expected"),
    [
        pytest.param("de-DE-Wavenet-A", "fr-FR", ("de-DE-Wavenet-A", "fr-FR"), id="explicit"),
        pytest.param("cmn-CN-Wavenet-A", None, ("cmn-CN-Wavenet-A", "cmn-CN"), id="of-the-voice"),
        pytest.param("Kore", None, ("Kore", "en-US"), id="a-voice-of-all-languages"),
        pytest.param(None, "fr-FR", (None, "fr-FR"), id="by-language-alone"),
        pytest.param(None, "en-US", (DEFAULT_VOICE, "en-US"), id="default-of-that-language"),
        pytest.param(None, None, (DEFAULT_VOICE, "en-US"), id="nothing-said"),
    ],
)
def test_language(
    voice: str | None, language: str | None, expected: tuple[str | None, str]
) -> None:
    got = resolve(SpeechRequest("x", voice=voice, language=language), DEFAULT_VOICE)
    assert (got.voice, got.language) == expected


@pytest.mark.parametrize(
    ("request_", "able"),
    [
        pytest.param(CHIRP, True, id="chirp"),
        pytest.param(SpeechRequest("x", voice="Kore", model="gemini-tts"), True, id="gemini"),
        pytest.param(with_options(voice_cloning_key="k"), True, id="clone"),
        pytest.param(attrs.evolve(CHIRP, ssml=True), False, id="ssml"),
        pytest.param(attrs.evolve(CHIRP, volume=0.5), False, id="volume"),
        pytest.param(attrs.evolve(CHIRP, volume=1.0), True, id="volume-as-it-is"),
        pytest.param(attrs.evolve(CHIRP, voice="de-DE-Wavenet-A"), False, id="other-voice"),
        pytest.param(attrs.evolve(CHIRP, format=AudioFormat(Encoding.MP3, 24000)), False, id="mp3"),
        pytest.param(attrs.evolve(CHIRP, format=AudioFormat(Encoding.OGG, 24000)), True, id="ogg"),
    ],
)
def test_who_can_stream(request_: SpeechRequest, *, able: bool) -> None:
    assert can_stream(request_) is able


def test_ssml_and_markup() -> None:
    assert whole_body(attrs.evolve(CHIRP, ssml=True))["input"] == {"ssml": "Hello."}
    assert streamed(with_options(markup=True))[1] == {"markup": "Hello."}


def test_text_is_counted_in_bytes() -> None:
    assert whole_body(attrs.evolve(CHIRP, text="ä" * 2500))
    with pytest.raises(ProviderRefused, match="5000 bytes"):
        whole_body(attrs.evolve(CHIRP, text="ä" * 2501))


@pytest.mark.parametrize(
    "wrong", [{"pitch": 21}, {"volume_gain": 17}, {"effects": ("x",) * 11}], ids=str
)
def test_wrong_options_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        GoogleTTSOptions(**wrong)


def test_sound_that_google_does_not_make_is_refused() -> None:
    with pytest.raises(ProviderRefused):
        whole_body(attrs.evolve(CHIRP, format=AudioFormat(Encoding.AAC, 24000)))
