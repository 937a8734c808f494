"""One text -> its sound, in the format that the listener wants. Sessions and ``/speak`` share it."""

import logging
from collections.abc import Callable
from math import inf
from typing import TypeAlias

import attrs
import trio

from capabilities import (
    TTS,
    AudioFrame,
    Encoding,
    Feeling,
    ProviderBusy,
    ProviderError,
    ProviderProtocolError,
    ProviderUnavailable,
    SpeechRequest,
)
from waav.audio.convert import NotConvertible
from waav.audio.shape import Shaper
from waav.errors import InvalidRequest, LimitReached, WaavError
from waav.plugins import Guarded
from waav.session.commands import Speak, TTSConfig
from waav.session.processing import Processing
from waav.session.resolve import resolve_tts
from waav.speech.cache import Listener, Sink, SpeechCache
from waav.speech.key import speech_key
from waav.speech.manner import Shortfall, fit
from waav.speech.text import has_words, pieces, pronouncing
from waav.tasks import open_scoped_nursery

log = logging.getLogger(__name__)

AHEAD = 2048
"""Frames of at most 100 ms that a voice may be ahead of its listener, in each piece of a text: all of
a piece, as a rule, so that a slow listener does not hold up who shares it."""
PIECES_AHEAD = 1
"""Pieces that are made while another is heard."""
SHORTEST_PAUSE = 0.25
"""Seconds before a provider that has no place is asked again, whatever it says."""

Sound: TypeAlias = AudioFrame | ProviderError | WaavError
"""A failure comes behind the sound that was made before it."""


