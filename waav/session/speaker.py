"""One text -> its sound, in the format that the listener wants. Sessions and ``/speak`` share it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeAlias

import attrs
import trio

from capabilities import TTS, AudioFrame, ProviderUnavailable, SpeechRequest
from waav.audio.convert import NotConvertible
from waav.audio.shape import Shaper
from waav.errors import InvalidRequest
from waav.plugins import Guarded
from waav.session.commands import Speak, TTSConfig
from waav.session.resolve import resolve_tts
from waav.speech.cache import SpeechCache
from waav.speech.text import pronounce

Sink: TypeAlias = Callable[[AudioFrame], Awaitable[None]]
"""Where sound goes; may wait as long as the listener is slow."""


@attrs.frozen
class Speaker:
    """A voice: a provider, and how to ask it."""

    provider: Guarded[TTS]
    config: TTSConfig
    pattern: SpeechRequest
    """Each request but for its text."""
    cache: SpeechCache | None = None

    @classmethod
    def of(
        cls, provider: Guarded[TTS], config: TTSConfig, cache: SpeechCache | None = None
    ) -> "Speaker":
        """Make one.

        Raises:
            InvalidRequest: the provider cannot give the wanted format, or an option is wrong.
        """
        return cls(provider, config, resolve_tts(provider, config), cache)

    async def say(self, speak: Speak, sink: Sink) -> None:
        """Give ``sink`` the sound of one text, in frames of at most 100 ms.

        Raises:
            ProviderError: the provider could not say it.
            PluginFailed, PluginNotRunning: the provider broke, or is not in service.
            InvalidRequest: the text is too long for the provider, or its sound not convertible.
        """
        request = self._request(speak)
        if not request.text.strip():
            return
        shaper = Shaper(request.format)

        async def shape(frame: AudioFrame) -> None:
            try:
                for piece in shaper.feed(frame):
                    await sink(piece)
            except NotConvertible as exc:
                told = f"{self.provider.id}: {exc}"
                raise InvalidRequest(told, code="invalid_audio_format") from exc

        await self._sound(request, shape)
        for piece in shaper.flush():
            await sink(piece)

    def _request(self, speak: Speak) -> SpeechRequest:
        words = [(each.word, each.spoken) for each in self.config.pronunciations]
        text = pronounce(speak.text, words)
        limit = self.provider.ability.limits.text_bytes
        if (size := len(text.encode())) > limit:
            raise InvalidRequest(
                f"{self.provider.id} takes {limit} bytes of text, not {size}", code="text_too_long"
            )
        return attrs.evolve(
            self.pattern,
            text=text,
            voice=speak.voice or self.pattern.voice,
            model=speak.model or self.pattern.model,
            speed=self.pattern.speed if speak.speed is None else speak.speed,
        )

    async def _sound(self, request: SpeechRequest, sink: Sink) -> None:
        """The sound as the provider gives it: out of the cache, or fresh and then kept."""
        if self.cache is None:
            await self.provider.run(self._synthesize, request, sink)
            return
        key = self.cache.key(self.provider.id, request)
        if (known := await self.cache.get(key)) is not None:
            await sink(known)
            return
        kept = self.cache.recording()

        async def keep(frame: AudioFrame) -> None:
            kept.add(frame)
            await sink(frame)

        await self.provider.run(self._synthesize, request, keep)
        # Only here is it whole: a cancelled or failed utterance never gets this far.
        await self.cache.put(key, kept)

    async def _synthesize(self, tts: TTS, request: SpeechRequest, sink: Sink) -> None:
        """Runs in a task of the provider's plugin."""
        async with tts.synthesize(request) as frames:
            iterator = aiter(frames)
            timeout = self.config.connection_timeout
            while (frame := await self._next(iterator, timeout)) is not None:
                await sink(frame)
                timeout = self.config.request_timeout

    async def _next(self, frames: AsyncIterator[AudioFrame], timeout: float) -> AudioFrame | None:
        # Only the provider's own time counts: a slow listener is not the voice's fault.
        try:
            with trio.fail_after(timeout):
                return await anext(frames, None)
        except trio.TooSlowError:
            raise ProviderUnavailable(
                self.provider.id, f"no sound came for {timeout:g} s"
            ) from None
