"""Speaking with Aura (v1) and with Flux voices (v2), by WebSocket and by REST, without I/O.

Source: the vendor's SDK 7.17.0 (``speak/v1``, ``speak/v2``) and its pages on media output settings
and voice controls, 2026. By REST every option but the text is in the query.
"""

import json
from collections.abc import Mapping, Sequence

import attrs

from capabilities import AudioFormat, Encoding, ProviderRefused, SpeechRequest
from providers._common.urls import Query
from providers._common.wire import Message
from providers.deepgram.messages import Error, Warning, read  # noqa: A004 - the vendor's own word
from providers.deepgram.names import ID, TTS_MODEL, is_flux
from providers.deepgram.options import DeepgramTTSOptions

SPEEDS = (0.7, 1.5)
"""The slowest and the fastest of Aura."""
FLUX_SPEEDS = (0.5, 1.5)
FLUX_SPEED_STEP = 0.05


@attrs.frozen
class _Sound:
    """How one encoding is asked for."""

    name: str
    rates: tuple[int, ...]
    """Hertz."""
    container: str | None = None
    fixed: bool = False
    """The rate is as it is, and must not be asked for."""
    streamed: bool = False
    """Also by WebSocket."""


SOUNDS: Mapping[Encoding, _Sound] = {
    Encoding.LINEAR16: _Sound(
        "linear16", (8000, 16000, 24000, 32000, 48000), "none", streamed=True
    ),
    Encoding.MULAW: _Sound("mulaw", (8000, 16000), "none", streamed=True),
    Encoding.ALAW: _Sound("alaw", (8000, 16000), "none", streamed=True),
    Encoding.MP3: _Sound("mp3", (22050,), fixed=True),
    Encoding.OGG: _Sound("opus", (48000,), "ogg", fixed=True),
    Encoding.FLAC: _Sound("flac", (8000, 16000, 22050, 32000, 48000)),
    Encoding.AAC: _Sound("aac", (22050,), fixed=True),
}


@attrs.frozen
class Finished:
    """All of the text is said."""


_KINDS = {
    "v1": {"Flushed": Finished, "Warning": Warning, "Error": Error},
    "v2": {"SpeechMetadata": Finished, "Warning": Warning, "Error": Error},
}
_STOP = {"v1": "Clear", "v2": "Interrupt"}


def _say(kind: str, **fields: str) -> str:
    return json.dumps({"type": kind, **fields}, ensure_ascii=False)


@attrs.frozen
class Speech:
    """One text, and how it is asked for."""

    text: str
    version: str
    """``v1`` or ``v2``."""
    format: AudioFormat
    """Of the sound that will come."""
    rest: bool
    query: Query

    def begin(self) -> Sequence[Message]:
        """Return what is said on a new WebSocket."""
        return _say("Speak", text=self.text), _say("Flush")

    def end(self, *, early: bool) -> Sequence[Message]:
        """Return what is said last; ``early`` if not all was heard and no more is wanted."""
        goodbye = _say("Close")
        return (_say(_STOP[self.version]), goodbye) if early else (goodbye,)

    def decode(self, message: Message) -> bytes | Finished | Warning | None:
        """Read one message of the WebSocket; an unknown kind means nothing.

        Raises:
            ProviderError: the vendor says that it cannot, or something unreadable.
        """
        if isinstance(message, bytes):
            return message
        match read(message, _KINDS[self.version]):
            case Finished() | Warning() as told:
                return told
            case Error() as error:
                raise error.failure()
            case _:
                return None


def plan(request: SpeechRequest) -> Speech:
    """Return how a request is carried out.

    Raises:
        ProviderRefused: sound or options that this vendor does not have together.
    """
    own: DeepgramTTSOptions = request.options or DeepgramTTSOptions()
    # A voice of this vendor is a model.
    model = request.voice or request.model or TTS_MODEL
    sound = SOUNDS.get(request.format.encoding)
    if sound is None:
        raise ProviderRefused(ID, f"does not give {request.format.encoding} audio")
    rest = _by_rest(model, own, sound)
    rate = min(
        (each for each in sound.rates if each >= request.format.sample_rate),
        default=sound.rates[-1],
    )
    query: Query = {
        "model": model,
        "encoding": sound.name,
        "sample_rate": None if sound.fixed else rate,
        "speed": _speed(request.speed, model),
        "mip_opt_out": own.mip_opt_out,
        "tag": own.tag,
        "expressivity": own.expressivity,
        "container": sound.container if rest else None,
        "bit_rate": own.bit_rate,
    }
    audio = AudioFormat(request.format.encoding, rate)
    return Speech(request.text, "v2" if is_flux(model) else "v1", audio, rest, query)


def _by_rest(model: str, own: DeepgramTTSOptions, sound: _Sound) -> bool:
    needed = {
        f"{sound.name} audio": not sound.streamed,
        "the option bit_rate": own.bit_rate is not None,
        "the option tag": bool(own.tag) and not is_flux(model),
    }
    reasons = [name for name, is_needed in needed.items() if is_needed]
    if reasons and own.transport == "websocket":
        raise ProviderRefused(ID, f"gives {reasons[0]} by REST only")
    if own.expressivity is not None and (not is_flux(model) or reasons or own.transport == "rest"):
        raise ProviderRefused(ID, "has the option expressivity for Flux voices by WebSocket only")
    return bool(reasons) or own.transport == "rest"


def _speed(speed: float, model: str) -> float | None:
    """Return the nearest pace that the voice has; None for its own."""
    slowest, fastest = FLUX_SPEEDS if is_flux(model) else SPEEDS
    pace = min(max(speed, slowest), fastest)
    if is_flux(model):
        pace = round(round(pace / FLUX_SPEED_STEP) * FLUX_SPEED_STEP, 2)
    return None if pace == 1.0 else pace
