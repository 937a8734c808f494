"""Requests for speech and what comes back, without a network."""

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capabilities import (
    AudioFormat,
    Delivery,
    Emotion,
    Encoding,
    Feeling,
    ProviderClosed,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    SpeechRequest,
)
from providers.elevenlabs.options import (
    FORMATS,
    AudioEffects,
    ElevenLabsTTSOptions,
    Pronunciations,
)
from providers.elevenlabs.tts_wire import (
    ENCODINGS,
    RATES,
    Piece,
    Speech,
    choose_format,
    decode,
    read_format,
)

PCM = AudioFormat(Encoding.LINEAR16, 24000)
PLAIN = ElevenLabsTTSOptions()


def speech(text: str = "Hello.", own: ElevenLabsTTSOptions | None = None, **more: Any) -> Speech:
    return Speech.of(SpeechRequest(text, options=own, **more), "alice")


def sent(parameters: Any) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value is not None}


def test_a_plain_request_says_no_more_than_it_must() -> None:
    """The settings of a voice are its owner's, so nothing is sent that nobody has asked for."""
    assert speech().http_body() == {"text": "Hello.", "model_id": "eleven_flash_v2_5"}
    assert sent(speech().http_query()) == {"output_format": "pcm_24000"}
    assert [json.loads(each) for each in speech().socket_messages()] == [
        {"text": " "},
        {"text": "Hello. "},
        {"text": ""},
    ]


def test_what_the_request_says_is_sent() -> None:
    asked = speech(voice="bob", model="eleven_v3", language="de-AT", speed=1.1)
    assert asked.voice == "bob"
    assert asked.http_body() == {
        "text": "Hello.",
        "model_id": "eleven_v3",
        "language_code": "de",
        "voice_settings": {"speed": 1.1},
    }
    assert sent(asked.socket_query()) == {
        "model_id": "eleven_v3",
        "output_format": "pcm_24000",
        "language_code": "de",
    }


def test_the_multilingual_model_is_not_told_the_language() -> None:
    asked = speech(model="eleven_multilingual_v2", language="de")
    assert "language_code" not in asked.http_body()


@pytest.mark.parametrize(("speed", "told"), [(0.25, 0.7), (2.0, 1.2)])
def test_a_speed_beyond_the_vendors_becomes_the_nearest(speed: float, told: float) -> None:
    assert speech(speed=speed).http_body()["voice_settings"] == {"speed": told}


def test_a_feeling_turns_the_knobs_and_the_sessions_own_knobs_count_more() -> None:
    feeling = Feeling(Emotion.HAPPY, 0.5, Delivery.NORMAL)
    own = ElevenLabsTTSOptions(stability=0.9, use_speaker_boost=True)
    assert speech(feeling=feeling, own=own).http_body()["voice_settings"] == {
        "stability": 0.9,
        "similarity_boost": 0.75,
        "style": 0.3,
        "use_speaker_boost": True,
    }


def test_every_option_goes_over_http() -> None:
    own = ElevenLabsTTSOptions(
        stability=0.0,
        similarity_boost=0.2,
        style=0.3,
        use_speaker_boost=False,
        output_format="mp3_44100_192",
        enable_logging=False,
        seed=0,
        apply_text_normalization="off",
        apply_language_text_normalization=False,
        pronunciation_dictionary_locators=(
            Pronunciations(pronunciation_dictionary_id="d", version_id="v"),
        ),
        optimize_streaming_latency=0,
        previous_text="before",
        next_text="after",
        previous_request_ids=("a",),
        next_request_ids=("b",),
        use_pvc_as_ivc=False,
        audio_effects=AudioEffects(filter_preset_id="phone", pan=0.0),
    )
    asked = speech(own=own)
    assert sent(asked.http_query()) == {
        "output_format": "mp3_44100_192",
        "optimize_streaming_latency": 0,
        "enable_logging": False,
    }
    assert asked.http_body() == {
        "text": "Hello.",
        "model_id": "eleven_flash_v2_5",
        "voice_settings": {
            "stability": 0.0,
            "similarity_boost": 0.2,
            "style": 0.3,
            "use_speaker_boost": False,
        },
        "pronunciation_dictionary_locators": (
            [{"pronunciation_dictionary_id": "d", "version_id": "v"}]
        ),
        "seed": 0,
        "previous_text": "before",
        "next_text": "after",
        "previous_request_ids": ("a",),
        "next_request_ids": ("b",),
        "use_pvc_as_ivc": False,
        "apply_text_normalization": "off",
        "apply_language_text_normalization": False,
        "audio_effects": {"filter_preset_id": "phone", "pan": 0.0},
    }


