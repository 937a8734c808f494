"""Text to speech without I/O: formats, queries, bodies and messages of both transports.

Source: SDK 2.78.0 (``text_to_speech/``, ``realtime_tts.py``, ``types/``), driven against a loopback
server on 2026-11-20.
"""

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import attrs

from capabilities import AudioFormat, Encoding, ProviderProtocolError, SpeechRequest
from providers._common.failures import Failures
from providers._common.urls import Query
from providers.elevenlabs.emotion import choose_knobs
from providers.elevenlabs.languages import language_code
from providers.elevenlabs.options import FORMATS, ElevenLabsTTSOptions
from providers.elevenlabs.settings import ID

_LONGEST_PIECE = 600_000  # milliseconds: a time beyond that is none

MODELS = (
    "eleven_flash_v2_5",
    "eleven_flash_v2",
    "eleven_turbo_v2_5",
    "eleven_multilingual_v2",
    "eleven_v3",
)
SPEEDS = (0.7, 1.2)
ENCODINGS = (Encoding.LINEAR16, Encoding.MULAW, Encoding.ALAW, Encoding.MP3, Encoding.OPUS)
RATES = (24000, 16000, 8000, 22050, 32000, 44100, 48000)

_NAMES = {
    "pcm": Encoding.LINEAR16,
    "ulaw": Encoding.MULAW,
    "alaw": Encoding.ALAW,
    "mp3": Encoding.MP3,
    "opus": Encoding.OPUS,
}
_USUAL = {Encoding.MP3: "mp3_44100_128", Encoding.OPUS: "opus_48000_64"}
"""Where the wanted rate is not among those of the encoding."""
_UNSURE_CLOSE = 1011


def read_format(name: str) -> AudioFormat:
    """Return what one of the vendor's formats is: ``mp3_44100_128`` is MP3 at 44.1 kHz."""
    encoding, rate, *_ = name.split("_")
    return AudioFormat(_NAMES[encoding], int(rate))


_CHOICE: Mapping[AudioFormat, str] = {read_format(name): name for name in reversed(FORMATS)}


def choose_format(wanted: AudioFormat, own: ElevenLabsTTSOptions) -> str:
    """Return the format to ask for: the wanted one, else the nearest that can be converted."""
    if own.output_format is not None:
        return own.output_format
    exact = attrs.evolve(wanted, channels=1)
    plain = attrs.evolve(exact, encoding=Encoding.LINEAR16)
    usual = _USUAL.get(wanted.encoding) or _CHOICE.get(plain, "pcm_24000")
    return _CHOICE.get(exact, usual)


@attrs.frozen
class Speech:
    """One request, in the vendor's words."""

    request: SpeechRequest
    voice: str
    own: ElevenLabsTTSOptions
    format_name: str

    @classmethod
    def of(cls, request: SpeechRequest, voice: str) -> "Speech":
        """Make it; ``voice`` speaks if the request names nobody."""
        own: ElevenLabsTTSOptions = request.options or ElevenLabsTTSOptions()
        return cls(request, request.voice or voice, own, choose_format(request.format, own))

    @property
    def audio(self) -> AudioFormat:
        """What the sound will be."""
        return read_format(self.format_name)

    def http_query(self) -> Query:
        """Return the parameters of the request over HTTP."""
        return {
            "output_format": self.format_name,
            "optimize_streaming_latency": self.own.optimize_streaming_latency,
            "enable_logging": self.own.enable_logging,
        }

    def http_body(self) -> Mapping[str, Any]:
        """Return the JSON of the request over HTTP."""
        own = self.own
        return _filled(
            {
                "text": self.request.text,
                "model_id": self._model,
                "language_code": self._language,
                "voice_settings": self._voice_settings(),
                "pronunciation_dictionary_locators": self._dictionaries(),
                "seed": own.seed,
                "previous_text": own.previous_text,
                "next_text": own.next_text,
                "previous_request_ids": own.previous_request_ids,
                "next_request_ids": own.next_request_ids,
                "use_pvc_as_ivc": own.use_pvc_as_ivc,
                "apply_text_normalization": own.apply_text_normalization,
                "apply_language_text_normalization": own.apply_language_text_normalization,
                "audio_effects": _filled(attrs.asdict(own.audio_effects))
                if own.audio_effects
                else None,
            }
        )

    def socket_query(self) -> Query:
        """Return the parameters of a WebSocket."""
        own = self.own
        return {
            "model_id": self._model,
            "output_format": self.format_name,
            "language_code": self._language,
            "enable_logging": own.enable_logging,
            "enable_ssml_parsing": own.enable_ssml_parsing,
            "inactivity_timeout": own.inactivity_timeout,
            "sync_alignment": own.sync_alignment,
            "auto_mode": own.auto_mode,
            "apply_text_normalization": own.apply_text_normalization,
            "apply_language_text_normalization": own.apply_language_text_normalization,
            "seed": own.seed,
            "single_use_token": own.single_use_token,
        }

    def socket_messages(self) -> Sequence[str]:
        """Return all that is said on a WebSocket: the settings, the text, and that it is over."""
        schedule = self.own.chunk_length_schedule
        first = _filled(
            {
                "text": " ",  # the vendor insists on it
                "voice_settings": self._voice_settings(),
                "generation_config": {"chunk_length_schedule": schedule} if schedule else None,
                "pronunciation_dictionary_locators": self._dictionaries(),
            }
        )
        text = {"text": f"{self.request.text.rstrip()} "}
        return [json.dumps(each) for each in (first, text, {"text": ""})]

    @property
    def _model(self) -> str:
        return self.request.model or MODELS[0]

    @property
    def _language(self) -> str | None:
        # The multilingual models find it out themselves, and refuse to be told.
        told = not self._model.startswith("eleven_multilingual")
        return language_code(self.request.language) if told else None

    def _voice_settings(self) -> Mapping[str, Any]:
        """Return what is to be other than the voice's owner has set it."""
        knobs = choose_knobs(self.request.feeling)
        own = {
            name: getattr(self.own, name)
            for name in ("stability", "similarity_boost", "style", "use_speaker_boost")
        }
        speed = min(max(self.request.speed, SPEEDS[0]), SPEEDS[1])
        felt = attrs.asdict(knobs) if knobs else {}
        return felt | _filled({**own, "speed": speed if speed != 1.0 else None})

    def _dictionaries(self) -> Sequence[Mapping[str, Any]]:
        return [_filled(attrs.asdict(each)) for each in self.own.pronunciation_dictionary_locators]


