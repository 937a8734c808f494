"""What listings say about plugins: how each one is now, and what all of them can do."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

import attrs

from capabilities import Ability, Capability, Health, Limits, Manifest
from waav.plugins.boundary import Use
from waav.plugins.discovery import Origin
from waav.plugins.hearing import Hearing, Speech
from waav.plugins.lifecycle import State
from waav.plugins.registry import Registry


@attrs.frozen
class PluginStatus:
    """One plugin at one moment."""

    id: str
    """Also for something that never became a plugin: its file's or entry point's name."""
    manifest: Manifest | None
    """None if it was not possible to get one."""
    origin: Origin
    where: str
    """Where it was found, for an operator."""
    state: State
    since: float
    """When it came into its state, by trio's clock."""
    reason: str
    """Why it is in its state, where that needs a reason."""
    health: Health
    call_count: int = 0
    """Calls since it was registered."""
    error_count: int = 0
    """Those that ended with an error of the provider or of the plugin."""
    last_error: str = ""
    hearing: Hearing | None = None
    """What went through its recogniser, if it has one."""
    speech: Speech | None = None
    """What its voice said, if it has one."""
    uses: Mapping[Capability, Use] = attrs.field(factory=dict)
    """How each of its capabilities was used."""
    open_circuits: frozenset[Capability] = frozenset()
    """Capabilities that have failed too often just now to be asked."""


def catalogue(registry: Registry) -> list[dict[str, Any]]:
    """List what the plugins can do, each once and sorted by id: plain data, ready for JSON.

    Each entry has ``id``, ``name``, ``version``, ``description``, ``aliases`` and, under
    ``capabilities``, for each name ``features``, ``languages``, ``models``, ``encodings``,
    ``sample_rates``, ``channels`` and ``limits``. A limit of None is no limit.
    """
    return [
        {
            "id": manifest.id,
            "name": manifest.name,
            "version": manifest.version,
            "description": manifest.description,
            "aliases": list(manifest.aliases),
            "capabilities": {
                str(capability): _ability(ability)
                for capability, ability in sorted(manifest.abilities.items())
            },
        }
        for manifest in registry
    ]


def _ability(ability: Ability) -> dict[str, Any]:
    return {
        "features": list(ability.features),
        "languages": list(ability.languages),
        "models": list(ability.models),
        "encodings": [str(encoding) for encoding in ability.encodings],
        "sample_rates": list(ability.sample_rates),
        "channels": ability.channels,
        "limits": _limits(ability.limits),
    }


def _limits(limits: Limits) -> dict[str, float | None]:
    # JSON has no infinity.
    return {
        name: value if value is not None and isfinite(value) else None
        for name, value in attrs.asdict(limits).items()
    }
