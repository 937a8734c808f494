"""What a session works with, and shares with all others."""

import logging
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

import attrs

from capabilities import (
    STT,
    TTS,
    TURN_SOUND,
    VAD,
    AudioFormat,
    Capability,
    TurnDetector,
    VADOptions,
)
from waav.audio.convert import convertible
from waav.audio.pipeline import Pipeline
from waav.errors import InvalidRequest, PluginNotRunning, UnknownProvider, WaavError
from waav.observe.counters import Counters
from waav.observe.load import Load
from waav.plugins import Guarded, Plugins
from waav.session.choices import TURN_AUDIO, Choices
from waav.session.commands import (
    Interruption,
    NoiseReduction,
    ProcessorChoice,
    STTConfig,
    TTSConfig,
    TurnDetection,
    VoiceDetection,
)
from waav.session.judging import Judge
from waav.session.memory import Memory
from waav.session.outbox import Outbox
from waav.session.processing import Processing, open_pipeline
from waav.session.resolve import nearest_format
from waav.session.shedding import Shedding
from waav.session.speaker import Speaker
from waav.speech.cache import SpeechCache
from waav.turns.barge_in import BargeInRules, plain_words
from waav.turns.endpointing import Waits

log = logging.getLogger(__name__)

ANY = frozenset({"", "gateway"})
"""How clients say that the operator shall choose the provider."""


