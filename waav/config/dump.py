"""The effective configuration as rows that may be shown: secrets are ``***``."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs

from capabilities import Secret
from waav.config.layers import OPTIONS, PROVIDERS
from waav.config.load import Loaded
from waav.config.option import Keys, dotted

MASK = "***"

# What a plugin calls its secrets is its own affair; these words say it in practice.
_SECRET_NAME = re.compile(
    r"key|token|secret|pass|pwd|credential|auth|cookie|private|cert|headers\.",
    re.IGNORECASE,
)
_USER_IN_URL = re.compile(r"//[^/@\s]*@")
_KEY_IN_QUERY = re.compile(
    r"([?&][\w.-]*(?:key|token|secret|pass|pwd|sig|auth|code|jwt)[\w.-]*=)[^&#\s]+", re.IGNORECASE
)


@attrs.frozen
class Row:
    """One option, as it is now."""

    key: str
    value: Any
    """Plain data that JSON can hold."""
    origin: str
    """As in :class:`Loaded`."""


def rows(loaded: Loaded) -> Iterator[Row]:
    """Yield all options in the order of the sections; for plugins, what is set."""
    for path in OPTIONS:
        value: Any = loaded.config
        for name in path:
            value = getattr(value, name)
        if path == PROVIDERS:
            yield from _open(value, path, loaded)
        else:
            yield Row(dotted(path), show(value), loaded.origins[dotted(path)])


def _open(table: Mapping[str, Any], path: Keys, loaded: Loaded) -> Iterator[Row]:
    for name, value in table.items():
        here = (*path, name)
        if isinstance(value, Mapping):
            yield from _open(value, here, loaded)
        else:
            own = dotted(here[len(PROVIDERS) + 1 :])
            yield Row(dotted(here), show(value, own), loaded.origins[dotted(here)])


def show(value: Any, name: str = "") -> Any:
    """Return a value as plain data in which nothing is secret, going by ``name`` where one is given."""
    if isinstance(value, Secret) or (value is not None and _SECRET_NAME.search(name)):
        return MASK
    match value:
        case str():
            return _KEY_IN_QUERY.sub(rf"\1{MASK}", _USER_IN_URL.sub(f"//{MASK}@", value))
        case list() | tuple():
            return [show(item) for item in value]
        case Mapping():
            return {key: show(item, key) for key, item in value.items()}
        case _ if attrs.has(type(value)):
            return {key: show(item) for key, item in attrs.asdict(value, recurse=False).items()}
        case _:
            return value if isinstance(value, int | float | None) else str(value)


def table(shown: Iterable[Row]) -> str:
    """Write rows as text: a line each, origins in a column of their own."""
    lines = [(f"{row.key} = {_text(row.value)}", row.origin) for row in shown]
    width = min(max((len(line) for line, _ in lines), default=0), 60)
    return "".join(f"{line:<{width}}  # {origin}\n" for line, origin in lines)


def _text(value: Any) -> str:
    match value:
        case None:
            return "(not set)"
        case bool():
            return str(value).lower()
        case _:
            return str(value)
