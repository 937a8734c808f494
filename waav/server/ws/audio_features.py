"""``audio_features``: what is done to a session's sound, and what its turns go by."""

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

import attrs
from msgspec import Meta

from waav.server.ws.blocks import Features
from waav.server.ws.fields import Milliseconds, seconds
from waav.session.commands import (
    Interruption,
    NoiseReduction,
    STTConfig,
    TurnDetection,
    VoiceDetection,
)

Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Nod: TypeAlias = Annotated[str, Meta(max_length=50)]

STRENGTHS: Mapping[str, float] = {"low": 12.0, "medium": 24.0, "high": 40.0}
"""Decibels by which noise is lowered at most."""
STRONGEST = 40.0


@attrs.frozen(kw_only=True)
class VADBlock:
    """``vad``: tell a voice from silence here, beside the provider."""

    enabled: bool | None = None
    threshold: Share | None = None
    silence_ms: Milliseconds | None = None
    min_speech_ms: Milliseconds | None = None


@attrs.frozen(kw_only=True)
class TurnBlock:
    """``turn_detection``: when a pause is the end."""

    enabled: bool | None = None
    """Ask a turn detector."""
    threshold: Share | None = None
    silence_ms: Annotated[int, Meta(ge=1, le=600_000)] | None = None


@attrs.frozen(kw_only=True)
class NoiseBlock:
    """``noise_filtering``."""

    enabled: bool | None = None
    strength: Literal["low", "medium", "high"] | None = None
    strength_value: Share | None = None

    @property
    def attenuation(self) -> float | None:
        """Decibels by which noise is lowered at most."""
        if self.strength_value is not None:
            return self.strength_value * STRONGEST
        return None if self.strength is None else STRENGTHS[self.strength]


@attrs.frozen(kw_only=True)
class InterruptionBlock:
    """``interruption``: whether the user's talking stops ours."""

    enabled: bool | None = None
    min_words: Annotated[int, Meta(ge=0, le=100)] | None = None
    ignore_words: Annotated[tuple[Nod, ...], Meta(max_length=100)] | None = None
    """Who has said only such words does not interrupt."""
    min_speech_ms: Milliseconds | None = None
    resume_ms: Milliseconds | None = None
    """0: it never holds on to see whether words follow."""

    def value(self) -> Interruption:
        """Return the block as a session wants it."""
        return Interruption(
            enabled=self.enabled,
            min_words=self.min_words,
            min_speech=seconds(self.min_speech_ms),
            ignore_words=self.ignore_words,
            resume_after=seconds(self.resume_ms),
        )


@attrs.frozen(kw_only=True)
class AudioFeatures:
    """``audio_features``; what is not said is as the operator has it."""

    vad: VADBlock = VADBlock()
    turn_detection: TurnBlock = TurnBlock()
    noise_filtering: NoiseBlock = NoiseBlock()
    interruption: InterruptionBlock = InterruptionBlock()

    def adapt(self, config: STTConfig, features: Features) -> STTConfig:
        """Return how to listen, with what is said here and in the older switches."""
        vad, turn, noise = self.vad, self.turn_detection, self.noise_filtering
        denoise = features.noise_cancellation if noise.enabled is None else noise.enabled
        return attrs.evolve(
            config,
            vad=VoiceDetection(
                self.wants_vad(features),
                vad.threshold,
                seconds(vad.min_speech_ms),
                seconds(vad.silence_ms),
            ),
            turn=TurnDetection(turn.enabled, turn.threshold, seconds(turn.silence_ms)),
            noise=NoiseReduction(denoise, noise.attenuation),
        )

    def wants_vad(self, features: Features) -> bool | None:
        """Whether the client wants to know when the user talks; None if it says nothing."""
        return features.vad if self.vad.enabled is None else self.vad.enabled
