"""The description of the REST side: made from its operations, and given out by two of them."""

from functools import cache
from typing import Any

import attrs
import msgspec
import trio
import yaml

from waav.errors import ConfigError, Problem
from waav.gateway import Gateway
from waav.server.rest import metrics, table
from waav.server.rest.description import describe
from waav.server.rest.operation import Answer, Operation, Reply

YAML = "application/yaml"


def document(metrics_at: str | None = metrics.OPERATION.path) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document, as plain JSON data."""
    return describe(operations(metrics_at))


def to_yaml(described: dict[str, Any]) -> str:
    """Write a document as YAML."""
    return yaml.safe_dump(described, sort_keys=False, allow_unicode=True)


async def show_json(gateway: Gateway) -> Reply[bytes]:
    """Describe this API as JSON."""
    return Reply(await trio.to_thread.run_sync(_json, gateway.config.metrics.served_at))


async def show_yaml(gateway: Gateway) -> Reply[bytes]:
    """Describe this API as YAML."""
    at = gateway.config.metrics.served_at
    return Reply(await trio.to_thread.run_sync(_yaml, at), content_type=YAML)


DESCRIPTION = (
    Operation(
        "GET",
        "/openapi.json",
        show_json,
        "description",
        {200: Answer(dict[str, Any])},
        public=True,
    ),
    Operation(
        "GET",
        "/openapi.yaml",
        show_yaml,
        "description",
        {200: Answer(dict[str, Any], content_types=(YAML,))},
        public=True,
    ),
)
"""Those that give the description out."""

OPERATIONS = (*table.OPERATIONS, metrics.OPERATION, *DESCRIPTION)
"""All operations that are served, each at the path that it has where the operator does not say."""


def operations(metrics_at: str | None) -> tuple[Operation, ...]:
    """Return the operations of a gateway that serves its metrics at this path, or does not.

    Raises:
        ConfigError: the path belongs to another operation.
    """
    others = tuple(each for each in OPERATIONS if each is not metrics.OPERATION)
    if metrics_at is None:
        return others
    if metrics_at in {each.path for each in others}:
        raise ConfigError([Problem("configuration", "metrics.path", "expected one that is free")])
    return (*others, attrs.evolve(metrics.OPERATION, path=metrics_at))


# Writing it takes long enough to be heard as a gap in somebody's speech: in a thread, and once.
@cache
def _json(metrics_at: str | None) -> bytes:
    return msgspec.json.encode(document(metrics_at))


@cache
def _yaml(metrics_at: str | None) -> bytes:
    return to_yaml(document(metrics_at)).encode()
