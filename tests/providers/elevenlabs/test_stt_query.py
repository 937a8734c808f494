"""What a recognition asks for, option by option."""

from typing import Any

import pytest

from capabilities import AudioFormat, Encoding, ProviderRefused, STTOptions
from providers.elevenlabs.options import ElevenLabsSTTOptions
from providers.elevenlabs.stt_query import query


def asked(own: ElevenLabsSTTOptions | None = None, **options: Any) -> dict[str, Any]:
    """The parameters that would be sent."""
    told = query(STTOptions(**options), own or ElevenLabsSTTOptions())
    return {name: value for name, value in told.items() if value not in (None, [], ())}


def test_a_plain_session_asks_for_little() -> None:
    assert asked() == {
        "model_id": "scribe_v2_realtime",
        "audio_format": "pcm_16000",
        "commit_strategy": "vad",
        "language_code": "en",
        "include_timestamps": True,
    }


@pytest.mark.pins("D065")
@pytest.mark.parametrize(
    ("audio", "name"),
    [
        (AudioFormat(Encoding.MULAW, 8000), "ulaw_8000"),
        (AudioFormat(Encoding.LINEAR16, 8000), "pcm_8000"),
        (AudioFormat(Encoding.LINEAR16, 48000), "pcm_48000"),
    ],
)
def test_the_format_follows_the_sound(audio: AudioFormat, name: str) -> None:
    assert asked(format=audio)["audio_format"] == name


@pytest.mark.pins("D008")
@pytest.mark.parametrize(
    "audio",
    [
        AudioFormat(Encoding.MULAW, 16000),
        AudioFormat(Encoding.LINEAR16, 11025),
        AudioFormat(Encoding.OPUS, 48000),
        AudioFormat(channels=2),
    ],
)
def test_sound_that_it_does_not_take_is_refused(audio: AudioFormat) -> None:
    with pytest.raises(ProviderRefused, match="does not take"):
        asked(format=audio)


@pytest.mark.pins("D013")
def test_every_option_is_sent() -> None:
    own = ElevenLabsSTTOptions(
        commit_strategy="manual",
        vad_silence_threshold_secs=0.7,
        vad_threshold=0.4,
        min_speech_duration_ms=100,
        min_silence_duration_ms=200,
        secondary_languages=("de-AT", "fr"),
        include_timestamps=False,
        include_language_detection=True,
        keyterms=("WaaV", "trio"),
        no_verbatim=True,
        entity_detection=("pii",),
        entity_redaction=("all",),
        entity_redaction_mode="redacted",
        filter_background_audio=True,
        enable_logging=False,
        token="once",
    )
    assert asked(own, model="scribe_v9", language="multi", keywords=("trio", "attrs")) == {
        "model_id": "scribe_v9",
        "audio_format": "pcm_16000",
        "commit_strategy": "manual",
        "vad_silence_threshold_secs": 0.7,
        "vad_threshold": 0.4,
        "min_speech_duration_ms": 100,
        "min_silence_duration_ms": 200,
        "secondary_languages": ["de", "fr"],
        "include_timestamps": False,
        "include_language_detection": True,
        "keyterms": ["WaaV", "trio", "attrs"],
        "no_verbatim": True,
        "entity_detection": ("pii",),
        "entity_redaction": ("all",),
        "entity_redaction_mode": "redacted",
        "filter_background_audio": True,
        "enable_logging": False,
        "token": "once",
    }
    edited = asked(ElevenLabsSTTOptions(transcript_edit="No slang."))
    assert edited["transcript_edit"] == "No slang."


@pytest.mark.parametrize(("asked_for", "sent"), [(0.1, 0.3), (0.5, 0.5), (9.0, 3.0)])
def test_the_sessions_endpointing_is_brought_within_bounds(asked_for: float, sent: float) -> None:
    assert asked(endpointing=asked_for)["vad_silence_threshold_secs"] == sent
    assert asked(filler_words=False)["no_verbatim"] is True


def test_keywords_that_it_cannot_take_are_left_out() -> None:
    words = ("x" * 21, *(f"word{number}" for number in range(60)))
    assert asked(keywords=words)["keyterms"] == [f"word{number}" for number in range(50)]
