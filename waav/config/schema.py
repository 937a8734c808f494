"""All that can be configured: one class per section of ``config.toml``.

Times and sizes are in the unit that the key says (``_seconds``, ``_ms``, ``_bytes``), because this
is an edge; properties give seconds where the two differ.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import attrs

from waav.config.auth import Auth
from waav.config.common import max_sessions
from waav.config.credentials import Providers
from waav.config.metrics import Metrics, Watchdog
from waav.config.middleware import Middleware
from waav.config.option import option, section, table
from waav.config.outbound import Outbound
from waav.config.overload import Overload
from waav.config.pending import LiveKit, Recording, Sip
from waav.config.pipelines import Pipelines
from waav.config.security import Security
from waav.config.turn_taking import VAD, Interruption, SpeechFinal, TurnDetector


@attrs.frozen
class Tls:
    """Encryption of the gateway's own port."""

    enabled: bool = option("Speak HTTPS and WSS.", default=False, env="TLS_ENABLED")
    cert_path: Path | None = option(
        "The certificate chain (PEM); required when TLS is on.",
        env="TLS_CERT_PATH",
        example='"/etc/waav/cert.pem"',
    )
    key_path: Path | None = option(
        "The private key (PEM); required when TLS is on.",
        env="TLS_KEY_PATH",
        example='"/etc/waav/key.pem"',
    )


@attrs.frozen
class Server:
    """The one port on which the gateway listens, and what it writes down."""

    host: str = option("The address to listen on.", default="0.0.0.0", env="HOST")  # noqa: S104  # a server
    port: int = option(
        "The port to listen on; 0 takes any free one.",
        default=3001,
        env="PORT",
        least=0,
        most=65535,
    )
    workers: int = option(
        "Processes that share the port, one for each core of the machine if 0. From 2 on a supervisor"
        " replaces one that dies.",
        default=1,
        least=0,
        most=1024,
    )
    shutdown_grace_seconds: float = option(
        "How long open sessions may take to end after a stop signal.", default=30.0, least=0
    )
    head_timeout_seconds: float = option(
        "A connection that has not said what it wants by then is closed.", default=10.0, above=0
    )
    trusted_proxies: tuple[str, ...] = option(
        "Addresses and networks of proxies in front of the gateway: what they say in Forwarded and"
        " X-Forwarded-For about the client's address is believed, by all limits.",
        default=(),
    )
    proxy_protocol: bool = option(
        "Each connection comes from one of trusted_proxies and begins with its client's address (the"
        " PROXY protocol, version 1 or 2); any other is closed.",
        default=False,
    )
    max_body_bytes: int = option("The largest REST request body.", default=2 << 20, least=1)
    log_format: Literal["text", "json"] = option("How log records are written.", default="text")
    log_level: Literal["debug", "info", "warning", "error"] = option(
        "The least important log records that are written.", default="info"
    )
    access_log: bool = option(
        "Write a log record (info) for each request and each WebSocket connection that ends; health"
        " and metrics are left out.",
        default=True,
    )
    tls: Tls = section(Tls)


@attrs.frozen
class WebSocket:
    """The limits of a WebSocket connection."""

    auth_timeout_seconds: float = option(
        "How long a client that showed no token may take for its auth message, where one is required.",
        default=10.0,
        above=0,
    )
    idle_timeout_seconds: float = option(
        "A connection with no sound or message either way for so long is closed.",
        default=300.0,
        above=0,
    )
    idle_jitter_seconds: float = option(
        "The idle time of a connection differs by up to so much, at random, so that many do not"
        " end at once; less than the idle time.",
        default=30.0,
        least=0,
    )
    ping_interval_seconds: float = option(
        "The time between two protocol pings to the client.", default=20.0, above=0
    )
    ping_timeout_seconds: float = option(
        "A client that answers no ping for so long counts as gone.", default=60.0, above=0
    )
    send_timeout_seconds: float = option(
        "A client that takes nothing of what it is sent for so long is cut off.",
        default=10.0,
        above=0,
    )
    max_message_bytes: int = option("The largest message of any kind.", default=10 << 20, least=1)


@attrs.frozen
class Cache:
    """Speech that was said before, kept in memory and on disk."""

    path: Path | None = option(
        "The folder for what outlives the process, also that of plugins; without it nothing does.",
        env="CACHE_PATH",
        example='"/var/cache/waav"',
    )
    ttl_seconds: int = option(
        "How long speech stays in the cache.",
        default=30 * 24 * 3600,
        env="CACHE_TTL_SECONDS",
        above=0,
    )
    memory_max_bytes: int = option(
        "The most memory that cached speech takes.", default=64 << 20, least=0
    )


@attrs.frozen
class Plugins:
    """Where plugins come from, and their settings."""

    enabled: bool = option(
        "Load plugins: those that are installed, the built-in engines among them, and those of plugin_dir.",
        default=True,
        env="PLUGINS_ENABLED",
    )
    plugin_dir: Path | None = option(
        "A folder with plugins of your own, single files or packages; it must exist.",
        env="PLUGINS_DIR",
        example='"/etc/waav/plugins"',
    )
    client_keys: bool = option(
        "Whether a client may bring a provider's key of its own, for its session or its request.",
        default=True,
        env="PLUGINS_CLIENT_KEYS",
    )
    providers: Mapping[str, Mapping[str, Any]] = table(
        "The settings of a provider: [plugins.providers.NAME], and what its sessions start with:"
        " [plugins.providers.NAME.stt] and [plugins.providers.NAME.tts]. max_sessions, for every"
        " provider: its conversations at one time, for each capability and each key."
    )

    @property
    def max_sessions(self) -> Mapping[str, int]:
        """How many conversations there may be at one time, by the name of the provider's table."""
        most = {name: max_sessions(table) for name, table in self.providers.items()}
        return {name: number for name, number in most.items() if number is not None}


@attrs.frozen
class ListenDefaults:
    """What listens when a client does not say. [stt.NAME] is short for [plugins.providers.NAME.stt]."""

    provider: str | None = option(
        "The provider of sessions that name none.", example='"pocketsphinx"'
    )


@attrs.frozen
class SpeakDefaults:
    """What speaks when a client does not say. [tts.NAME] is short for [plugins.providers.NAME.tts]."""

    provider: str | None = option("The provider of sessions that name none.", example='"espeak"')


@attrs.frozen
class Config:
    """Everything. The defaults make a gateway that works, with engines that need no key."""

    server: Server = section(Server)
    websocket: WebSocket = section(WebSocket)
    cache: Cache = section(Cache)
    plugins: Plugins = section(Plugins)
    middleware: Middleware = section(Middleware)
    stt: ListenDefaults = section(ListenDefaults)
    tts: SpeakDefaults = section(SpeakDefaults)
    speech_final: SpeechFinal = section(SpeechFinal)
    turn_detector: TurnDetector = section(TurnDetector)
    vad: VAD = section(VAD)
    interruption: Interruption = section(Interruption)
    pipelines: Pipelines = section(Pipelines)
    overload: Overload = section(Overload)
    providers: Providers = section(Providers)
    metrics: Metrics = section(Metrics)
    watchdog: Watchdog = section(Watchdog)
    security: Security = section(Security)
    outbound: Outbound = section(Outbound, pending=True)
    auth: Auth = section(Auth)
    livekit: LiveKit = section(LiveKit, pending=True)
    sip: Sip = section(Sip, pending=True)
    recording: Recording = section(Recording, pending=True)