@attrs.frozen
class Speaker:
    """A voice: a provider, and how to ask it."""

    provider: Guarded[TTS]
    config: TTSConfig
    pattern: SpeechRequest
    """Each request but for its text; its format is what the provider is asked for."""
    cache: SpeechCache | None = None
    processing: Processing | None = None
    """What the sound goes through before it leaves."""
    pronounced: Callable[[str], str] = str
    """Made once: a thousand words are too many to be prepared for each utterance."""

    @classmethod
    def of(
        cls,
        provider: Guarded[TTS],
        config: TTSConfig,
        cache: SpeechCache | None = None,
        processing: Processing | None = None,
    ) -> "Speaker":
        """Make one.

        Raises:
            InvalidRequest: the provider cannot give the wanted format, or an option is wrong.
        """
        words = [(each.word, each.spoken) for each in config.pronunciations]
        pattern = resolve_tts(provider, config)
        speaker = cls(provider, config, pattern, cache, processing, pronouncing(words))
        for shortfall in speaker.shortfalls():
            log.warning("%s", shortfall.message)
        return speaker

    def shortfalls(self, speak: Speak | None = None) -> tuple[Shortfall, ...]:
        """Say what the voice cannot do of what is asked for, by the configuration or an utterance."""
        _, lost = self._fitted(speak or Speak(""))
        return lost

    async def say(self, speak: Speak, sink: Sink) -> None:
        """Give ``sink`` the sound of one text, in frames of at most 100 ms.

        A long text is said piece by piece: while one is heard the next is made, and no more.

        Raises:
            ProviderError: the provider could not say it, or gave no sound for words.
            PluginFailed, PluginNotRunning: the provider broke, or is not in service.
            LimitReached: the provider has as many conversations as it may have.
            InvalidRequest: its sound is not convertible.
        """
        if self.processing is None:
            await self._say(speak, sink)
            return
        async with self.processing.into(sink, self.config.request.format) as processed:
            await self._say(speak, processed)

    async def _say(self, speak: Speak, sink: Sink) -> None:
        making, made = trio.open_memory_channel[trio.MemoryReceiveChannel[Sound]](PIECES_AHEAD)
        async with open_scoped_nursery("all is said") as nursery:
            nursery.start_soon(self._make_all, speak, making, name="session/speak/make")
            async for piece in made:
                async for sound in piece:
                    if not isinstance(sound, AudioFrame):
                        raise sound
                    await sink(sound)

    async def _make_all(
        self,
        speak: Speak,
        making: trio.MemorySendChannel[trio.MemoryReceiveChannel[Sound]],
    ) -> None:
        """Make one piece after the other, each for a channel of its own."""
        pattern, _ = self._fitted(speak)
        ability, pronounced = self.provider.ability, self.pronounced
        target, samples, patience = self.config.request.format, 0, 0.0
        with making:
            for request in pieces(pattern, ability, speak.text, speak.ssml, pronounced):
                sounds, made = trio.open_memory_channel[Sound](AHEAD)
                await making.send(made)
                shaper = Shaper(target, samples)
                with sounds:
                    try:
                        await self._make(request, shaper, sounds.send, patience)
                    except (ProviderError, WaavError) as exc:
                        await sounds.send(exc)
                        return
                samples, patience = shaper.samples, self.config.request_timeout
                if samples and target.encoding is Encoding.WAV:
                    # Its header is out.
                    target = attrs.evolve(target, encoding=Encoding.LINEAR16)

    async def _make(
        self, request: SpeechRequest, shaper: Shaper, sink: Sink, patience: float
    ) -> None:
        """Make one piece; for ``patience`` seconds try again while all places are taken."""
        deadline = trio.current_time() + patience
        timeouts = self.config.connection_timeout, self.config.request_timeout
        listener = Listener(self.provider.id, self._through(shaper, sink), *timeouts)
        while True:
            try:
                await self._hear(request, listener)
                break
            except (ProviderBusy, LimitReached) as exc:
                # Between two pieces somebody else may have come; a pause is better than half a text.
                pause = max(exc.retry_after, SHORTEST_PAUSE)
                if trio.current_time() + pause > deadline:
                    raise
                await trio.sleep(pause)
        for frame in shaper.flush():
            await sink(frame)

    def _through(self, shaper: Shaper, sink: Sink) -> Sink:
        async def shape(frame: AudioFrame) -> None:
            if not shaper.target.sample_bytes and frame.format.encoding is shaper.target.encoding:
                await sink(frame)
                return
            try:
                for piece in shaper.feed(frame):
                    await sink(piece)
            except NotConvertible as exc:
                told = f"{self.provider.id}: {exc}"
                raise InvalidRequest(told, code="invalid_audio_format") from exc

        return shape

    def _fitted(self, speak: Speak) -> tuple[SpeechRequest, tuple[Shortfall, ...]]:
        """Return the request for an utterance but for its text, and what it lacks."""
        pattern = self.pattern
        wanted = attrs.evolve(
            pattern,
            voice=speak.voice or pattern.voice,
            model=speak.model or pattern.model,
            speed=pattern.speed if speak.speed is None else speak.speed,
            feeling=_felt(pattern.feeling, speak),
        )
        return fit(self.provider.id, self.provider.ability, wanted)

    async def _hear(self, request: SpeechRequest, listener: Listener) -> None:
        """Hear it out of the cache, with others who want the same, or fresh."""

        async def make(sink: Sink) -> None:
            async with self.provider.turnstile.slot(request):
                await self.provider.run(self._synthesize, request, sink)

        if self.cache is None:
            await make(listener.take)
        else:
            await self.cache.hear(speech_key(self.provider.id, request), make, listener)

    async def _synthesize(self, tts: TTS, request: SpeechRequest, sink: Sink) -> None:
        """Runs in a task of the provider's plugin."""
        timeout, speech = self.config.connection_timeout, self.provider.speech
        asked, waiting = trio.current_time(), True
        # One scope around all, because what the provider opens must not outlive a smaller one.
        with trio.CancelScope(deadline=asked + timeout) as patience:
            async with tts.synthesize(request) as frames:
                async for frame in frames:
                    # Only the provider's own time counts: a slow listener is not the voice's fault.
                    patience.deadline = inf
                    if waiting:
                        speech.first_sound.note(trio.current_time() - asked)
                        waiting = False
                    speech.audio += frame.duration
                    await sink(frame)
                    timeout = self.config.request_timeout
                    patience.deadline = trio.current_time() + timeout
        if patience.cancelled_caught:
            raise ProviderUnavailable(self.provider.id, f"no sound came for {timeout:g} s")
        if waiting and has_words(request):
            # No success that anybody could hear; and it must not be kept as one.
            raise ProviderProtocolError(self.provider.id, "said nothing")


def _felt(feeling: Feeling, speak: Speak) -> Feeling:
    """Return the session's feeling with what an utterance says of it."""
    # A description stands for a whole feeling: that of another one would overrule the new emotion.
    described = feeling.description if speak.emotion is None else ""
    return Feeling(
        emotion=feeling.emotion if speak.emotion is None else speak.emotion,
        intensity=feeling.intensity if speak.intensity is None else speak.intensity,
        delivery=feeling.delivery if speak.delivery is None else speak.delivery,
        description=described if speak.description is None else speak.description,
    )
