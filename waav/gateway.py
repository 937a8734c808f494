"""Everything put together, once: :func:`open_gateway`."""

from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import attrs
import trio

from capabilities import (
    TTS,
    AudioFrame,
    Capability,
    Encoding,
    Manifest,
    ProviderError,
    Transcript,
    Voice,
)
from waav.audio.wav import wav_header
from waav.config import Config
from waav.errors import WaavError
from waav.plugins import Discovery, Plugins, discover, open_plugins
from waav.session.commands import Speak, STTConfig, TTSConfig
from waav.session.means import Means
from waav.session.recognise import recognise
from waav.session.session import Session, open_session
from waav.session.speaker import Speaker
from waav.speech.cache import SpeechCache
from waav.state.files import FileCache
from waav.state.layered import LayeredCache
from waav.state.memory import MemoryCache
from waav.tasks import open_scoped_nursery
from waav.turns.endpointing import Waits

VOICES_LIFETIME = 600.0
"""Seconds for which a provider's list of voices is believed."""
SWEEP_INTERVAL = 3600.0
"""Seconds between two searches for what has expired on disk."""


@attrs.define(eq=False)
class Gateway:
    """What is shared by all sessions. Made by :func:`open_gateway`."""

    config: Config
    means: Means
    opened_at: float = attrs.Factory(trio.current_time)
    """On trio's clock."""
    sessions: int = 0
    """How many are open now."""
    _voices: dict[str, tuple[float, Sequence[Voice]]] = attrs.Factory(dict)

    @property
    def plugins(self) -> Plugins:
        """All providers, by name."""
        return self.means.plugins

    @property
    def uptime(self) -> float:
        """Seconds since it was opened."""
        return trio.current_time() - self.opened_at

    @asynccontextmanager
    async def open_session(self) -> AsyncIterator[Session]:
        """Run a session for as long as the block lasts.

        It listens and speaks once a :class:`~waav.session.commands.Configure` was submitted; see
        :func:`waav.session.session.open_session`.
        """
        self.sessions += 1
        try:
            async with open_session(self.means) as session:
                yield session
        finally:
            self.sessions -= 1

    def speaker(self, config: TTSConfig) -> Speaker:
        """Return a voice that speaks outside of a session, with the cache of all.

        Raises:
            UnknownProvider, PluginNotRunning: there is no such provider now.
            InvalidRequest: it cannot give the wanted format, or an option is wrong.
        """
        return Speaker.of(self.means.tts(config.provider), config, self.means.cache)

    async def say(self, config: TTSConfig, speak: Speak) -> bytes:
        """Return the whole sound of one text; for WAV a whole file, with its true length.

        Raises:
            ProviderError, WaavError: as :meth:`speaker` and :meth:`Speaker.say`.
        """
        wanted = config.request.format
        raw = wanted
        if wanted.encoding is Encoding.WAV:
            raw = attrs.evolve(wanted, encoding=Encoding.LINEAR16)
        pattern = attrs.evolve(config.request, format=raw)
        pieces: list[bytes] = []

        async def collect(frame: AudioFrame) -> None:
            await trio.lowlevel.checkpoint()
            pieces.append(frame.data)

        await self.speaker(attrs.evolve(config, request=pattern)).say(speak, collect)
        sound = b"".join(pieces)
        return wav_header(raw, len(sound)) + sound if raw is not wanted else sound

    def recognise(
        self, config: STTConfig, frames: AsyncIterable[AudioFrame]
    ) -> AbstractAsyncContextManager[trio.MemoryReceiveChannel[Transcript]]:
        """Recognise a recording outside of a session: iterate what the block gives.

        Raises:
            UnknownProvider, PluginNotRunning: there is no such provider now.
            ProviderError, WaavError: what the provider raises, when the block is left.
        """
        return recognise(self.means.stt(config.provider), config, frames)

    async def voices(self, provider: str) -> Sequence[Voice]:
        """List a provider's voices, asked for at most every ten minutes.

        Raises:
            UnknownProvider, PluginNotRunning: there is no such provider now.
            ProviderError, PluginFailed: it could not tell.
        """
        tts = self.plugins.tts(provider)
        asked_at, voices = self._voices.get(tts.id, (float("-inf"), ()))
        if trio.current_time() - asked_at >= VOICES_LIFETIME:
            voices = await tts.run(_ask_voices)
            self._voices[tts.id] = trio.current_time(), voices
        return voices

    async def all_voices(self) -> tuple[Mapping[str, Sequence[Voice]], int]:
        """List the voices of all providers that run, by id; and how many of them could not tell."""
        known: dict[str, Sequence[Voice]] = {}
        speaking = [status.id for status in self.plugins.statuses() if _speaks(status.manifest)]

        async def ask(provider: str) -> None:
            try:
                known[provider] = await self.voices(provider)
            except (ProviderError, WaavError):
                return  # logged where it failed; a listing shows those that can be had

        async with trio.open_nursery() as nursery:
            for provider in speaking:
                nursery.start_soon(ask, provider, name=f"voices/{provider}")
        return {provider: known[provider] for provider in sorted(known)}, len(speaking) - len(known)


async def _ask_voices(tts: TTS) -> Sequence[Voice]:
    return await tts.voices()


def _speaks(manifest: Manifest | None) -> bool:
    return manifest is not None and Capability.TTS in manifest.abilities


@asynccontextmanager
async def open_gateway(
    config: Config | None = None, *, manifests: Sequence[Manifest] = ()
) -> AsyncIterator[Gateway]:
    """Open everything that sessions share, for as long as the block lasts.

    Entering returns when every plugin runs or has failed; a failed one stops nobody.

    Args:
        config: the defaults if None: engines that need no key and no network.
        manifests: plugins of the program itself, beside those that are found.
    """
    config = config or Config()
    found = Discovery()
    if config.plugins.enabled:
        # Imports strangers' code and reads files: not on the loop.
        found = await trio.to_thread.run_sync(discover, config.plugins.plugin_dir)
    own = Discovery.of(*manifests)
    everything = Discovery((*found.found, *own.found), found.failures)
    async with (
        _open_cache(config) as cache,
        open_plugins(
            everything,
            settings=config.plugins.providers,
            credentials=config.providers.credentials(_credential_names(everything)),
            data_dir=config.cache.path and config.cache.path / "plugins",
        ) as plugins,
    ):
        means = Means(plugins, cache, _waits(config), config.stt.provider, config.tts.provider)
        yield Gateway(config, means)


def _waits(config: Config) -> Callable[[str], Waits]:
    return lambda provider: Waits(silence=config.speech_final.wait(provider))


def _credential_names(discovery: Discovery) -> set[str]:
    return {name for found in discovery.found for name in found.manifest.credentials}


@asynccontextmanager
async def _open_cache(config: Config) -> AsyncIterator[SpeechCache]:
    memory = MemoryCache(config.cache.memory_max_bytes)
    if config.cache.path is None:
        yield SpeechCache(memory, config.cache.ttl_seconds)
        return
    files = FileCache(config.cache.path / "speech")
    async with open_scoped_nursery("the gateway closes") as nursery:
        nursery.start_soon(files.sweep_forever, SWEEP_INTERVAL, name="cache/sweep")
        yield SpeechCache(LayeredCache(memory, files), config.cache.ttl_seconds)
