"""A plugin that names every key it gets: in what it logs, raises, and says of itself. Put into a folder."""

import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import attrs

from capabilities import (
    STT,
    Ability,
    AudioFrame,
    Capability,
    Health,
    HealthState,
    Manifest,
    Plugin,
    PluginContext,
    ProviderRefused,
    Secret,
    SpeechRequest,
    STTOptions,
    STTStream,
    Voice,
)


@attrs.frozen
class Settings:
    """What the operator sets for it."""

    api_token: str = ""
    url: str = ""


@attrs.frozen
class Leaky:
    """An STT and a TTS, neither of which works."""

    context: PluginContext

    def operators(self) -> str:
        """All that the operator has told it."""
        keys = [secret.reveal() for secret in self.context.credentials.values()]
        return f"{keys} {self.context.settings}"

    def complain(self, own: Secret | None) -> str:
        """Log what it knows, and say it."""
        text = f"401: no such key {own and own.reveal()}, {self.operators()}"
        log = self.context.log
        log.debug("asked with %s", text)
        log.warning("not liked: %s", text, extra={"seen": {"keys": text}, "api_key": "short"})
        log.info("https://me:%s@vendor.example/v1?key=%s", text, text)
        thread = threading.Thread(target=log.error, args=("in a thread: %s", self.operators()))
        thread.start()
        thread.join()
        return text

    @asynccontextmanager
    async def connect(self, options: STTOptions) -> AsyncIterator[STTStream]:
        """Refuse, as providers may: its text is for the client."""
        raise ProviderRefused("leaky", self.complain(options.api_key))
        yield

    @asynccontextmanager
    async def synthesize(self, request: SpeechRequest) -> AsyncIterator[AsyncIterator[AudioFrame]]:
        """Refuse what is a request, and else break the contract with an exception of its own."""
        text = self.complain(request.api_key)
        raise ProviderRefused("leaky", text) if "please" in request.text else RuntimeError(text)
        yield

    async def voices(self, api_key: Secret | None = None, /) -> Sequence[Voice]:
        """Refuse."""
        raise ProviderRefused("leaky", self.complain(api_key))

    async def health(self) -> Health:
        """Feel bad, because of a key."""
        return Health(HealthState.DEGRADED, self.operators())


@asynccontextmanager
async def _open(context: PluginContext) -> AsyncIterator[Plugin]:
    leaky = Leaky(context)
    stt: STT = leaky
    yield Plugin(stt=stt, tts=leaky, health=leaky.health)


@asynccontextmanager
async def _fail(context: PluginContext) -> AsyncIterator[Plugin]:
    raise RuntimeError(Leaky(context).complain(None))
    yield


_ABILITIES = {Capability.STT: Ability(), Capability.TTS: Ability()}
_KEYS = ("cartesia_api_key", "hume_api_key")
MANIFESTS = [
    Manifest("leaky", "Leaky", _open, _ABILITIES, settings=Settings, credentials=_KEYS),
    Manifest("broken", "Broken", _fail, _ABILITIES, credentials=_KEYS),
]