@attrs.frozen
class Means:
    """Providers, the operator's choices among them, and the cache of what was said."""

    plugins: Plugins
    cache: SpeechCache | None = None
    """None keeps nothing."""
    choices: Choices = Choices()
    load: Load = attrs.Factory(Load)
    """How much there is to do."""
    counters: Counters = attrs.Factory(Counters)
    """What all sessions together have done."""

    def stt(self, name: str) -> Guarded[STT]:
        """Return the provider that listens.

        Raises:
            InvalidRequest: there is no such provider, or none is named and there is no default.
            PluginNotRunning: it is not in service now.
        """
        return self.plugins.stt(_chosen(name, self.choices.stt, "stt"))

    def tts(self, name: str) -> Guarded[TTS]:
        """Return the provider that speaks; raises as :meth:`stt`."""
        return self.plugins.tts(_chosen(name, self.choices.tts, "tts"))

    def shedding(self, outbox: Outbox) -> Shedding:
        """Return how a session learns what it has to do without."""
        names = (self.choices.denoiser, *self.choices.optional)
        return Shedding(self.load, outbox, frozenset(map(self._processor_id, names)))

    def speaker(self, config: TTSConfig, shedding: Shedding | None = None) -> Speaker:
        """Return a voice.

        Raises:
            InvalidRequest: it cannot give the wanted format, or an option is wrong; or as :meth:`stt`.
            PluginNotRunning: it is not in service now.
        """
        chosen = self.choices.post_tts if config.processors is None else config.processors
        processing = None
        if chosen:
            processing = Processing(self.plugins, chosen, self.choices.budget, shedding)
        return Speaker.of(self.tts(config.provider), config, self.cache, processing)

    def waits(self, provider: str, turn: TurnDetection) -> Waits:
        """Return how long a session waits that hears through this provider."""
        waits = self.choices.waits(provider)
        return waits if turn.silence is None else attrs.evolve(waits, silence=turn.silence)

    def judge(self, config: STTConfig, heard: AudioFormat) -> Judge | None:
        """Return the detectors that a session asks; None if it wants none, or there are none.

        Args:
            heard: the format of the sound that it hears; nobody listens to compressed sound.
        """
        turn = merged(self.choices.turn, config.turn)
        if turn.enabled is False:
            return None
        readable = convertible(heard, TURN_SOUND)
        kinds = self.choices.turn_kinds if readable else self.choices.turn_kinds - {TURN_AUDIO}
        chosen = [
            detector for detector in self._turn_detectors() if kinds & {*detector.ability.features}
        ]
        if not chosen:
            return None
        hears = any(TURN_AUDIO in detector.ability.features for detector in chosen)
        memory = Memory() if hears and readable else None
        return Judge(tuple(chosen), config.options.language, turn.threshold, memory)

    def _turn_detectors(self) -> Iterator[Guarded[TurnDetector]]:
        for name in self.plugins.registry.ids(Capability.TURN_DETECTOR):
            try:
                yield self.plugins.turn_detector(name)
            except PluginNotRunning:
                continue  # its state stands in /plugins; time decides instead

    def vad(
        self, config: STTConfig, heard: AudioFormat, *, needed: bool
    ) -> tuple[Guarded[VAD], VADOptions] | None:
        """Return what tells voices from silence, and how; None if nobody wants it.

        Args:
            heard: the format of the sound that it will get.
            needed: something else in the session goes better with it.

        Raises:
            WaavError: the client wants it, and it cannot be had.
        """
        wish = merged(self.choices.vad, config.vad)
        if not wish.enabled and not (needed and config.vad.enabled is None):
            return None
        try:
            provider = self.plugins.vad(_chosen("", self.choices.vad_provider, "vad"))
            format = _readable(provider, heard)
        except WaavError:
            if wish.enabled:
                raise
            return None
        return provider, VADOptions(format, wish.threshold, wish.min_speech, wish.min_silence)

    def pre_stt(
        self, config: STTConfig, target: AudioFormat, shedding: Shedding | None = None
    ) -> AbstractAsyncContextManager[Pipeline]:
        """Return what the user's sound goes through, not yet opened; it ends in ``target``."""
        # Of compressed sound nobody here can change anything: the operator's goes without saying.
        standing = self.choices.pre_stt if config.options.format.sample_bytes else ()
        chosen = standing if config.processors is None else config.processors
        noise = config.noise
        if noise.enabled is not None:
            denoiser = self._processor_id(self.choices.denoiser)
            others = tuple(each for each in chosen if self._processor_id(each.name) != denoiser)
            own = (self._denoising(denoiser, noise.attenuation),) if noise.enabled else ()
            chosen = (*own, *others)
        source, budget = config.options.format, self.choices.budget
        return open_pipeline(self.plugins, chosen, source, target, budget, shedding=shedding)

    def _processor_id(self, name: str) -> str:
        """Return what a processor is called that goes by many names; an unknown one by its own."""
        try:
            return self.plugins.registry.find(Capability.PROCESSOR, name).id
        except UnknownProvider:
            return name

    def _denoising(self, denoiser: str, attenuation: float | None) -> ProcessorChoice:
        """Return how noise is lowered; not every processor can be told how far."""
        if attenuation is None:
            return ProcessorChoice(denoiser)
        manifest = self.plugins.registry.find(Capability.PROCESSOR, denoiser)
        options = manifest.abilities[Capability.PROCESSOR].options
        if options is None or "attenuation" not in attrs.fields_dict(options):
            log.warning("%s does not know attenuation: ignored", denoiser)
            return ProcessorChoice(denoiser)
        return ProcessorChoice(denoiser, {"attenuation": attenuation})

    def barge_in(self, before: BargeInRules, wish: Interruption) -> BargeInRules:
        """Return when the user's talking interrupts: as before, but for what is wished."""
        told = {name: value for name, value in attrs.asdict(wish).items() if value is not None}
        if told.get("resume_after") == 0:
            told["resume_after"] = None
        if "ignore_words" in told:
            told["nods"] = plain_words(told.pop("ignore_words"))
        return attrs.evolve(before, **told)


Wish = TypeVar("Wish", VoiceDetection, TurnDetection, NoiseReduction)


def merged(choice: Wish, wish: Wish) -> Wish:
    """Return what the client wishes, and where it says nothing what the operator has chosen."""
    told = {name: value for name, value in attrs.asdict(wish).items() if value is not None}
    return attrs.evolve(choice, **told)


def _readable(provider: Guarded[VAD], heard: AudioFormat) -> AudioFormat:
    format = nearest_format(provider.ability, heard)
    if not convertible(heard, format):
        text = f"{provider.id} does not take {heard.encoding} audio"
        raise InvalidRequest(text, code="invalid_audio_format")
    return format


def _chosen(name: str, default: str | None, capability: str) -> str:
    chosen = default if name in ANY else name
    if chosen is None:
        raise InvalidRequest(
            f"No {capability} provider is named, and {capability}.provider is not configured",
            code="missing_provider",
        )
    return chosen
