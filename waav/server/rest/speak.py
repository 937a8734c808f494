"""``POST /speak``: a text, whole, as one piece of sound."""

from http import HTTPStatus
from typing import Any

import attrs
import msgspec
import trio

from capabilities import AudioFormat, Encoding, Secret
from waav.errors import InvalidRequest
from waav.gateway import Gateway
from waav.server.refusal import Refused
from waav.server.rest.operation import Reply
from waav.server.ws import names
from waav.server.ws.blocks import TTSBlock
from waav.server.ws.names import Names
from waav.session.commands import Speak, TTSConfig
from waav.session.means import ANY

TEXT_LIMIT = 10_240
"""Bytes of UTF-8."""
SYNTHESIS_TIMEOUT = 30.0
"""Seconds from the request to the last of its sound."""

CONTENT_TYPES = {
    Encoding.WAV: "audio/wav",
    Encoding.MP3: "audio/mpeg",
    Encoding.OGG: "audio/ogg",
    Encoding.OPUS: "audio/ogg",
    Encoding.LINEAR16: "audio/pcm",
    Encoding.MULAW: "audio/basic",
}
OTHER_CONTENT_TYPE = "application/octet-stream"

_NESTED = Names({"tts": "tts_config", "ttsConfig": "tts_config"}, inside={"tts_config": names.TTS})


@attrs.frozen(kw_only=True)
class Speech:
    """What to say, and how, in a block of its own."""

    text: str
    tts_config: TTSBlock

    def value(self) -> TTSConfig:
        """Return how to say it."""
        return self.tts_config.value()


@attrs.frozen(kw_only=True)
class FlatSpeech(TTSBlock):
    """What to say, and how, side by side."""

    text: str
    tts_config: None = None
    """With one it is the other form."""


@attrs.frozen
class Order:
    """What is to be said, however the client has put it."""

    text: str
    config: TTSConfig


def read_order(raw: dict[str, Any]) -> Order:
    """Read either form of the body.

    Raises:
        ValueError: it has neither form.
        InvalidRequest: there is nothing to say, or too much.
    """
    nested = _NESTED.resolve(raw)
    speech = (
        msgspec.convert(nested, Speech)
        if "tts_config" in nested
        else msgspec.convert(names.TTS.resolve(raw), FlatSpeech)
    )
    if not speech.text.strip():
        raise InvalidRequest("Text cannot be empty", code="empty_text")
    if (size := len(speech.text.encode())) > TEXT_LIMIT:
        text = f"Text too long: {size} bytes exceeds maximum {TEXT_LIMIT} bytes"
        raise InvalidRequest(text, code="text_too_long")
    return Order(speech.text, speech.value())


async def speak(gateway: Gateway, body: Order, api_key: Secret | None) -> Reply[bytes]:
    """Say a text.

    The answer is the whole sound, in the format that was asked for. `tts_config` may be a block of
    its own, or its fields may stand beside `text`. Headers tell format and rate.
    """
    config = _with_key(body.config, api_key)
    with trio.move_on_after(SYNTHESIS_TIMEOUT):
        sound = await gateway.say(config, Speak(body.text))
        format = config.request.format
        headers = {
            "x-audio-format": str(format.encoding),
            "x-sample-rate": str(format.sample_rate),
        }
        return Reply(sound, headers=headers, content_type=content_type(format))
    raise Refused(HTTPStatus.GATEWAY_TIMEOUT, "tts_timeout", "TTS synthesis timeout")


def _with_key(config: TTSConfig, api_key: Secret | None) -> TTSConfig:
    """Return the configuration with the key of the header; keys in the body are nearer."""
    pattern = config.request
    if api_key is None or config.provider in ANY or pattern.api_key or pattern.auth:
        return config
    return attrs.evolve(config, request=attrs.evolve(pattern, api_key=api_key))


def content_type(format: AudioFormat) -> str:
    """Say how HTTP calls a format; where the bytes do not tell their rate, with the rate."""
    name = CONTENT_TYPES.get(format.encoding, OTHER_CONTENT_TYPE)
    if format.encoding is Encoding.LINEAR16:
        return f"{name};rate={format.sample_rate}"
    return name
