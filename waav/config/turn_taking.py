"""The options of turn taking: when the speaker has finished, and who may interrupt whom."""

from collections.abc import Mapping
from typing import Literal

import attrs

from waav.config.option import option, table

NODS = ("ah", "aha", "hm", "hmm", "mhm", "mhmm", "mm", "mmm", "oh", "uh-huh", "wow")
"""What somebody says who listens. Not among them is what may be an answer ("yes", "okay"), or the
beginning of one ("um", which is also a number in Portuguese)."""


@attrs.frozen
class SpeechFinalTimes:
    """The times of one provider; what is not set is as for all."""

    wait_ms: int | None = option("As speech_final.wait_ms.", least=1)
    hard_timeout_ms: int | None = option("As speech_final.hard_timeout_ms.", least=1)


@attrs.frozen
class SpeechFinal:
    """How the gateway decides that the speaker has finished."""

    wait_ms: int = option(
        "The silence after final words that ends a turn, or after which a turn detector is asked, in"
        " milliseconds.",
        default=1800,
        least=1,
    )
    hard_timeout_ms: int = option(
        "The longest wait after the first final words of a turn, in milliseconds.",
        default=4000,
        least=1,
    )
    inference_timeout_ms: int = option(
        "The longest wait for a turn detector, in milliseconds.", default=500, least=1
    )
    duplicate_window_ms: int = option(
        "The provider's own decision is dropped when it comes so soon after ours, in milliseconds.",
        default=500,
        least=0,
    )
    providers: Mapping[str, SpeechFinalTimes] = table(
        "Times of single providers: [speech_final.providers.NAME] with wait_ms and hard_timeout_ms."
    )

    def wait(self, provider: str) -> float:
        """Seconds of silence that end a turn heard by this provider (a normalised name)."""
        own = self.providers.get(provider, SpeechFinalTimes()).wait_ms
        return (self.wait_ms if own is None else own) / 1000

    def limit(self, provider: str) -> float:
        """Seconds that a turn heard by this provider may wait for its end."""
        own = self.providers.get(provider, SpeechFinalTimes()).hard_timeout_ms
        return (self.hard_timeout_ms if own is None else own) / 1000


@attrs.frozen
class TurnDetector:
    """Whether a turn detector is asked when the speaker pauses. Models are settings of its plugin."""

    enabled: bool = option(
        "Ask the detectors that run; without one, time alone decides.", default=True
    )
    kind: Literal["text", "audio", "both"] = option(
        "What is looked at: the words, the sound, or both, which then must agree.", default="text"
    )
    threshold: float | None = option(
        "How sure a detector must be, from 0 to 1; its own threshold if not set.",
        least=0,
        most=1,
        example="0.7",
    )


@attrs.frozen
class VAD:
    """Telling a voice from silence, beside the recogniser."""

    enabled: bool = option(
        "For sessions that do not say; those that let the user interrupt have it in any case.",
        default=False,
    )
    provider: str = option("The provider.", default="silero")
    threshold: float | None = option(
        "How sure the detector must be, from 0 to 1; its own threshold if not set.",
        least=0,
        most=1,
        example="0.5",
    )
    min_speech_ms: int | None = option(
        "The voice that counts as speech, in milliseconds.", least=0, example="100"
    )
    silence_ms: int | None = option(
        "The silence that ends it, in milliseconds.", least=0, example="300"
    )

    @property
    def min_speech(self) -> float | None:
        """Seconds of voice that count as speech."""
        return None if self.min_speech_ms is None else self.min_speech_ms / 1000

    @property
    def min_silence(self) -> float | None:
        """Seconds of silence that end it."""
        return None if self.silence_ms is None else self.silence_ms / 1000


@attrs.frozen
class Interruption:
    """Whether the user's talking stops the agent's, for sessions that do not say."""

    enabled: bool = option(
        "Off, only the client interrupts: what plays at its side is its own business.",
        default=False,
    )
    min_words: int = option(
        "Fewer words are a nod; with 0 a voice alone interrupts.", default=1, least=0
    )
    ignore_words: tuple[str, ...] = option(
        "Who has said only such words, in any number, does not interrupt; with [] every word counts.",
        default=NODS,
    )
    min_speech_ms: int = option(
        "A shorter voice is a cough, in milliseconds.", default=500, least=0
    )
    resume_ms: int = option(
        "A voice makes the agent hold on; without words it goes on so long after the voice, in"
        " milliseconds. With 0 it does not hold on.",
        default=2000,
        least=0,
    )

    @property
    def min_speech(self) -> float:
        """Seconds of voice that are no cough."""
        return self.min_speech_ms / 1000

    @property
    def resume_after(self) -> float | None:
        """Seconds after which an agent that held on goes on; None if it does not hold on."""
        return self.resume_ms / 1000 or None