def test_every_option_goes_over_a_websocket() -> None:
    own = ElevenLabsTTSOptions(
        transport="websocket",
        enable_logging=False,
        enable_ssml_parsing=True,
        inactivity_timeout=30,
        sync_alignment=True,
        auto_mode=True,
        apply_text_normalization="on",
        apply_language_text_normalization=True,
        seed=7,
        single_use_token="once",
        chunk_length_schedule=(50, 120),
        pronunciation_dictionary_locators=(Pronunciations(pronunciation_dictionary_id="d"),),
        style=0.4,
    )
    asked = speech(own=own)
    assert sent(asked.socket_query()) == {
        "model_id": "eleven_flash_v2_5",
        "output_format": "pcm_24000",
        "enable_logging": False,
        "enable_ssml_parsing": True,
        "inactivity_timeout": 30,
        "sync_alignment": True,
        "auto_mode": True,
        "apply_text_normalization": "on",
        "apply_language_text_normalization": True,
        "seed": 7,
        "single_use_token": "once",
    }
    assert json.loads(asked.socket_messages()[0]) == {
        "text": " ",
        "voice_settings": {"style": 0.4},
        "generation_config": {"chunk_length_schedule": [50, 120]},
        "pronunciation_dictionary_locators": [{"pronunciation_dictionary_id": "d"}],
    }


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        (PCM, "pcm_24000"),
        (AudioFormat(Encoding.LINEAR16, 8000), "pcm_8000"),
        (AudioFormat(Encoding.MULAW, 8000), "ulaw_8000"),
        (AudioFormat(Encoding.ALAW, 8000), "alaw_8000"),
        # G.711 at another rate is made of PCM by the gateway.
        (AudioFormat(Encoding.MULAW, 16000), "pcm_16000"),
        (AudioFormat(Encoding.MP3, 44100), "mp3_44100_128"),
        (AudioFormat(Encoding.MP3, 22050), "mp3_22050_32"),
        (AudioFormat(Encoding.MP3, 24000), "mp3_24000_48"),
        (AudioFormat(Encoding.MP3, 16000), "mp3_44100_128"),
        (AudioFormat(Encoding.OPUS, 24000), "opus_48000_64"),
        (AudioFormat(Encoding.LINEAR16, 11025), "pcm_24000"),
        (AudioFormat(Encoding.LINEAR16, 16000, 2), "pcm_16000"),
    ],
)
def test_the_format_is_the_wanted_one_or_near_it(wanted: AudioFormat, name: str) -> None:
    assert choose_format(wanted, PLAIN) == name


def test_every_format_can_be_named_and_is_told_truly() -> None:
    assert read_format("opus_48000_96") == AudioFormat(Encoding.OPUS, 48000)
    for name in FORMATS:
        own = ElevenLabsTTSOptions(output_format=name)
        assert choose_format(PCM, own) == name
        assert read_format(name).encoding in ENCODINGS
        assert read_format(name).sample_rate in RATES


# What comes over a WebSocket.


@pytest.mark.parametrize(
    ("message", "piece"),
    [
        ('{"audio": "AQID", "isFinal": null, "alignment": null}', Piece(b"\1\2\3")),
        ('{"audio": "", "isFinal": true}', Piece(last=True)),
        ('{"audio": null, "isFinal": true, "normalizedAlignment": null}', Piece(last=True)),
        ('{"isFinal": true}', Piece(last=True)),
        ('{"is_final": true}', Piece(last=True)),
        ('{"audio": null, "isFinal": null}', Piece()),
        ('{"type": "flush_done", "done": false}', Piece()),
        ("{}", Piece()),
        (
            (
                '{"audio": "AQID", "alignment":'
                ' {"chars": ["H", "i", " ", " ", "y", "o", "u", "."],'
                ' "charStartTimesMs": [0, 40, 80, 90, 100, 140, 180, 220], "charDurationsMs": []}}'
            ),
            Piece(b"\1\2\3", words=((0.0, "Hi  "), (0.1, "you."))),
        ),
        (
            '{"audio": "AQID", "alignment": {"chars": [], "charStartTimesMs": []}}',
            Piece(b"\1\2\3", words=()),
        ),
        (
            '{"audio": "AQID", "alignment": {"chars": ["a"], "charStartTimesMs": []}}',
            Piece(b"\1\2\3"),
        ),
        (
            '{"audio": "AQID", "alignment": {"chars": [1], "charStartTimesMs": [0]}}',
            Piece(b"\1\2\3"),
        ),
        (
            '{"audio": "AQID", "alignment": {"chars": ["a"], "charStartTimesMs": [-1]}}',
            Piece(b"\1\2\3"),
        ),
    ],
)
def test_messages(message: str, piece: Piece) -> None:
    assert decode(message) == piece


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ({"error": "voice_not_found", "message": "No such voice", "code": 1008}, ProviderRefused),
        ({"error": "internal", "message": "Oops", "code": 1011}, ProviderClosed),
        ({"error": "what", "code": "?"}, ProviderClosed),
        ({"error": "what"}, ProviderClosed),
    ],
)
def test_errors_say_what_to_do_next(told: dict[str, Any], error: type[ProviderError]) -> None:
    with pytest.raises(error) as caught:
        decode(json.dumps(told))
    assert told.get("message", told["error"]) in caught.value.message


@pytest.mark.parametrize("message", ["", "{", "[]", "3", b"\xff", '{"audio": "not base64"}'])
def test_what_is_no_message_is_a_protocol_error(message: str | bytes) -> None:
    with pytest.raises(ProviderProtocolError):
        decode(message)


_VALUE = st.none() | st.booleans() | st.integers() | st.text(max_size=8)


@given(
    st.dictionaries(
        st.sampled_from(["audio", "isFinal", "error", "message", "code", "alignment"]), _VALUE
    )
    | _VALUE
)
def test_any_message_decodes_or_is_a_provider_error(told: Any) -> None:
    try:
        piece = decode(json.dumps(told))
    except ProviderError:
        return
    assert piece.sound == b"" or b64encode(piece.sound).decode() == told["audio"]
