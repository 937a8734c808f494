"""Sound into words with a pocketsphinx decoder: synchronous, and the whole of it in one process.

Transcripts leave as dictionaries of JSON, because a recogniser lives in a worker process
(``sphinx_worker``); ``sphinx_wire`` reads them on the other side.
"""

import re
from math import inf
from typing import Any, TypeAlias

from pocketsphinx import Decoder, Vad

from providers.local.speech_gate import SpeechGate

Heard: TypeAlias = dict[str, Any]

_RATE = 16000
_LOOK = 0.1
"""Seconds of speech between two looks at the words so far: a look costs 1-2 ms."""
_LONGEST = 30.0
"""Seconds of speech without a pause, after which the words are made final: memory is bounded."""
_ALTERNATIVE = re.compile(r"\(\d+\)$")


class Recogniser:
    """A decoder with its language model, used for one stream after the other."""

    def __init__(self) -> None:
        self._decoder = Decoder(samprate=_RATE, loglevel="FATAL")
        self._vad = Vad(sample_rate=_RATE)
        self._gate = SpeechGate(self._vad.frame_length, silence=inf)
        self._interims = False
        self._rest = b""
        self._start = self._decoded = self._looked = 0.0
        self._text = ""

    def open(self, *, silence: float, sensitivity: int, interims: bool) -> None:
        """Begin a stream; whatever an earlier one left behind is forgotten.

        ``silence`` is in seconds; ``sensitivity`` 0 to 3 is how sure the detector must be of a voice.
        """
        if self._gate.is_open:
            self._decoder.end_utt()
        # The decoder gets used to a speaker and to the noise. The next stream has others.
        self._decoder.reinit_feat()
        self._vad = Vad(mode=sensitivity, sample_rate=_RATE)
        self._gate = SpeechGate(self._vad.frame_length, silence)
        self._interims = interims
        self._rest = b""

    def hear(self, pcm: bytes) -> list[Heard]:
        """Take any number of bytes; give what was understood meanwhile."""
        heard: list[Heard] = []
        pcm = self._rest + pcm
        size = self._vad.frame_bytes
        whole = len(pcm) - len(pcm) % size
        for offset in range(0, whole, size):
            heard += self._frame(pcm[offset : offset + size])
        self._rest = pcm[whole:]
        return heard

    def finish(self) -> list[Heard]:
        """Give the last words."""
        if not self._gate.is_open:
            return []
        if len(self._rest) > 1:
            self._decoder.process_raw(self._rest[: len(self._rest) // 2 * 2])
        self._gate.close()
        return self._final(speech_final=True)

    def _frame(self, data: bytes) -> list[Heard]:
        was_open = self._gate.is_open
        speech = self._gate.feed(data, voiced=self._vad.is_speech(data))
        if not speech:
            return []
        if not was_open:
            self._begin(len(speech))
        self._decoder.process_raw(speech)
        self._decoded += len(speech) / (2 * _RATE)
        if not self._gate.is_open:
            return self._final(speech_final=True)
        if self._decoded >= _LONGEST:
            self._gate.close()
            return self._final(speech_final=False)
        return self._look()

    def _begin(self, size: int) -> None:
        self._start = self._gate.count * self._vad.frame_length - size / (2 * _RATE)
        self._decoded = self._looked = 0.0
        self._text = ""
        self._decoder.start_utt()

    def _look(self) -> list[Heard]:
        if not self._interims or self._decoded - self._looked < _LOOK:
            return []
        self._looked = self._decoded
        guess = self._decoder.hyp()
        if guess is None or guess.hypstr in ("", self._text):
            return []
        self._text = guess.hypstr
        return [{"text": self._text}]

    def _final(self, *, speech_final: bool) -> list[Heard]:
        self._decoder.end_utt()
        guess = self._decoder.hyp()
        if guess is None or not guess.hypstr.strip():
            return []
        words = self._words()
        sure = sum(word["confidence"] for word in words) / max(len(words), 1)
        return [
            {
                "text": guess.hypstr,
                "final": True,
                "speech_final": speech_final,
                "confidence": sure,
                "words": words,
            }
        ]

    def _words(self) -> list[Heard]:
        rate = self._decoder.config["frate"]
        return [
            {
                "text": _ALTERNATIVE.sub("", segment.word),
                "start": self._start + segment.start_frame / rate,
                "end": self._start + (segment.end_frame + 1) / rate,
                "confidence": max(0.0, min(1.0, segment.prob)),
            }
            for segment in self._decoder.seg()
            if segment.word[0] not in "<[+"  # silence, noise, fillers
        ]
