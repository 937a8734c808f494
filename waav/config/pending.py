"""Sections that a configuration file may have already, for parts that this version has not.

They are read and checked in full, so that a mistake shows before the day it matters. Setting one to
anything but its default is said aloud when the gateway starts.
"""

import attrs

from capabilities import Secret
from waav.config.option import option

_HTTP = ("http", "https")


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
