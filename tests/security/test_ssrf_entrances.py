"""No client can name an address today; whoever adds a way must lead it past the guard."""

import re
from collections.abc import Iterator
from typing import Any

import attrs

from waav.plugins import discover
from waav.server.openapi import document

ADDRESS = re.compile(r"(^|_)(url|uri|urls|uris|host|hosts|endpoint|webhook|callback|proxy)(_|$)")


def test_no_option_of_a_session_is_an_address() -> None:
    """The operator sets base URLs; a session's options must not."""
    manifests = discover(None).found
    assert manifests
    found = {
        f"{each.manifest.id}: {name}"
        for each in manifests
        for ability in each.manifest.abilities.values()
        if ability.options is not None
        for name in attrs.fields_dict(ability.options)
        if ADDRESS.search(name)
    }
    assert found == set()


def test_no_message_and_no_request_has_an_address() -> None:
    schemas = document()["components"]["schemas"]
    assert {"ConfigMessage", "SpeakMessage"} <= set(schemas)
    found = {
        f"{name}.{field}"
        for name, schema in schemas.items()
        for field in _fields(schema)
        if ADDRESS.search(field)
    }
    assert found == set()


def _fields(schema: Any) -> Iterator[str]:
    match schema:
        case dict():
            yield from schema.get("properties", {})
            for each in schema.values():
                yield from _fields(each)
        case list():
            for each in schema:
                yield from _fields(each)
        case _:
            pass
