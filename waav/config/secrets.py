"""All that is secret in a configuration, so that it can be kept out of what is written down."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from capabilities import Secret
from waav.config.schema import Config

# What a plugin calls its secrets is its own affair. By its last word: `keywords` are no keys.
_NAME = re.compile(
    r"(?:key|token|secret|pass|password|passphrase|pwd|credentials?|auth|authorization|cookie|cert)s?$"
    r"|headers\.|proxy$",
    re.IGNORECASE,
)


def secrets_of(config: Config) -> set[str]:
    """Return every secret of a configuration; of credentials in JSON also those inside of them."""
    return set(_typed(config)) | set(_named(config.plugins.providers))


def _typed(value: Any) -> Iterator[str]:
    match value:
        case Secret():
            yield from _with_parts(value.reveal())
        case list() | tuple():
            for each in value:
                yield from _typed(each)
        case Mapping():
            yield from _typed([*value.values()])
        case _ if attrs.has(type(value)):
            yield from _typed([getattr(value, field.name) for field in attrs.fields(type(value))])
        case _:
            pass


def _named(value: Any, name: str = "") -> Iterator[str]:
    match value:
        case str() if _NAME.search(name):
            yield from _with_parts(value)
        case list() | tuple():
            for each in value:
                yield from _named(each, name)
        case Mapping():
            for key, each in value.items():
                yield from _named(each, f"{name}.{key}")
        case _:
            pass


def _with_parts(text: str) -> Iterator[str]:
    yield text
    if text.lstrip().startswith("{"):
        try:
            inside = json.loads(text)
        except (ValueError, RecursionError):
            return
        yield from _named(inside)
