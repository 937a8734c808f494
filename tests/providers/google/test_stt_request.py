"""What a recognition is configured with, option by option."""

from typing import Any

import attrs
import cattrs
import pytest

from capabilities import SPEECH, AudioFormat, Encoding, ProviderRefused, STTOptions
from providers.google.options import GoogleSTTOptions, Replacement
from providers.google.protobuf import decode
from providers.google.speech_messages import REQUEST
from providers.google.stt_request import start_message

NAME = "projects/p/locations/global/recognizers/_"


def asked(options: STTOptions) -> dict[str, Any]:
    message = decode(REQUEST, start_message(NAME, options))
    assert message["recognizer"] == NAME
    streaming: dict[str, Any] = message["streamingConfig"]
    return streaming


def test_the_least() -> None:
    assert asked(STTOptions()) == {
        "config": {
            "explicitDecodingConfig": {
                "encoding": "LINEAR16",
                "sampleRateHertz": 16000,
                "audioChannelCount": 1,
            },
            "model": "latest_long",
            "languageCodes": ["en-US"],
            "features": {"enableAutomaticPunctuation": True},
        },
        "streamingFeatures": {"interimResults": True},
    }


FULL = GoogleSTTOptions(
    languages=("de-DE",),
    single_utterance=True,
    speech_start_timeout=5.25,
    endpointing_sensitivity="supershort",
    min_speakers=2,
    max_speakers=4,
    word_confidence=True,
    spoken_punctuation=True,
    spoken_emojis=True,
    max_alternatives=3,
    custom_prompt="about ships",
    keyword_boost=10.0,
    phrase_sets=("projects/p/locations/global/phraseSets/s",),
    custom_classes={"ships": ("Aurora", "Beagle")},
    replacements=(Replacement("one", "1", case_sensitive=True),),
    translate_to="fr-FR",
    denoise=True,
    snr_threshold=20.0,
)


def test_every_option_is_sent() -> None:
    options = STTOptions(
        language="en-GB",
        model="chirp_3",
        profanity_filter=True,
        diarize=True,
        keywords=("WaaV",),
        options=FULL,
    )
    said = asked(options)
    config, features = said["config"], said["config"]["features"]
    assert config["model"] == "chirp_3"
    assert config["languageCodes"] == ["en-GB", "de-DE"]
    assert features == {
        "profanityFilter": True,
        "enableWordTimeOffsets": True,
        "enableWordConfidence": True,
        "enableAutomaticPunctuation": True,
        "enableSpokenPunctuation": True,
        "enableSpokenEmojis": True,
        "diarizationConfig": {"minSpeakerCount": 2, "maxSpeakerCount": 4},
        "maxAlternatives": 3,
        "customPromptConfig": {"customPrompt": "about ships"},
    }
    assert config["adaptation"] == {
        "phraseSets": [
            {"phraseSet": "projects/p/locations/global/phraseSets/s"},
            {"inlinePhraseSet": {"phrases": [{"value": "WaaV", "boost": 10.0}]}},
        ],
        "customClasses": [{"name": "ships", "items": [{"value": "Aurora"}, {"value": "Beagle"}]}],
    }
    assert config["transcriptNormalization"] == {
        "entries": [{"search": "one", "replace": "1", "caseSensitive": True}]
    }
    assert config["translationConfig"] == {"targetLanguage": "fr-FR"}
    assert config["denoiserConfig"] == {"denoiseAudio": True, "snrThreshold": 20.0}
    assert said["streamingFeatures"] == {
        "enableVoiceActivityEvents": True,
        "interimResults": True,
        "voiceActivityTimeout": {
            "speechStartTimeout": {"seconds": 5, "nanos": 250_000_000},
            "speechEndTimeout": {"seconds": 1},
        },
        "endpointingSensitivity": "ENDPOINTING_SENSITIVITY_SUPERSHORT",
    }


def test_no_option_is_without_effect() -> None:
    """Each changes the message alone, but for those that need another or are the address."""
    plain = STTOptions(diarize=True, keywords=("x",), format=AudioFormat(Encoding.OPUS))
    base = GoogleSTTOptions(denoise=True)
    elsewhere = {"location", "recognizer", "denoise"}
    changed = attrs.asdict(FULL, recurse=False) | {
        "voice_activity_events": True,
        "speech_end_timeout": 2.0,
        "encoding": "WEBM_OPUS",
    }
    start = start_message(NAME, attrs.evolve(plain, options=base))
    for field in attrs.fields(GoogleSTTOptions):
        if field.name not in elsewhere:
            one = attrs.evolve(base, **{field.name: changed[field.name]})
            assert start_message(NAME, attrs.evolve(plain, options=one)) != start, field.name


@pytest.mark.pins("D050")
@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        (Encoding.LINEAR16, "LINEAR16"),
        (Encoding.MULAW, "MULAW"),
        (Encoding.ALAW, "ALAW"),
        (Encoding.FLAC, "FLAC"),
        (Encoding.MP3, "MP3"),
        (Encoding.OGG, "OGG_OPUS"),
        (Encoding.OPUS, "OGG_OPUS"),
    ],
)
def test_the_real_encoding_is_sent(encoding: Encoding, name: str) -> None:
    said = asked(STTOptions(format=AudioFormat(encoding, 8000)))
    assert said["config"]["explicitDecodingConfig"]["encoding"] == name
    assert said["config"]["explicitDecodingConfig"]["sampleRateHertz"] == 8000


def test_a_wave_file_speaks_for_itself() -> None:
    said = asked(STTOptions(format=AudioFormat(Encoding.WAV)))
    assert said["config"]["autoDecodingConfig"] == {}
    assert "explicitDecodingConfig" not in said["config"]


def test_compressed_sound_may_be_named_by_the_session() -> None:
    own = GoogleSTTOptions(encoding="WEBM_OPUS")
    said = asked(STTOptions(format=AudioFormat(Encoding.OPUS, 48000), options=own))
    assert said["config"]["explicitDecodingConfig"]["encoding"] == "WEBM_OPUS"
    raw = asked(STTOptions(options=own))
    assert raw["config"]["explicitDecodingConfig"]["encoding"] == "LINEAR16"


@pytest.mark.pins("D008")
@pytest.mark.pins("D050")
@pytest.mark.parametrize(
    "audio",
    [
        AudioFormat(Encoding.AAC),
        attrs.evolve(SPEECH, sample_rate=7999),
        attrs.evolve(SPEECH, sample_rate=48001),
        attrs.evolve(SPEECH, channels=2),
    ],
)
def test_other_sound_is_refused(audio: AudioFormat) -> None:
    with pytest.raises(ProviderRefused):
        start_message(NAME, STTOptions(format=audio))


@pytest.mark.pins("D013")
def test_options_come_as_json() -> None:
    given = {
        "location": "eu",
        "languages": ["auto"],
        "replacements": [{"search": "a", "replace": "b"}],
        "custom_classes": {"x": ["y"]},
        "speech_end_timeout": 1,
    }
    own = cattrs.Converter(forbid_extra_keys=True).structure(given, GoogleSTTOptions)
    assert own.replacements == (Replacement("a", "b"),)
    assert own.languages == ("auto",)


@pytest.mark.parametrize(
    "wrong",
    [
        {"location": "evil.example/"},
        {"location": "Global"},
        {"recognizer": "../x"},
        {"languages": ("en US",)},
        {"speech_end_timeout": 0.1},
        {"max_alternatives": 31},
        {"keyword_boost": 21.0},
        {"min_speakers": 0},
    ],
)
def test_wrong_options_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        GoogleSTTOptions(**wrong)
