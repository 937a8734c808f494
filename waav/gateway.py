"""Everything put together, once: :func:`open_gateway`."""

from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

import attrs
import trio

from capabilities import (
    AudioFrame,
    ClonedVoice,
    CloneRequest,
    Encoding,
    Manifest,
    Secret,
    Transcript,
    Voice,
)
from waav.audio.wav import wav_header
from waav.config import Config
from waav.config.secrets import secrets_of
from waav.observe.counters import Counters
from waav.observe.fleet import Alone, Fleet
from waav.observe.load import Load, open_load
from waav.observe.scope import hiding
from waav.observe.stages import Marks, Rules, Stage
from waav.observe.watchdog import Watchdog, open_watchdog
from waav.plugins import Discovery, Plugins, discover, open_plugins
from waav.plugins.homes import homes_of
from waav.security.authenticate import Authenticator, open_authenticator
from waav.security.limits import Limiter, LocalLimiter
from waav.security.tenancy import Scope, Tenancy
from waav.session.choices import Choices
from waav.session.commands import Speak, STTConfig, TTSConfig
from waav.session.means import Means
from waav.session.recognise import recognise
from waav.session.session import Session, open_session
from waav.session.speaker import Speaker
from waav.session.voices import EVERYTHING, Voices
from waav.speech.cache import SpeechCache
from waav.state.files import FileCache
from waav.state.layered import LayeredCache
from waav.state.memory import MemoryCache
from waav.tasks import open_scoped_nursery

SWEEP_INTERVAL = 3600.0
"""Seconds between two searches for what has expired on disk."""


@attrs.define(eq=False)
class Gateway:
    """What is shared by all sessions. Made by :func:`open_gateway`."""

    config: Config
    means: Means
    limiter: Limiter
    """Counts connections, and conversations with providers."""
    watchdog: Watchdog
    """Knows how often the event loop was held, and by whom."""
    authenticator: Authenticator
    """Knows who comes."""
    opened_at: float = attrs.Factory(trio.current_time)
    """On trio's clock."""
    sessions: int = 0
    """How many are open now."""
    stopping: trio.Event = attrs.Factory(trio.Event)
    """Set when nobody new should come."""
    fleet: Fleet = Alone()
    """The other processes of the same gateway."""
    tenancy: Tenancy = attrs.Factory(lambda self: Tenancy.of(self.config.auth), takes_self=True)
    """What belongs to whom."""
    _voices: Voices = attrs.Factory(lambda self: Voices(self.plugins), takes_self=True)

    @property
    def plugins(self) -> Plugins:
        """All providers, by name."""
        return self.means.plugins

    @property
    def counters(self) -> Counters:
        """What all sessions and connections together have done."""
        return self.means.counters

    @property
    def load(self) -> Load:
        """How much there is to do, and what is done about it."""
        return self.means.load

    @property
    def uptime(self) -> float:
        """Seconds since it was opened."""
        return trio.current_time() - self.opened_at

    @asynccontextmanager
    async def open_session(self, tenant: str | None = None) -> AsyncIterator[Session]:
        """Run a session for as long as the block lasts.

        It listens and speaks once a :class:`~waav.session.commands.Configure` was submitted; see
        :func:`waav.session.session.open_session`.

        Args:
            tenant: whose it is, and among whose it counts; None for nobody's.

        Raises:
            LimitReached: at the start of the block: the tenant has as many as it may.
        """
        place = nullcontext() if tenant is None else self.limiter.slot([("tenant", tenant)])
        async with place:
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
        return self.means.speaker(config)

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

    async def voices(
        self, provider: str, api_key: Secret | None = None, scope: Scope = EVERYTHING
    ) -> Sequence[Voice]:
        """List a provider's voices; see :meth:`waav.session.voices.Voices.of`."""
        return await self._voices.of(provider, api_key, scope)

    async def all_voices(
        self, scope: Scope = EVERYTHING
    ) -> tuple[Mapping[str, Sequence[Voice]], int]:
        """List the voices of all providers that run, by id; and how many of them could not tell."""
        return await self._voices.all(scope)

    async def clone_voice(
        self, provider: str, request: CloneRequest, scope: Scope = EVERYTHING
    ) -> ClonedVoice:
        """Make a voice; see :meth:`waav.session.voices.Voices.clone`."""
        return await self._voices.clone(provider, request, scope)

    async def cloned_voice(
        self,
        provider: str,
        voice_id: str,
        api_key: Secret | None = None,
        scope: Scope = EVERYTHING,
    ) -> ClonedVoice:
        """Look after a voice that was made; see :meth:`waav.session.voices.Voices.look_up`."""
        return await self._voices.look_up(provider, voice_id, api_key, scope)

    async def delete_voice(
        self,
        provider: str,
        voice_id: str,
        api_key: Secret | None = None,
        scope: Scope = EVERYTHING,
    ) -> None:
        """Remove a voice for good; see :meth:`waav.session.voices.Voices.delete`."""
        await self._voices.delete(provider, voice_id, api_key, scope)


@asynccontextmanager
async def open_gateway(
    config: Config | None = None,
    *,
    manifests: Sequence[Manifest] = (),
    limiter: Limiter | None = None,
) -> AsyncIterator[Gateway]:
    """Open everything that sessions share, for as long as the block lasts.

    Entering returns when every plugin runs or has failed; a failed one stops nobody.

    Args:
        config: the defaults if None: engines that need no key and no network.
        manifests: plugins of the program itself, beside those that are found.
        limiter: who counts, where this process is one of several; None for this process alone.
    """
    config = config or Config()
    limiter = limiter or LocalLimiter.of(config)
    found = Discovery()
    if config.plugins.enabled:
        # Imports strangers' code and reads files: not on the loop.
        found = await trio.to_thread.run_sync(discover, config.plugins.plugin_dir)
    own = Discovery.of(*manifests)
    everything = Discovery((*found.found, *own.found), found.failures)
    async with (
        _hide_secrets(config),
        _open_cache(config) as cache,
        open_plugins(
            everything,
            settings=config.plugins.providers,
            credentials=config.providers.credentials(_credential_names(everything)),
            data_dir=config.cache.path and config.cache.path / "plugins",
            client_keys=config.plugins.client_keys,
            limiter=limiter,
        ) as plugins,
        open_load(_load_rules(config)) as load,
        open_authenticator(config, plugins) as authenticator,
    ):
        means = Means(plugins, cache, Choices.of(config), load)
        with open_watchdog(
            lambda: load.lag.beat, lambda: homes_of(plugins.registry), config.watchdog.loop_held
        ) as watchdog:
            yield Gateway(config, means, limiter, watchdog, authenticator)


@asynccontextmanager
async def _hide_secrets(config: Config) -> AsyncIterator[None]:
    with hiding(secrets_of(config)):
        yield


def _load_rules(config: Config) -> Rules | None:
    overload = config.overload
    if not overload.enabled:
        return None
    return Rules(
        marks={stage: Marks.at(*overload.begins(stage.name.lower())) for stage in Stage if stage},
        patience=overload.patience_seconds,
        calm=overload.calm_seconds,
        idle=overload.evict_idle_seconds,
    )


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
