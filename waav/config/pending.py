"""Sections that a configuration file may have already, for parts that this version has not.

They are read and checked in full, so that a mistake shows before the day it matters. Setting one to
anything but its default is said aloud when the gateway starts; ``auth.required`` is refused.
"""

from pathlib import Path

import attrs

from capabilities import Secret
from waav.config.option import option

_HTTP = ("http", "https")


@attrs.frozen
class Security:
    """Limits, and which web pages may call."""

    cors_allowed_origins: tuple[str, ...] = option(
        'Web pages that may call: ["*"] for all, or a list of origins such as'
        ' "https://app.example.com"; empty for none.',
        default=(),
        env="CORS_ALLOWED_ORIGINS",
    )
    rate_limit_requests_per_second: int = option(
        "Requests a second of one client; 100000 or more switches the limiter off.",
        default=60,
        env="RATE_LIMIT_REQUESTS_PER_SECOND",
        least=1,
    )
    rate_limit_burst_size: int = option(
        "Requests that one client may send at once after a pause.",
        default=10,
        env="RATE_LIMIT_BURST_SIZE",
        least=1,
    )
    max_websocket_connections: int | None = option(
        "WebSocket connections at one time; not set for no limit.",
        env="MAX_WEBSOCKET_CONNECTIONS",
        least=1,
        example="1000",
    )
    max_connections_per_ip: int = option(
        "WebSocket connections of one address.", default=100, env="MAX_CONNECTIONS_PER_IP", least=1
    )

    @property
    def rate_limited(self) -> bool:
        """False if the limiter is switched off by a number that nobody reaches."""
        return self.rate_limit_requests_per_second < RATE_LIMIT_OFF


RATE_LIMIT_OFF = 100_000
"""Requests a second from which on the limiter is off, as in the gateway that we replace."""


def _trimmed(text: str) -> str:
    return text.strip()


def _trimmed_secret(secret: Secret) -> Secret:
    return Secret(secret.reveal().strip())


@attrs.frozen
class ApiSecret:
    """A token that clients present, and the tenant it stands for."""

    id: str = attrs.field(converter=_trimmed)
    secret: Secret = attrs.field(converter=_trimmed_secret)


@attrs.frozen
class Auth:
    """Who may come in."""

    required: bool = option(
        "Let nobody in without a valid token.", default=False, env="AUTH_REQUIRED"
    )
    service_url: str | None = option(
        "A service that checks tokens; together with signing_key_path.",
        env="AUTH_SERVICE_URL",
        schemes=_HTTP,
        example='"https://auth.example.com/check"',
    )
    signing_key_path: Path | None = option(
        "The private key (PEM, RSA or EC) that signs requests to that service.",
        env="AUTH_SIGNING_KEY_PATH",
        example='"/etc/waav/auth-key.pem"',
    )
    api_secrets: tuple[ApiSecret, ...] = option(
        "Tables [[auth.api_secrets]] with id and secret; both unique.",
        default=(),
        env="AUTH_API_SECRETS_JSON",
    )
    api_secret: Secret | None = option(
        "A single secret, used only if there is no list.", env="AUTH_API_SECRET"
    )
    api_secret_id: str = option(
        "The id of that single secret.", default="default", env="AUTH_API_SECRET_ID"
    )
    timeout_seconds: float = option(
        "The longest wait for the service.", default=5.0, env="AUTH_TIMEOUT_SECONDS", above=0
    )

    @property
    def secrets(self) -> tuple[ApiSecret, ...]:
        """The list, or else the single secret."""
        if self.api_secrets or self.api_secret is None:
            return self.api_secrets
        return (ApiSecret(self.api_secret_id, self.api_secret),)


@attrs.frozen
class LiveKit:
    """The LiveKit server whose rooms the gateway joins."""

    url: str = option(
        "Where the gateway reaches it.",
        default="ws://localhost:7880",
        env="LIVEKIT_URL",
        schemes=("ws", "wss", *_HTTP),
    )
    public_url: str = option(
        "Where clients reach it.",
        default="http://localhost:7880",
        env="LIVEKIT_PUBLIC_URL",
        schemes=("ws", "wss", *_HTTP),
    )
    api_key: Secret | None = option("Its API key.", env="LIVEKIT_API_KEY")
    api_secret: Secret | None = option("Its API secret.", env="LIVEKIT_API_SECRET")


def _lower(host: str) -> str:
    return host.strip().lower()


@attrs.frozen
class SipHook:
    """Where calls to one SIP host are announced."""

    host: str = attrs.field(converter=_lower)
    url: str
    secret: Secret | None = None
    """Signs the announcement; that of all hooks if None."""


@attrs.frozen
class Sip:
    """Telephone calls. As soon as one option is set, room_prefix and allowed_addresses must be."""

    room_prefix: str | None = option(
        "The begin of the names of rooms for calls: letters, digits, - and _.",
        env="SIP_ROOM_PREFIX",
        example='"sip-"',
    )
    allowed_addresses: tuple[str, ...] = option(
        "Addresses and networks (IPv4 or IPv6) that calls may come from.",
        default=(),
        env="SIP_ALLOWED_ADDRESSES",
    )
    hook_secret: Secret | None = option(
        "Signs hooks that have no secret of their own; 16 characters or more.",
        env="SIP_HOOK_SECRET",
    )
    hooks: tuple[SipHook, ...] = option(
        "Tables [[sip.hooks]] with host, url and perhaps secret.", default=(), env="SIP_HOOKS_JSON"
    )
    naming_prefix: str = option(
        "The begin of the names of trunks and dispatch rules.",
        default="waav",
        env="SIP_NAMING_PREFIX",
    )
    allow_insecure_hooks: bool = option(
        "Allow hooks with http:// instead of https://.", default=False
    )


def _without_slashes(prefix: str | None) -> str | None:
    return None if prefix is None else prefix.strip("/")


@attrs.frozen
class Recording:
    """The S3 bucket that recordings go to."""

    s3_bucket: str | None = option("Its name.", env="RECORDING_S3_BUCKET")
    s3_region: str | None = option("Its region.", env="RECORDING_S3_REGION")
    s3_endpoint: str | None = option(
        "The address of the S3 service.",
        env="RECORDING_S3_ENDPOINT",
        schemes=_HTTP,
        example='"https://s3.example.com"',
    )
    s3_access_key: Secret | None = option(
        "Not set for the surroundings' own credentials.", env="RECORDING_S3_ACCESS_KEY"
    )
    s3_secret_key: Secret | None = option(
        "Not set for the surroundings' own credentials.", env="RECORDING_S3_SECRET_KEY"
    )
    s3_prefix: str | None = option(
        "The begin of the names of recordings.",
        env="RECORDING_S3_PREFIX",
        convert=_without_slashes,
    )
