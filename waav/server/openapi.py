"""The description of the REST side: made from its operations, and given out by two of them."""

from functools import cache
from typing import Any

import msgspec
import trio
import yaml

from waav.gateway import Gateway
from waav.server.rest import table
from waav.server.rest.description import describe
from waav.server.rest.operation import Answer, Operation, Reply

YAML = "application/yaml"


def document() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document, as plain JSON data."""
    return describe(OPERATIONS)


def to_yaml(described: dict[str, Any]) -> str:
    """Write a document as YAML."""
    return yaml.safe_dump(described, sort_keys=False, allow_unicode=True)


async def show_json(_gateway: Gateway) -> Reply[bytes]:
    """Describe this API as JSON."""
    return Reply(await trio.to_thread.run_sync(_json))


async def show_yaml(_gateway: Gateway) -> Reply[bytes]:
    """Describe this API as YAML."""
    return Reply(await trio.to_thread.run_sync(_yaml), content_type=YAML)


OPERATIONS = (
    *table.OPERATIONS,
    Operation("GET", "/openapi.json", show_json, "description", {200: Answer(dict[str, Any])}),
    Operation(
        "GET", "/openapi.yaml", show_yaml, "description", {200: Answer(str, content_types=(YAML,))}
    ),
)
"""All operations that are served."""


# Writing it takes long enough to be heard as a gap in somebody's speech: in a thread, and once.
@cache
def _json() -> bytes:
    return msgspec.json.encode(document())


@cache
def _yaml() -> bytes:
    return to_yaml(document()).encode()
