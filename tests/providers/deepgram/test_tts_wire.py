"""How a text is asked for, and what the vendor answers."""

import json
from typing import Any

import attrs
import pytest

from capabilities import (
    AudioFormat,
    Encoding,
    ProviderProtocolError,
    ProviderRefused,
    SpeechRequest,
)
from providers.deepgram.messages import Warning  # noqa: A004 - the vendor's own word
from providers.deepgram.options import DeepgramTTSOptions
from providers.deepgram.tts_wire import SOUNDS, Finished, Speech, plan

REQUEST = SpeechRequest("Grüße!")
FLUX = attrs.evolve(REQUEST, voice="flux-alexis-en")


def planned(request: SpeechRequest = REQUEST, **options: Any) -> Speech:
    return plan(attrs.evolve(request, options=DeepgramTTSOptions(**options)))


def sent(speech: Speech) -> dict[str, Any]:
    return {name: value for name, value in speech.query.items() if value not in (None, ())}


def test_a_request_that_asks_for_nothing() -> None:
    speech = plan(REQUEST)
    assert sent(speech) == {
        "model": "aura-asteria-en",
        "encoding": "linear16",
        "sample_rate": 24000,
    }
    assert (speech.version, speech.rest) == ("v1", False)


def test_a_voice_is_a_model_and_goes_before_one() -> None:
    request = attrs.evolve(REQUEST, voice="aura-2-thalia-en", model="aura-asteria-en")
    assert plan(request).query["model"] == "aura-2-thalia-en"
    assert plan(attrs.evolve(request, voice=None)).query["model"] == "aura-asteria-en"


def test_flux_voices_have_an_api_of_their_own() -> None:
    assert plan(FLUX).version == "v2"


@pytest.mark.parametrize(
    ("asked", "given", "rest"),
    [
        (AudioFormat(Encoding.LINEAR16, 16000), AudioFormat(Encoding.LINEAR16, 16000), False),
        (AudioFormat(Encoding.LINEAR16, 22050), AudioFormat(Encoding.LINEAR16, 24000), False),
        (AudioFormat(Encoding.LINEAR16, 96000), AudioFormat(Encoding.LINEAR16, 48000), False),
        (AudioFormat(Encoding.MULAW, 8000), AudioFormat(Encoding.MULAW, 8000), False),
        (AudioFormat(Encoding.ALAW, 24000), AudioFormat(Encoding.ALAW, 16000), False),
        (AudioFormat(Encoding.MP3, 24000), AudioFormat(Encoding.MP3, 22050), True),
        (AudioFormat(Encoding.OGG, 24000), AudioFormat(Encoding.OGG, 48000), True),
        (AudioFormat(Encoding.FLAC, 24000), AudioFormat(Encoding.FLAC, 32000), True),
        (AudioFormat(Encoding.AAC, 24000), AudioFormat(Encoding.AAC, 22050), True),
    ],
)
def test_the_sound_is_the_nearest_that_keeps_everything(
    asked: AudioFormat, given: AudioFormat, *, rest: bool
) -> None:
    """Compressed sound comes by REST only, and at a rate that must not be asked for."""
    speech = plan(attrs.evolve(REQUEST, format=asked))
    assert (speech.format, speech.rest) == (given, rest)
    fixed = SOUNDS[asked.encoding].fixed
    assert speech.query["sample_rate"] == (None if fixed else given.sample_rate)


def test_by_rest_no_header_comes_before_the_sound() -> None:
    assert planned(transport="rest").query["container"] == "none"
    assert plan(REQUEST).query["container"] is None, "by WebSocket there is no such thing"


