"""From operations to their OpenAPI 3.1 description, and from the messages of ``/ws`` to theirs.

Source: the OpenAPI Specification, version 3.1.0 (spec.openapis.org/oas/v3.1.0).
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from waav.server.rest.keys import HEADER
from waav.server.rest.operation import JSON, Answer, Body, Operation, Upload
from waav.server.rest.refusals import Error
from waav.server.ws.decode import KINDS
from waav.version import __version__

_REF = "#/components/schemas/{name}"
_KEY = {
    "name": HEADER,
    "in": "header",
    "schema": {"type": "string", "format": "password"},
    "description": "The client's own key of the provider that the request names. It counts for"
    " that provider only, and is ignored if none is named.",
}
_TOKEN = {
    "header": {"type": "http", "scheme": "bearer"},
    "query": {"type": "apiKey", "in": "query", "name": "token"},
}
"""Where a token stands."""


def describe(operations: Sequence[Operation]) -> dict[str, Any]:
    """Return the document, as plain JSON data."""
    shapes = _shapes(operations)
    schemas, components = msgspec.json.schema_components(shapes, ref_template=_REF)
    schema_of = dict(zip(shapes, schemas, strict=True))
    kinds = dict.fromkeys(each.query for each in operations if each.query)
    queries = {kind: components.pop(kind.__name__) for kind in kinds}
    paths: dict[str, Any] = {"/ws": {"get": _websocket()}}
    for each in operations:
        query = queries[each.query] if each.query else {}
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, query, schema_of)
    _name_types(components)
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "WaaV",
            "version": __version__,
            "description": "A real-time voice gateway.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}, {"url": "/api", "description": "The same once more."}],
        # One of these; the empty one, because an operator need not ask for a token.
        "security": [{}, *({name: []} for name in _TOKEN)],
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": dict(sorted(components.items())), "securitySchemes": _TOKEN},
    }
    # Through JSON: schemas hold tuples and other things that are none.
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(document))
    return plain


def _shapes(operations: Sequence[Operation]) -> list[Any]:
    """Every type of the description, each once."""
    shapes: list[Any] = [Error, *(kind.shape for kind in KINDS.values())]
    for each in operations:
        shapes += [each.query] if each.query else []
        shapes += [shape for forms in _forms(each.body).values() for shape in forms]
        shapes += [answer.shape for answer in each.answers.values()]
    return list(dict.fromkeys(shapes))


def _operation(
    operation: Operation, query: dict[str, Any], schema_of: dict[Any, Any]
) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
    }
    if operation.public:
        described["security"] = []
    if operation.description:
        described["description"] = operation.description
    in_head = [_KEY] if operation.client_key else []
    if parameters := [*_in_path(operation.path), *_in_query(query), *in_head]:
        described["parameters"] = parameters
    if operation.body:
        described["requestBody"] = {
            "required": True,
            "content": {
                name: {"schema": {"anyOf": [schema_of[shape] for shape in shapes]}}
                for name, shapes in _forms(operation.body).items()
            },
        }
    described["responses"] = {
        **{str(int(s)): _success(a, schema_of) for s, a in operation.answers.items()},
        **{str(status): _failure(status, schema_of) for status in operation.errors},
    }
    return described


def _forms(body: Body | Upload | None) -> dict[str, tuple[type[Any], ...]]:
    """Content type -> the shapes of a body."""
    match body:
        case Body(shapes=shapes):
            return {JSON: shapes}
        case Upload(shapes=by_type):
            return {name: (shape,) for name, shape in by_type.items()}
        case None:
            return {}


def _in_path(path: str) -> list[dict[str, Any]]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in names
    ]


def _in_query(query: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    for name, schema in query.get("properties", {}).items():
        told = {key: value for key, value in schema.items() if key != "description"}
        parameter = {"name": name, "in": "query", "schema": told}
        if "description" in schema:
            parameter["description"] = schema["description"]
        found.append(parameter)
    return found


def _success(answer: Answer, schema_of: dict[Any, Any]) -> dict[str, Any]:
    # Bytes have no JSON schema: an empty one, as OpenAPI 3.1 wants it for binary content.
    schema = {} if answer.shape is bytes else schema_of[answer.shape]
    described: dict[str, Any] = {
        "description": answer.description,
        "content": {name: {"schema": schema} for name in answer.content_types},
    }
    if answer.headers:
        described["headers"] = {
            name: {"description": text, "schema": {"type": "string"}}
            for name, text in answer.headers.items()
        }
    return described


def _failure(status: int, schema_of: dict[Any, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "description": HTTPStatus(status).phrase,
        "content": {JSON: {"schema": schema_of[Error]}},
    }
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        described["headers"] = {
            "Retry-After": {
                "description": "Seconds after which to try again.",
                "schema": {"type": "integer"},
            }
        }
    return described


def _websocket() -> dict[str, Any]:
    """Served by the front door, not by a route; OpenAPI knows no WebSockets beyond the upgrade."""
    names = sorted({kind.shape.__name__ for kind in KINDS.values()})
    return {
        "operationId": "get_ws",
        "tags": ["speech"],
        "summary": "Open a voice session (WebSocket)",
        "description": "After the upgrade the client sends JSON messages and binary audio; "
        "docs/protocol/websocket.md tells which, and what comes back.",
        "responses": {
            str(status.value): {"description": status.phrase}
            for status in (
                HTTPStatus.SWITCHING_PROTOCOLS,
                HTTPStatus.UNAUTHORIZED,
                HTTPStatus.UPGRADE_REQUIRED,
                HTTPStatus.BAD_GATEWAY,
                HTTPStatus.SERVICE_UNAVAILABLE,
            )
        },
        "x-client-messages": [{"$ref": _REF.format(name=name)} for name in names],
    }


def _name_types(components: dict[str, Any]) -> None:
    """Add ``type`` to the messages of ``/ws``: it chooses the class, and is no field of it."""
    types: dict[str, list[str]] = {}
    for name, kind in KINDS.items():
        types.setdefault(kind.shape.__name__, []).append(name)
    for shape, names in types.items():
        component = components[shape]
        component["properties"] = {"type": {"enum": names}, **component.get("properties", {})}
        component["required"] = ["type", *component.get("required", ())]
