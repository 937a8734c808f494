"""``[plugins.providers.<id>]`` -> the plugin's own settings, and the defaults of its sessions."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import cattrs

from capabilities import Capability, Manifest, Secret
from waav.errors import WaavError
from waav.plugins.registry import Registry, normalise

Tables = Mapping[str, Mapping[str, Any]]
"""``[plugins.providers]`` as it was read: a table for each name, in any spelling."""

_TRUTH = {"true": True, "false": False}


class SettingsMistake(WaavError):
    """The operator's settings do not fit the plugin; the message names the keys."""

    code = "config_error"


@attrs.frozen
class Settings:
    """One plugin's table, taken apart."""

    own: Any = None
    """An instance of the class that the manifest names."""
    defaults: Mapping[Capability, Mapping[str, Any]] = attrs.field(factory=dict)
    """Its tables named like a capability: what sessions start with. Not checked here, because a
    session may add to them; kept apart, because the plugin itself has no use for them."""


def settings_of(manifest: Manifest, tables: Tables, registry: Registry) -> Settings:
    """Structure the table of one registered plugin; a missing one is an empty one.

    Raises:
        SettingsMistake: a key is unknown or missing, or a value is wrong.
    """
    spellings = [name for name in tables if owner_of(name, registry) == manifest.id]
    if len(spellings) > 1:
        told = ", ".join(sorted(spellings))
        raise SettingsMistake(f"plugins.providers: {told} are names of the same plugin")
    return structure(manifest, tables[spellings[0]] if spellings else {})


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
    defaults = {
        ability: table[ability]
        for ability in manifest.abilities
        if ability not in known and isinstance(table.get(ability), Mapping)
    }
    rest = {key: value for key, value in table.items() if key not in defaults}
    path = f"plugins.providers.{manifest.id}"
    try:
        return Settings(_converter().structure(rest, manifest.settings), defaults)
    except cattrs.BaseValidationError as exc:
        mistakes = cattrs.transform_error(exc, path, format_exception=_explain)
        raise SettingsMistake("; ".join(mistakes)) from None
    # The class is the plugin's own, and so is whatever its validators and converters raise.
    except Exception as exc:
        raise SettingsMistake(f"{_explain(exc, None)} @ {path}") from exc


def _explain(exc: BaseException, kind: type | None) -> str:
    match exc:
        case cattrs.ForbiddenExtraKeysError():
            unknown = ", ".join(sorted(exc.extra_fields))
            known = ", ".join(field.name for field in attrs.fields(exc.cl)) or "none"
            return f"unknown keys: {unknown} (known: {known})"
        case ValueError() | TypeError() if kind is None and exc.args:
            # An attrs validator says what is wrong first, and appends objects for programs.
            return str(exc.args[0])
        case _:
            return cattrs.v.format_exception(exc, kind)


def _converter() -> cattrs.Converter:
    """Strict but for text, because ``${VARIABLE}`` in a file always gives text."""
    converter = cattrs.Converter(forbid_extra_keys=True)
    for kind, hook in {str: _text, bool: _truth, int: _whole, float: _real, Path: _path}.items():
        converter.register_structure_hook(kind, hook)
    converter.register_structure_hook(Secret, lambda value, _: Secret(_text(value, str)))
    return converter


def _text(value: Any, _: type) -> str:
    if isinstance(value, str):
        return value
    raise TypeError


def _truth(value: Any, _: type) -> bool:
    if isinstance(value, bool):
        return value
    return _TRUTH[value.lower()] if str(value).lower() in _TRUTH else _refuse()


def _whole(value: Any, _: type) -> int:
    # float and bool would fit into int() too, and lose what was meant.
    return int(value) if type(value) in {int, str} else _refuse()


def _real(value: Any, _: type) -> float:
    return float(value) if type(value) in {int, float, str} else _refuse()


def _path(value: Any, _: type) -> Path:
    return Path(_text(value, str))


def _refuse() -> Any:
    raise TypeError
