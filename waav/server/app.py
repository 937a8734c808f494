"""The application of the REST side: routes made from the table of operations, and its errors."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from quart import Response, g, request
from quart_trio import QuartTrio
from werkzeug.exceptions import HTTPException

from waav.gateway import Gateway
from waav.server.errors import is_known
from waav.server.guard import PRINCIPAL, REQUEST_ID
from waav.server.openapi import OPERATIONS, operations
from waav.server.refusal import Refused
from waav.server.rest.intake import read_request
from waav.server.rest.operation import Operation, Reply, under_prefixes
from waav.server.rest.refusals import as_refused
from waav.server.rest.upload import place, places_of, request_class
from waav.tasks import without_frames

log = logging.getLogger(__name__)


def create_app(gateway: Gateway) -> QuartTrio:
    """Make the application; a request that its client abandons is cancelled."""
    app = QuartTrio("waav", static_folder=None)
    app.config["RESPONSE_TIMEOUT"] = None  # who takes no answer is cut off, in http_connection
    app.config["MAX_CONTENT_LENGTH"] = gateway.config.server.max_body_bytes
    app.request_class = request_class(
        {
            served_at: operation.upload.limit
            for operation in OPERATIONS
            if operation.upload
            for served_at in under_prefixes(operation.path)
        }
    )
    # `/health//live` and `/health/` would otherwise be answered with redirects, as HTML.
    app.url_map.merge_slashes = False
    app.url_map.strict_slashes = False
    app.before_request(_name_request)
    app.register_error_handler(HTTPException, _refuse)
    for operation in operations(gateway.config.metrics.served_at):
        _add_routes(app, gateway, operation)
    return app


def _add_routes(app: QuartTrio, gateway: Gateway, operation: Operation) -> None:
    places = places_of(operation)

    async def view(**path: str) -> Response:
        try:
            with place(places):
                asked = await read_request(operation, request)
                if operation.scoped:
                    asked["scope"] = gateway.tenancy.scope(_state().get(PRINCIPAL))
                return _response(await operation.handler(gateway, **path, **asked))
        # Also groups, of which the framework would answer the first exception it has a form for.
        except Exception as exc:  # noqa: BLE001  # the top of a request
            return await _refuse(exc, operation.refuse)

    rule = operation.path.replace("{", "<").replace("}", ">")
    for served_at in under_prefixes(rule):
        app.add_url_rule(
            served_at,
            endpoint=f"{served_at}:{operation.method}",
            view_func=view,
            methods=[operation.method],
        )


def _response(reply: Reply[object]) -> Response:
    body = reply.body if isinstance(reply.body, bytes) else msgspec.json.encode(reply.body)
    return Response(body, reply.status, dict(reply.headers), content_type=reply.content_type)


async def _refuse(exc: Exception, explain: Callable[[Exception], Refused] = as_refused) -> Response:
    """Answer a request that failed; what nobody has foreseen goes to the log, once."""
    if not isinstance(exc, (Refused, HTTPException)) and not is_known(exc):
        log.error(
            "request %s failed: %s %s", g.request_id, request.method, request.path, exc_info=exc
        )
    refused = explain(exc)
    without_frames(exc)  # the request may keep it, and is in them
    headers, body = refused.answer(g.request_id)
    return Response(body, refused.status.value, headers)


async def _name_request() -> None:
    # Where nobody stands before the application, as in tests of it, a request has no name.
    g.request_id = _state().get(REQUEST_ID, "")


def _state() -> Mapping[str, Any]:
    state: Mapping[str, Any] = request.scope.get("state", {})
    return state
