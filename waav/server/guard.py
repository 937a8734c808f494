"""Around the application: each request is asked about before it, and each answer completed after it."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeAlias

from waav.server.access import Exchange
from waav.server.admission import Admission
from waav.server.answers import Answers
from waav.server.cors import is_preflight
from waav.server.foreseen import ForeseenBody
from waav.server.head import RequestHead
from waav.server.refusal import Refused

ASGIApp: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]
"""An ASGI 3 application, such as the one of Quart-Trio."""

REQUEST_ID, PRINCIPAL = "request_id", "principal"
"""Where the application finds them: in the ``state`` of its scope."""


def guard(app: ASGIApp, admission: Admission, answers: Answers) -> ASGIApp:
    """Ask about each request of a connection, also one that there is nothing for.

    WebSockets are kept away from the application: they belong to the front door. One comes here when
    it is a later request of a connection that began with HTTP, as a proxy's may be. 421 tells the
    client to try again with a connection of its own.
    """

    async def call(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
            return
        head, body = _head(scope), ForeseenBody(receive)
        with answers.log.exchange(head, head.peer[0]) as exchange:
            answer = _completed(send, exchange, answers.own(exchange))
            try:
                if head.wants_websocket:
                    admission.check_upgrade(head.peer[0], head.headers)
                    raise _misdirected()
                admission.check_request(head.path, head.peer[0], head.headers)
                if is_preflight(head.method, head.headers):
                    await _send(answer, HTTPStatus.NO_CONTENT, answers.cors.preflight())
                    return
                principal = await admission.doorkeeper.check_request(head, body.read)
                passage = await admission.pass_middlewares(head, principal)
            except Refused as refused:
                admission.refused.note(refused.code)
                headers, text = refused.answer(head.request_id)
                await _send(answer, refused.status, headers, text)
                return
            scope.setdefault("state", {}).update(
                {REQUEST_ID: head.request_id, PRINCIPAL: principal}
            )
            scope["path"] = head.resource  # what is served is what they were asked about
            await app(scope, body.receive, passage.around(answer))

    return call


def _misdirected() -> Refused:
    return Refused(
        HTTPStatus.MISDIRECTED_REQUEST,
        "new_connection_required",
        "A WebSocket must be the first request of its connection",
    )


def _head(scope: Any) -> RequestHead:
    """Return what the front door would have read; the bytes are gone."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return RequestHead(
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        peer=tuple(scope["client"]),
        scheme=scope["scheme"],
        http_version=scope["http_version"],
        size=0,
    )


def encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Return headers as ASGI has them."""
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


def _completed(send: Any, exchange: Exchange, headers: Mapping[str, str]) -> Any:
    """Return a ``send`` that adds headers to the answer, and takes down what is sent."""
    more = encoded(headers)

    async def complete(message: Any) -> None:
        if message["type"] == "http.response.start":
            exchange.status = message["status"]
            message = {**message, "headers": [*message["headers"], *more]}
        exchange.sent += len(message.get("body", b""))
        await send(message)

    return complete


async def _send(
    send: Any, status: HTTPStatus, headers: Mapping[str, str], body: bytes = b""
) -> None:
    """Send a whole answer."""
    start = {"status": status.value, "headers": encoded(headers)}
    await send({"type": "http.response.start", **start})
    await send({"type": "http.response.body", "body": body, "more_body": False})
