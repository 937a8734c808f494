"""``POST /v1/audio/transcriptions`` without I/O: an utterance -> a form, an answer -> transcripts.

Source: the package ``openai`` 3.52.0 (its models, and what it sends), 2026-11-20; the limit of
25 MB is that of the API's guide, not of the package.
"""

from collections.abc import Iterable, Iterator, Mapping
from math import exp
from typing import Any

import attrs

from capabilities import (
    Encoding,
    Final,
    Interim,
    ProviderProtocolError,
    STTOptions,
    Transcript,
    Word,
)
from providers._common.buffered import WAV_HEADER, Flush, Rules, Utterance, wav_file
from providers.openai.errors import stream_error
from providers.openai.formats import FILES
from providers.openai.guidance import detected, guidance, own_options, pause_of
from providers.openai.names import ID, is_diarizing, is_whisper

MOST_FILE = 25 * 1000 * 1000
"""Bytes of a file. Whether a megabyte of theirs has 24 288 more is not worth finding out."""

Fields = dict[str, str | list[str]]
"""Of a form; a list is a field that is repeated."""


def rules_of(options: STTOptions) -> Rules:
    """Say how the stream is cut into files."""
    own, pause = own_options(options), pause_of(options)
    return Rules(
        most=MOST_FILE - WAV_HEADER,
        flush=Flush(own.flush) if options.format.sample_bytes else Flush.END,
        threshold=own.flush_bytes,
        level=own.silence_level,
        silence=1.0 if pause is None else pause,
        shortest=own.min_audio_ms / 1000,
    )


@attrs.frozen
class FileWire:
    """How one recognition's utterances are asked about."""

    model: str
    options: STTOptions

    @property
    def streams(self) -> bool:
        """Whether the answer is to come as events."""
        return own_options(self.options).stream and not is_whisper(self.model)

    def fields(self) -> Fields:
        """Return the form, but for the file."""
        own = own_options(self.options)
        fields: Fields = {"model": self.model}
        for name, value in guidance(self.model, self.options).items():
            if isinstance(value, str):
                fields[name] = value
            else:
                fields[f"{name}[]"] = list(value)
        fields["response_format"] = self._response_format
        if own.temperature is not None:
            fields["temperature"] = f"{own.temperature:g}"
        if granularities := self._granularities:
            fields["timestamp_granularities[]"] = granularities
        if own.logprobs and self._response_format == "json":
            fields["include[]"] = ["logprobs"]
        if self.streams:
            fields["stream"] = "true"
        return fields | self._chunking() | self._speakers()

    def file(self, utterance: Utterance) -> tuple[str, bytes, str]:
        """Return name, content and type of the file."""
        if utterance.format.sample_bytes:
            name, kind = FILES[Encoding.WAV]
            return name, wav_file(utterance, own_options(self.options).min_audio_ms / 1000), kind
        name, kind = FILES[utterance.format.encoding]
        return name, utterance.data, kind

    @property
    def _response_format(self) -> str:
        if is_diarizing(self.model):
            return "diarized_json"
        return "verbose_json" if self._granularities else "json"

    @property
    def _granularities(self) -> list[str]:
        if not is_whisper(self.model):
            return []
        own = list[str](own_options(self.options).timestamp_granularities)
        return own or (["word"] if self.options.word_timestamps else [])

    def _chunking(self) -> Fields:
        own = own_options(self.options)
        strategy = own.chunking_strategy or ("auto" if is_diarizing(self.model) else None)
        if strategy is None:
            return {}
        if strategy == "auto":
            return {"chunking_strategy": "auto"}
        tuning = {
            "threshold": own.vad_threshold,
            "prefix_padding_ms": own.vad_prefix_padding_ms,
            "silence_duration_ms": own.silence_duration_ms,
        }
        told = {name: f"{value:g}" for name, value in tuning.items() if value is not None}
        return {
            f"chunking_strategy[{name}]": value
            for name, value in {"type": "server_vad", **told}.items()
        }

    def _speakers(self) -> Fields:
        own = own_options(self.options)
        if not own.known_speaker_names or not is_diarizing(self.model):
            return {}
        return {
            "known_speaker_names[]": list(own.known_speaker_names),
            "known_speaker_references[]": list(own.known_speaker_references),
        }

    def read(self, answer: Mapping[str, Any], utterance: Utterance) -> list[Transcript]:
        """Return what a whole answer says; nothing if nothing was said.

        Raises:
            ProviderProtocolError: there is no text in it.
        """
        text = answer.get("text")
        if not isinstance(text, str):
            raise ProviderProtocolError(ID, "answered without a text")
        if not text.strip():
            return []
        return [
            Final(
                text.strip(),
                confidence=confidence(answer.get("logprobs"), answer.get("segments")),
                language=detected(answer.get("languages"), self.options.language),
                words=tuple(_words(answer, utterance.start)),
                speech_final=utterance.paused,
            )
        ]


@attrs.define
class FileEvents:
    """Reads an answer that comes as events."""

    wire: FileWire
    utterance: Utterance
    done: bool = attrs.field(default=False, init=False)
    """The last event was here."""
    _text: str = attrs.field(default="", init=False)
    _segments: list[Any] = attrs.field(factory=list, init=False)

    def read(self, event: Mapping[str, Any]) -> list[Transcript]:
        """Return what one event says; an unknown kind says nothing.

        Raises:
            ProviderError: the event is an error, or its text is missing.
        """
        match event:
            case {"type": "transcript.text.delta", "delta": str(delta)}:
                self._text += delta
                wanted = self.wire.options.interim_results and self._text.strip()
                return [Interim(self._text.strip())] if wanted else []
            case {"type": "transcript.text.segment"}:
                self._segments.append(event)
            case {"type": "transcript.text.done"}:
                self.done = True
                return self.wire.read({"segments": self._segments, **event}, self.utterance)
            case {"error": error} if error:
                raise stream_error(error)
            case _:
                pass
        return []


def confidence(logprobs: Any, segments: Any = None) -> float:
    """Return 0 to 1: the mean of what the model says about its tokens; 0 if it says nothing."""
    values = list(_numbers(logprobs, "logprob")) or list(_numbers(segments, "avg_logprob"))
    return min(exp(min(sum(values) / len(values), 0.0)), 1.0) if values else 0.0


def _numbers(entries: Any, name: str) -> Iterator[float]:
    for entry in entries if isinstance(entries, list) else ():
        value = entry.get(name) if isinstance(entry, Mapping) else None
        if isinstance(value, int | float) and value == value:  # noqa: PLR0124 - not a NaN
            yield float(value)


def _words(answer: Mapping[str, Any], start: float) -> Iterator[Word]:
    """Yield the words; of a diarizing model, which does not say when each was spoken, its segments."""
    for entry in _entries(answer.get("words")):
        match entry:
            case {
                "word": str(text),
                "start": int() | float() as begin,
                "end": int() | float() as end,
            }:
                yield Word(text.strip(), start + begin, start + end)
            case _:
                pass
    for entry in _entries(answer.get("segments")):
        match entry:
            case {
                "text": str(text),
                "speaker": str(speaker),
                "start": int() | float() as begin,
                "end": int() | float() as end,
            }:
                yield Word(text.strip(), start + begin, start + end, speaker=speaker)
            case _:
                pass


def _entries(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else ()