Words: TypeAlias = tuple[tuple[float, str], ...]
"""Where in a piece each word begins, in seconds, and the word with what stands behind it."""


@attrs.frozen
class Piece:
    """Some sound, and what is said in it."""

    sound: bytes = b""
    last: bool = False
    words: Words | None = None
    """None if the vendor does not say."""

    def cut(self, audio: AudioFormat) -> Iterator[tuple[bytes, str | None]]:
        """Give the sound word by word; compressed sound, and what nobody knows the words of, whole."""
        if not self.words or not audio.sample_bytes:
            text = None if self.words is None else "".join(word for _, word in self.words)
            yield self.sound, text
            return
        places = [min(audio.size(start), len(self.sound)) for start, _ in self.words]
        yield self.sound[: places[0]], ""
        for (_, word), begin, end in zip(self.words, places, [*places[1:], None], strict=True):
            yield self.sound[begin:end], word


def decode(message: str | bytes) -> Piece:
    """Read one message of the WebSocket.

    Raises:
        ProviderError: the vendor says that something is wrong.
        ProviderProtocolError: the message is not of this protocol.
    """
    try:
        told = json.loads(message)
    except (ValueError, RecursionError):
        raise ProviderProtocolError(ID, "sent something that is not JSON") from None
    match told:
        case {"error": str(error), **more}:
            code, text = more.get("code"), more.get("message")
            detail = text if isinstance(text, str) and text else error
            # It says with which code it will close; other numbers mean nothing to us.
            known = code if isinstance(code, int) and 1000 < code < 5000 else _UNSURE_CLOSE
            raise Failures(ID).of_close(known, detail)
        case {"audio": str(sound), **more}:
            last, words = more.get("isFinal") is True, _words(more.get("alignment"))
            return Piece(_sound(sound), last, words)
        case {"isFinal": True} | {"is_final": True}:
            return Piece(last=True)
        case dict():
            return Piece()
        case _:
            raise ProviderProtocolError(ID, "sent JSON that is no message")


def _words(alignment: Any) -> Words | None:
    """Read when each character begins, in milliseconds since the beginning of the piece."""
    match alignment:
        case {"chars": [*chars], "charStartTimesMs": [*starts]} if len(chars) == len(starts):
            pass
        case _:
            return None
    if not all(isinstance(char, str) for char in chars) or not all(map(_is_time, starts)):
        return None
    words: list[tuple[float, str]] = []
    for char, start in zip(chars, starts, strict=True):
        if words and (char.isspace() or not words[-1][1][-1].isspace()):
            begin, word = words[-1]
            words[-1] = begin, word + char
        elif char:
            words.append((start / 1000, char))
    return tuple(words)


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and 0 <= value < _LONGEST_PIECE


def _sound(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise ProviderProtocolError(ID, "sent sound that is not base64") from None


def _filled(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that say something."""
    return {name: value for name, value in fields.items() if value not in (None, (), [], {})}
