"""What the operator has chosen for sessions that do not say."""

from collections.abc import Callable
from math import inf

import attrs

from waav.audio.pipeline import Budget
from waav.config import Config
from waav.session.commands import ProcessorChoice, TurnDetection, VoiceDetection
from waav.turns.barge_in import BargeInRules, plain_words
from waav.turns.endpointing import Waits

TURN_TEXT, TURN_AUDIO = "turn-text", "turn-audio"
"""Features of turn detectors: what they look at."""
TURN_KINDS = {
    "text": frozenset({TURN_TEXT}),
    "audio": frozenset({TURN_AUDIO}),
    "both": frozenset({TURN_TEXT, TURN_AUDIO}),
}
"""How an operator says which of them are asked."""


@attrs.frozen
class Choices:
    """What the operator has chosen for sessions that do not say."""

    stt: str | None = None
    tts: str | None = None
    """Providers, for clients that name none."""
    waits: Callable[[str], Waits] = lambda _provider: Waits()
    """For the id of an STT provider: how long a session waits before it decides itself that the
    speaker has finished."""
    vad: VoiceDetection = VoiceDetection(enabled=False)
    vad_provider: str | None = None
    turn: TurnDetection = TurnDetection()
    turn_kinds: frozenset[str] = TURN_KINDS["text"]
    """Features of the detectors that are asked."""
    barge_in: BargeInRules = BargeInRules()
    pre_stt: tuple[ProcessorChoice, ...] = ()
    post_tts: tuple[ProcessorChoice, ...] = ()
    denoiser: str = "denoise"
    """The processor that a client means who wants its noise lowered."""
    optional: tuple[str, ...] = ()
    """Processors that sessions can do without, beside the denoiser."""
    budget: Budget = Budget()
    """Of each processor."""
    dead_air: float = inf
    """Seconds in which the client hears nothing although something is to be said."""

    @classmethod
    def of(cls, config: Config) -> "Choices":
        """Read them from the configuration."""
        times, turns, vad = config.speech_final, config.turn_detector, config.vad
        barge_in, pipelines = config.interruption, config.pipelines

        def waits(provider: str) -> Waits:
            return Waits(
                silence=times.wait(provider),
                detector=times.inference_timeout_ms / 1000,
                limit=times.limit(provider),
                repeat=times.duplicate_window_ms / 1000,
            )

        return cls(
            stt=config.stt.provider,
            tts=config.tts.provider,
            waits=waits,
            vad=VoiceDetection(vad.enabled, vad.threshold, vad.min_speech, vad.min_silence),
            vad_provider=vad.provider,
            turn=TurnDetection(turns.enabled, turns.threshold),
            turn_kinds=TURN_KINDS[turns.kind],
            barge_in=BargeInRules(
                barge_in.enabled,
                barge_in.min_speech,
                barge_in.min_words,
                plain_words(barge_in.ignore_words),
                barge_in.resume_after,
            ),
            pre_stt=tuple(map(ProcessorChoice, pipelines.pre_stt)),
            post_tts=tuple(map(ProcessorChoice, pipelines.post_tts)),
            denoiser=pipelines.denoiser,
            dead_air=config.watchdog.dead_air,
            optional=config.overload.shed_processors,
            budget=Budget(share=pipelines.budget_percent / 100, strikes=pipelines.late_frames),
        )
