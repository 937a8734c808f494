"""What a plugin says about itself, what it gets, and what it brings."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from math import inf
from pathlib import Path
from typing import Any, Protocol

import attrs

from capabilities.audio import Encoding
from capabilities.auth import Auth
from capabilities.cloning import CloneLimits, VoiceCloning
from capabilities.emotion import Expression
from capabilities.llm import LLM
from capabilities.middleware import Middleware
from capabilities.processor import AudioProcessor
from capabilities.secret import Secret
from capabilities.stt import STT
from capabilities.tts import TTS
from capabilities.turn_detector import TurnDetector
from capabilities.vad import VAD
from capabilities.ws_handler import WSHandler


class Capability(StrEnum):
    """What a plugin can bring. Each is a Protocol of this package and a field of :class:`Plugin`."""

    STT = "stt"
    TTS = "tts"
    VAD = "vad"
    LLM = "llm"
    CLONING = "cloning"
    TURN_DETECTOR = "turn_detector"
    PROCESSOR = "processor"
    AUTH = "auth"
    MIDDLEWARE = "middleware"
    WS_HANDLER = "ws_handler"


@attrs.frozen
class Limits:
    """What a provider does not go beyond."""

    idle_timeout: float = inf
    """Seconds without audio or text after which it hangs up."""
    longest_session: float = inf
    """Seconds that one stream may last."""
    frame_bytes: int = 1 << 20
    """Bytes of audio it takes in one message."""
    text_bytes: int = 100 * 1024
    """Bytes of UTF-8 text it takes in one request."""
    concurrency: int | None = None
    """Streams or requests at one time; None if it sets no limit."""


@attrs.frozen
class Ability:
    """How well a plugin does one capability: what listings show and the gateway adapts to."""

    features: tuple[str, ...] = ()
    """Names of the list in docs/providers/README.md, for example ``word-timestamps``."""
    languages: tuple[str, ...] = ()
    """BCP-47 tags, or ``multi`` for "more than are listed"."""
    models: tuple[str, ...] = ()
    """The first one is the default."""
    encodings: tuple[Encoding, ...] = (Encoding.LINEAR16,)
    """What it takes (STT, VAD, PROCESSOR) or gives (TTS), the preferred one first."""
    sample_rates: tuple[int, ...] = ()
    """Hertz, the preferred one first; empty if it takes any."""
    channels: int = 1
    """The most it takes or gives."""
    speeds: tuple[float, float] = (0.25, 4.0)
    """The slowest and the fastest that it speaks (TTS); ``(1.0, 1.0)`` if it has one pace."""
    expression: Expression = Expression()
    """Which emotions its voices have (TTS)."""
    limits: Limits = Limits()
    cloning: CloneLimits = CloneLimits()
    """What it makes voices from (CLONING)."""
    message_types: tuple[str, ...] = ()
    """The ``message_type`` of those custom messages that it handles (WS_HANDLER), as clients write them."""
    priority: int = 0
    """Whose is lower is asked before (MIDDLEWARE), unless the operator says otherwise."""
    options: type[Any] | None = None
    """An attrs class: the options that a session may set for this provider."""


class HealthState(StrEnum):
    """How a plugin feels."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"


@attrs.frozen
class Health:
    """How a plugin feels, and why."""

    state: HealthState = HealthState.UNKNOWN
    detail: str = ""


async def always_healthy() -> Health:
    """Answer for a plugin that has nothing that could be ill."""
    return Health(HealthState.HEALTHY)


@attrs.frozen
class Plugin:
    """What an opened plugin brings. A capability that its manifest names must not be None here."""

    stt: STT | None = None
    tts: TTS | None = None
    vad: VAD | None = None
    llm: LLM | None = None
    cloning: VoiceCloning | None = None
    turn_detector: TurnDetector | None = None
    processor: AudioProcessor | None = None
    auth: Auth | None = None
    middleware: Middleware | None = None
    ws_handler: WSHandler | None = None
    health: Callable[[], Awaitable[Health]] = always_healthy
    """Asked from time to time; an exception counts as unhealthy."""


@attrs.frozen
class PluginContext:
    """What a plugin gets when it is opened."""

    id: str
    settings: Any
    """An instance of the class that the manifest names: ``[plugins.providers.<id>]``, structured."""
    credentials: Mapping[str, Secret]
    """Those of the names in ``Manifest.credentials`` that the operator has set."""
    requires: Mapping[str, Plugin]
    """The plugins named in ``Manifest.requires``, open and running."""
    data_dir: Path | None
    """A folder of its own that outlives the process, or None if no cache path is configured."""
    log: logging.Logger


class OpenPlugin(Protocol):
    """The recipe of a plugin."""

    def __call__(self, context: PluginContext, /) -> AbstractAsyncContextManager[Plugin]:
        """Open the plugin for as long as the ``async with`` block lasts.

        Entering loads and checks; it may be slow, and it may fail with an exception whose message
        an operator will read. Leaving closes everything. Tasks that it needs belong to a nursery
        inside the block.
        """
        ...


@attrs.frozen
class NoSettings:
    """The settings of a plugin that has none."""


@attrs.frozen
class Download:
    """A file that a plugin needs and does not bring: ``waav init`` fetches it into its folder."""

    name: str
    """In :attr:`PluginContext.data_dir`."""
    url: str
    sha256: str = ""
    """Empty: what comes is taken, and its SHA-256 kept beside it as ``<name>.sha256``."""


def no_downloads(_settings: Any) -> tuple[Download, ...]:
    """Answer for a plugin that brings all it needs."""
    return ()


@attrs.frozen
class Manifest:
    """What a plugin says about itself before anybody opens it."""

    id: str
    """Lower case letters, digits and ``-``: its name in config, on the wire and in listings."""
    name: str
    """For people."""
    open: OpenPlugin = attrs.field(repr=False)
    abilities: Mapping[Capability, Ability] = attrs.field(factory=dict)
    aliases: tuple[str, ...] = ()
    """Other names; they lead to this plugin for each capability that it has."""
    version: str = "0"
    description: str = ""
    settings: type[Any] = NoSettings
    """An attrs class for ``[plugins.providers.<id>]``."""
    downloads: Callable[[Any], tuple[Download, ...]] = attrs.field(default=no_downloads, repr=False)
    """The files that it needs, for its settings."""
    credentials: tuple[str, ...] = ()
    """Keys of ``[providers]`` that it uses, for example ``deepgram_api_key``."""
    requires: tuple[str, ...] = ()
    """Ids of plugins that must run before this one opens."""
