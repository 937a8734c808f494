"""One option of the configuration: where it stands, and all that is known about it.

An option is an attribute of an attrs class; :func:`option` hangs its documentation, its
environment variable and its bounds on it. Everything else (loading, checking, the sample file, the
manual) reads the rows of :func:`options` and so cannot disagree with the classes.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias, get_origin

import attrs

from capabilities import Secret
from waav.config.expected import Bounds, phrase, without_none

Keys: TypeAlias = tuple[str, ...]
"""The place of an option: ``("server", "tls", "cert_path")``."""
Steps: TypeAlias = tuple[str | int, ...]
"""A place inside of a document: keys, and indices of lists."""

_METADATA = "waav.config"


@attrs.frozen
class About:
    """What is known about an option besides its type and default."""

    doc: str
    env: str | None = None
    """None: the name is made from the key."""
    bounds: Bounds = Bounds()
    pending: bool = False
    """Read and checked, but this version does nothing with it."""
    blank: bool = False
    """An empty text is a value of its own and not "unset"."""
    example: str = '"..."'
    """For the sample file, as TOML, where the default is "not set"."""


def option(
    doc: str,
    *,
    default: Any = None,
    env: str | None = None,
    least: float | None = None,
    most: float | None = None,
    above: float | None = None,
    schemes: tuple[str, ...] = (),
    pending: bool = False,
    blank: bool = False,
    example: str = '"..."',
    convert: Any = None,
) -> Any:
    """Declare an option: an attrs field that knows its documentation, variable and bounds."""
    bounds = Bounds(least, most, above, schemes)
    known = About(doc, env, bounds, pending, blank, example)
    return attrs.field(
        default=default, validator=bounds, converter=convert, metadata={_METADATA: known}
    )


def table(doc: str) -> Any:
    """Declare a table whose keys are provider names. It is not shown: anything may stand in it."""
    return attrs.field(factory=dict, converter=_named, repr=False, metadata={_METADATA: About(doc)})


def _named(tables: Mapping[str, Any]) -> dict[str, Any]:
    return {provider_name(name): value for name, value in tables.items()}


def section(kind: type[Any], *, pending: bool = False) -> Any:
    """Declare a table of options; ``pending`` holds for all of them. Its class says what it is for."""
    return attrs.field(factory=kind, metadata={_METADATA: About("", pending=pending)})


def about(attribute: "attrs.Attribute[Any]") -> About:
    """Return what :func:`option` or :func:`section` said about an attribute."""
    known: About = attribute.metadata.get(_METADATA, About(""))
    return known


@attrs.frozen
class Option:
    """A row of the table of all options."""

    path: Keys
    type: Any
    default: Any
    about: About
    pending: bool
    """Its own mark, or that of a section around it."""

    @property
    def key(self) -> str:
        """Dotted."""
        return dotted(self.path)

    @property
    def env(self) -> str | None:
        """The environment variable; None for tables of tables, which do not fit into one."""
        if self.is_table:
            return None
        return self.about.env or "WAAV_" + "_".join(self.path).upper()

    @property
    def is_table(self) -> bool:
        """A table whose keys are provider names."""
        return get_origin(self.type) is Mapping

    @property
    def blank_is_unset(self) -> bool:
        """Sample files are full of ``key: ""``; such a key is not set.

        Not so where blank cannot be meant: a blank ``auth.required`` must not open the door.
        """
        kind = without_none(self.type)
        return not self.about.blank and (self.default is None or kind in (str, Path, Secret))

    @property
    def expected(self) -> str:
        """What a value must be: ``a whole number from 0 to 65535``."""
        return phrase(self.type) + str(self.about.bounds)


def options(kind: type[Any], path: Keys = (), *, pending: bool = False) -> Iterator[Option]:
    """Yield all options of a section class, those of its sub-sections included, in order."""
    for attribute in attrs.fields(kind):
        here, known = (*path, attribute.name), about(attribute)
        late = pending or known.pending
        if attrs.has(attribute.type):
            yield from options(attribute.type, here, pending=late)
        else:
            default = {} if get_origin(attribute.type) is Mapping else attribute.default
            yield Option(here, attribute.type, default, known, late)


def dotted(path: Steps) -> str:
    """Write a place as people do: ``auth.api_secrets[1].id``."""
    text = ""
    for step in path:
        match step:
            case int():
                text += f"[{step}]"
            case str():
                name = f'"{step}"' if "." in step or not step else step
                text += f".{name}" if text else name
    return text


def provider_name(name: str) -> str:
    """Normalise a provider's name as the registry does."""
    return re.sub(r"[_.\s]", "-", name.strip().lower())
