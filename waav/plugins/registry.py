"""Name -> manifest: the one list behind lookups, listings, error messages and construction.

A plain object that somebody makes and passes on. It looks up and never builds.
"""

import re
from collections.abc import Iterator
from typing import Any

import attrs

from capabilities import Ability, Capability, Manifest
from waav.errors import UnknownProvider, WaavError

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST_ID = 64
_LONGEST_TYPE = 256  # bytes of UTF-8 that a client may write
_MESSAGE_TYPES = "message_types of a ws_handler"
_READ_AS_DASH = str.maketrans("_. ", "---")


class RegistrationRefused(WaavError):
    """The manifest is malformed, or its names belong to another plugin already."""

    code = "plugin_refused"


def normalise(name: str) -> str:
    """Return the form of a name in which all its spellings are equal."""
    return name.strip().lower().translate(_READ_AS_DASH)


@attrs.define(repr=False)
class Registry:
    """The plugins there are, by id, and by capability and name."""

    _plugins: dict[str, Manifest] = attrs.field(factory=dict, init=False)
    _names: dict[tuple[Capability, str], Manifest] = attrs.field(factory=dict, init=False)

    def __repr__(self) -> str:
        held = ", ".join(f"{each.id} ({'+'.join(each.abilities)})" for each in self)
        return f"<Registry: {held or 'empty'}>"

    def __iter__(self) -> Iterator[Manifest]:
        """Give each plugin once, sorted by id."""
        return iter([self._plugins[id_] for id_ in sorted(self._plugins)])

    def __len__(self) -> int:
        return len(self._plugins)

    def __contains__(self, id_: object) -> bool:
        return id_ in self._plugins

    def register(self, manifest: Manifest) -> None:
        """Take a plugin in, all of its names or none.

        Raises:
            RegistrationRefused: see there; the message names both plugins.
        """
        check_manifest(manifest)
        if (other := self._plugins.get(manifest.id)) is not None:
            raise RegistrationRefused(
                f"{_full_name(manifest)}: the id {manifest.id} belongs to {_full_name(other)}"
            )
        keys = [(each, name) for each in manifest.abilities for name in _names(manifest)]
        for capability, name in keys:
            if (other := self._names.get((capability, name))) is not None:
                raise RegistrationRefused(
                    f"{_full_name(manifest)}: the {capability} name {name} belongs to "
                    f"{_full_name(other)}"
                )
        self._plugins[manifest.id] = manifest
        self._names.update(dict.fromkeys(keys, manifest))

    def unregister(self, id_: str) -> None:
        """Let a plugin and all of its names go; an unknown id is a KeyError."""
        manifest = self._plugins.pop(id_)
        for capability in manifest.abilities:
            for name in _names(manifest):
                del self._names[capability, name]

    def find(self, capability: Capability, name: str) -> Manifest:
        """Look a plugin up by its id or an alias, in any spelling.

        Raises:
            UnknownProvider: there is none; the message lists the ids there are.
        """
        try:
            return self._names[capability, normalise(name)]
        except KeyError:
            raise UnknownProvider(capability, name, self.ids(capability)) from None

    def ids(self, capability: Capability) -> list[str]:
        """List the plugins that have this capability, by id and sorted; no aliases."""
        return [manifest.id for manifest in self if capability in manifest.abilities]

    def in_order(self, capability: Capability) -> list[Manifest]:
        """List the plugins that have this capability, in the order in which they were registered."""
        return [each for each in self._plugins.values() if capability in each.abilities]

    def owner(self, name: str) -> str | None:
        """Return the id of the one plugin of this name; None if there is none, or more than one."""
        found = {
            manifest.id
            for capability in Capability
            if (manifest := self._names.get((capability, normalise(name)))) is not None
        }
        return found.pop() if len(found) == 1 else None


def check_manifest(manifest: Any) -> None:
    """Refuse a manifest that could not work, whatever a stranger may have put into it.

    Raises:
        RegistrationRefused: the message names the plugin and its mistake.
    """
    if mistake := _mistake(manifest):
        raise RegistrationRefused(f"{getattr(manifest, 'id', manifest)!r}: {mistake}")


def _mistake(manifest: Any) -> str | None:
    match manifest:
        case Manifest(id=str(id_)) if len(id_) <= _LONGEST_ID and _ID.fullmatch(id_):
            return _mistake_of_parts(manifest)
        case Manifest():
            return f"an id is at most {_LONGEST_ID} lower case letters, digits and single dashes"
        case _:
            return f"a {type(manifest).__name__} is not a Manifest"


def _mistake_of_parts(manifest: Manifest) -> str | None:
    known, abilities = ", ".join(Capability), manifest.abilities.values()
    checks = [
        (callable(manifest.open), "open is not callable"),
        # Accepted and then of no use to anybody would be worse than refused.
        (len(manifest.abilities) > 0, f"it names no capability (known: {known})"),
        (set(manifest.abilities) <= set(Capability), f"a capability is not known (known: {known})"),
        (
            all(isinstance(each, Ability) for each in abilities),
            "abilities must lead to an Ability",
        ),
        (
            all(isinstance(getattr(each, "priority", 0), int) for each in abilities),
            "a priority must be a whole number",
        ),
        (attrs.has(manifest.settings), "settings must be an attrs class"),
        (_has_message_types(manifest), f"{_MESSAGE_TYPES} must be a tuple of names, at least one"),
        *(
            (_is_names(getattr(manifest, field)), f"{field} must be a tuple of names")
            for field in ("aliases", "requires", "credentials")
        ),
    ]
    return next((mistake for right, mistake in checks if not right), None)


def _is_names(names: Any) -> bool:
    # ("deepgram") without its comma is a str, and would be eight names of one letter.
    return isinstance(names, tuple | list) and all(
        isinstance(name, str) and name.strip() for name in names
    )


def _has_message_types(manifest: Manifest) -> bool:
    """Say whether a client can write each of the types; of a plugin that handles none, always."""
    ability = manifest.abilities.get(Capability.WS_HANDLER)
    if not isinstance(ability, Ability):
        return True
    types = ability.message_types
    return (
        bool(types)
        and _is_names(types)
        and all(len(each.encode(errors="replace")) <= _LONGEST_TYPE for each in types)
    )


def _names(manifest: Manifest) -> set[str]:
    return {manifest.id, *map(normalise, manifest.aliases)}


def _full_name(manifest: Manifest) -> str:
    return f"{manifest.id} ({manifest.name})"
