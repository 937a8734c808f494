"""``/plugins`` and ``/providers``: what is there, and how it is."""

from http import HTTPStatus
from typing import Annotated, Literal, Self

import attrs
from msgspec import Meta

from capabilities import Ability, Capability, Expression, Manifest
from waav.gateway import Gateway
from waav.plugins import PluginStatus, normalise
from waav.plugins.hearing import Hearing, Latency
from waav.server.refusal import Refused
from waav.server.rest.operation import Reply


@attrs.frozen
class HearingMetrics:
    """What a recogniser has heard since the gateway opened.

    The latencies are means over its streams, from the first sound to the first result; a silence at
    the beginning counts too. They are null before there is any.
    """

    streams: int
    audio_seconds: float
    interims: int
    finals: int
    first_interim_ms: float | None
    first_final_ms: float | None

    @classmethod
    def of(cls, hearing: Hearing) -> Self:
        """Write counters as clients read them."""
        return cls(
            hearing.streams,
            round(hearing.audio, 3),
            hearing.interims,
            hearing.finals,
            _milliseconds(hearing.first_interim),
            _milliseconds(hearing.first_final),
        )


def _milliseconds(latency: Latency) -> float | None:
    return None if latency.mean is None else round(latency.mean * 1000, 1)


@attrs.frozen
class Metrics:
    """How often a plugin was called, and how often in vain."""

    call_count: int
    error_count: int
    last_error: str
    stt: HearingMetrics | None
    """Null for one that does not listen."""


@attrs.frozen
class PluginEntry:
    """One plugin."""

    id: str
    name: str
    type: Literal["builtin", "dynamic"]
    capabilities: list[str]
    features: list[str]
    aliases: list[str]
    version: str
    description: str
    models: list[str]
    languages: list[str]
    message_types: list[str]
    """Of the custom messages that it handles."""
    health: str
    state: str
    metrics: Metrics


@attrs.frozen
class PluginList:
    """All plugins, sorted by id, and how many have each of the main capabilities."""

    plugins: list[PluginEntry]
    stt_count: int
    tts_count: int
    realtime_count: int


@attrs.frozen
class ProviderEntry:
    """One provider, and whether it has all the keys that it wants."""

    id: str
    name: str
    capabilities: list[str]
    aliases: list[str]
    configured: bool
    emotions: list[str]
    """Those that its voices have something of their own for; of others they come near."""
    delivery_styles: list[str]
    """Likewise."""


@attrs.frozen
class ProviderList:
    """Providers, sorted by id."""

    providers: list[ProviderEntry]


@attrs.frozen(kw_only=True)
class ProviderQuery:
    """Which providers to list."""

    type: Annotated[
        Literal["stt", "tts", "realtime"] | None,
        Meta(description="Only those that have this capability."),
    ] = None


async def list_plugins(gateway: Gateway) -> Reply[PluginList]:
    """List the plugins.

    Those that failed are in the list too, also files that were to be plugins and are none.
    """
    entries = [_entry(status) for status in gateway.plugins.statuses()]
    counts = [
        sum(kind in entry.capabilities for entry in entries) for kind in ("stt", "tts", "realtime")
    ]
    return Reply(PluginList(entries, *counts))


async def show_plugin(gateway: Gateway, id: str) -> Reply[PluginEntry]:  # noqa: A002  # the path's word
    """Show one plugin.

    It may be called by its id, or by an alias that it shares with nobody, in any spelling.
    """
    wanted = {id, normalise(id), gateway.plugins.registry.owner(id)}
    for status in gateway.plugins.statuses():
        if status.id in wanted:
            return Reply(_entry(status))
    raise Refused(HTTPStatus.NOT_FOUND, "plugin_not_found", f"No plugin of the name {id[:64]!r}")


async def list_providers(gateway: Gateway, query: ProviderQuery) -> Reply[ProviderList]:
    """List the providers.

    `configured` says that the server has every key a provider wants; where it is false a client
    can still bring its own.
    """
    return Reply(
        ProviderList(
            [
                _provider(gateway, manifest)
                for manifest in gateway.plugins.registry
                if query.type is None or query.type in manifest.abilities
            ]
        )
    )


def _provider(gateway: Gateway, manifest: Manifest) -> ProviderEntry:
    ability = manifest.abilities.get(Capability.TTS)
    expression = ability.expression if ability else Expression()
    return ProviderEntry(
        id=manifest.id,
        name=manifest.name,
        capabilities=sorted(manifest.abilities),
        aliases=list(manifest.aliases),
        configured=not gateway.config.providers.missing(manifest.credentials),
        emotions=sorted(expression.emotions),
        delivery_styles=sorted(expression.deliveries),
    )


def _entry(status: PluginStatus) -> PluginEntry:
    manifest = status.manifest
    abilities = list(manifest.abilities.values()) if manifest else []
    return PluginEntry(
        id=status.id,
        name=manifest.name if manifest else status.id,
        type=status.origin.value,
        capabilities=sorted(manifest.abilities) if manifest else [],
        features=_merged(abilities, "features"),
        aliases=list(manifest.aliases) if manifest else [],
        version=manifest.version if manifest else "",
        description=manifest.description if manifest else "",
        models=_merged(abilities, "models"),
        languages=_merged(abilities, "languages"),
        message_types=_merged(abilities, "message_types"),
        health=str(status.health.state),
        state=str(status.state),
        metrics=_metrics(status),
    )


def _metrics(status: PluginStatus) -> Metrics:
    heard = None if status.hearing is None else HearingMetrics.of(status.hearing)
    return Metrics(status.call_count, status.error_count, status.last_error, heard)


def _merged(abilities: list[Ability], field: str) -> list[str]:
    """What all capabilities have, each once, in the order of the manifest."""
    return list(dict.fromkeys(name for each in abilities for name in getattr(each, field)))