@pytest.mark.pins("D127")
@pytest.mark.parametrize(
    ("request_", "asked", "told"),
    [
        (REQUEST, 1.0, None),
        (REQUEST, 1.2, 1.2),
        (REQUEST, 2.0, 1.5),
        (REQUEST, 0.1, 0.7),
        (FLUX, 0.1, 0.5),
        (FLUX, 1.23, 1.25),
        (FLUX, 1.01, None),
    ],
)
def test_the_pace_is_sent_as_near_as_the_voice_has_it(
    request_: SpeechRequest, asked: float, told: float | None
) -> None:
    assert plan(attrs.evolve(request_, speed=asked)).query["speed"] == told


def test_each_option_is_sent() -> None:
    assert planned(mip_opt_out=True).query["mip_opt_out"] is True
    assert planned(tag=("a", "b")).query["tag"] == ("a", "b")
    assert planned(bit_rate=48000).query["bit_rate"] == 48000
    assert planned(FLUX, expressivity=1.5).query["expressivity"] == 1.5


@pytest.mark.parametrize(
    ("request_", "options", "rest"),
    [
        (REQUEST, {"transport": "rest"}, True),
        (REQUEST, {"tag": ("a",)}, True),
        (REQUEST, {"bit_rate": 48000}, True),
        (FLUX, {"tag": ("a",)}, False),
        (REQUEST, {"mip_opt_out": True}, False),
    ],
)
def test_what_can_only_be_had_by_rest_goes_by_rest(
    request_: SpeechRequest, options: dict[str, Any], *, rest: bool
) -> None:
    assert planned(request_, **options).rest is rest


@pytest.mark.parametrize(
    ("request_", "options", "told"),
    [
        (REQUEST, {"transport": "websocket", "tag": ("a",)}, "the option tag by REST only"),
        (
            attrs.evolve(REQUEST, format=AudioFormat(Encoding.MP3)),
            {"transport": "websocket"},
            "mp3 audio by REST only",
        ),
        (REQUEST, {"expressivity": 1.0}, "expressivity for Flux voices"),
        (FLUX, {"expressivity": 1.0, "transport": "rest"}, "by WebSocket only"),
        (attrs.evolve(REQUEST, format=AudioFormat(Encoding.WAV)), {}, "does not give wav audio"),
    ],
)
def test_what_does_not_go_together_is_refused(
    request_: SpeechRequest, options: dict[str, Any], told: str
) -> None:
    with pytest.raises(ProviderRefused, match=told):
        planned(request_, **options)


def test_what_is_sent() -> None:
    speech = plan(REQUEST)
    assert [json.loads(str(each)) for each in speech.begin()] == [
        {"type": "Speak", "text": "Grüße!"},
        {"type": "Flush"},
    ]
    assert speech.end(early=False) == ('{"type": "Close"}',)
    assert speech.end(early=True) == ('{"type": "Clear"}', '{"type": "Close"}')
    assert plan(FLUX).end(early=True)[0] == '{"type": "Interrupt"}'


@pytest.mark.parametrize(
    ("request_", "message", "meaning"),
    [
        (REQUEST, b"sound", b"sound"),
        (REQUEST, '{"type":"Metadata","request_id":"x"}', None),
        (REQUEST, '{"type":"Flushed","sequence_id":0}', Finished()),
        (REQUEST, '{"type":"Warning","code":"X","description":"y"}', Warning("X", "y")),
        (FLUX, '{"type":"Flushed","speech_id":"x"}', None),
        (FLUX, '{"type":"SpeechMetadata","speech_id":"x"}', Finished()),
        (FLUX, '{"type":"SomethingNew"}', None),
    ],
)
def test_what_the_vendor_says(
    request_: SpeechRequest, message: str | bytes, meaning: object
) -> None:
    """With Flux the sound of a text lies before its metadata, wherever ``Flushed`` comes."""
    assert plan(request_).decode(message) == meaning


def test_errors_are_raised() -> None:
    with pytest.raises(ProviderRefused, match="DATA-0002: a pause"):
        plan(FLUX).decode('{"type":"Error","code":"DATA-0002","description":"a pause"}')
    with pytest.raises(ProviderProtocolError):
        plan(REQUEST).decode("what?")
