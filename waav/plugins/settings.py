"""``[plugins.providers.<id>]`` -> the plugin's own settings, and the defaults of its sessions."""

from collections.abc import Mapping
from typing import Any

import attrs

from capabilities import Ability, Capability, Manifest, NoSettings
from waav.config.common import MAX_SESSIONS, max_sessions
from waav.config.expected import Expected
from waav.errors import WaavError
from waav.plugins.registry import Registry, normalise
from waav.plugins.strict import Mistakes, fields_of, make

Tables = Mapping[str, Mapping[str, Any]]
"""``[plugins.providers]`` as it was read: a table for each name, in any spelling."""


class SettingsMistake(WaavError):
    """The operator's settings do not fit the plugin; the message names the keys."""

    code = "config_error"


@attrs.frozen
class Settings:
    """One plugin's table, taken apart."""

    own: Any = None
    """An instance of the class that the manifest names."""
    defaults: Mapping[Capability, Mapping[str, Any]] = attrs.field(factory=dict)
    """Its tables named like a capability: the options that sessions start with, each as its field
    has it. Whether they are complete is not checked here, because a session may add to them; kept
    apart, because the plugin itself has no use for them."""
    limited_as: str | None = None
    """The table's name, in the form in which limits know it, if the table sets a limit."""


def settings_of(manifest: Manifest, tables: Tables, registry: Registry) -> Settings:
    """Structure the table of one registered plugin; a missing one is an empty one.

    Raises:
        SettingsMistake: a key is unknown or missing, or a value is wrong.
    """
    spellings = [name for name in tables if owner_of(name, registry) == manifest.id]
    if len(spellings) > 1:
        told = ", ".join(sorted(spellings))
        raise SettingsMistake(f"plugins.providers: {told} are names of the same plugin")
    table = tables[spellings[0]] if spellings else {}
    settings = structure(manifest, table)
    if MAX_SESSIONS not in table:
        return settings
    return attrs.evolve(settings, limited_as=normalise(spellings[0]))


def owner_of(name: str, registry: Registry) -> str | None:
    """Return the id of the plugin that a table of this name is for; None if it is for nobody.

    An alias that several plugins share is for none of them, but the id of one is always its own.
    """
    own = normalise(name)
    return own if own in registry else registry.owner(name)


def structure(manifest: Manifest, table: Mapping[str, Any]) -> Settings:
    """Take one table apart and build the plugin's settings.

    Raises:
        SettingsMistake: a key is unknown or missing, or a value is wrong.
    """
    known = {field.name for field in attrs.fields(manifest.settings)}
    own, path = dict(table), f"plugins.providers.{manifest.id}"
    defaults: dict[Capability, Mapping[str, Any]] = {}
    try:
        max_sessions(table)
        if MAX_SESSIONS not in known:
            own.pop(MAX_SESSIONS, None)
        for capability, ability in manifest.abilities.items():
            if capability not in known and isinstance(table.get(capability), Mapping):
                start = own.pop(capability)
                place = f"{path}.{capability}"
                defaults[capability] = options_of(ability, start, place, textual=True)
        kind = manifest.settings
        return Settings(make(kind, fields_of(kind, own, path, textual=True), path), defaults)
    except Expected as exc:
        raise SettingsMistake(f"{path}.{exc}") from exc
    except Mistakes as exc:
        raise SettingsMistake(str(exc)) from exc


def options_of(
    ability: Ability, given: Mapping[str, Any], path: str, *, textual: bool = False
) -> dict[str, Any]:
    """Structure what is given of the options that a session may set; see :func:`fields_of`.

    Raises:
        Mistakes: as there; a provider without options takes none.
    """
    return fields_of(ability.options or NoSettings, given, path, textual=textual)
