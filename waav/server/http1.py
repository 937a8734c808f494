"""HTTP/1.1 as Hypercorn speaks it, but for upgrades, and for what it says to nonsense."""

from http import HTTPStatus
from typing import Any, cast

import h11
from hypercorn.protocol.h11 import H11Protocol

from waav.server.guard import encoded
from waav.server.head import Parser
from waav.server.http_connection import CONNECTION, Connection, Settings
from waav.server.refusal import Refused

_PREFACE = b"PRI", b"*", b"2.0"


class Http1(H11Protocol):
    """One connection.

    ``Upgrade: h2c`` is ignored, as a server may (RFC 9110, 7.8): nobody uses it any more (RFC 9113,
    3.1), requests go past the rules of a proxy with it, and Hypercorn fails at settings that it cannot
    read. Whoever wants HTTP/2 begins with it.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.connection = Parser(
            h11.SERVER, max_incomplete_event_size=self.config.h11_max_incomplete_size
        )

    async def _check_protocol(self, event: h11.Request) -> None:
        begins = (event.method, event.target, event.http_version) == _PREFACE
        if begins and not event.headers:
            await super()._check_protocol(event)

    async def _create_stream(self, request: h11.Request) -> None:
        # Hypercorn begins a WebSocket where both headers say so. With one of them the request is like
        # any other, and refused by whoever looks at it: our WebSockets belong to the front door.
        plain = h11.Request(
            method=request.method,
            target=request.target,
            headers=[each for each in request.headers if each[0] != b"connection"],
            http_version=request.http_version,
        )
        await super()._create_stream(plain)

    async def _send_error_response(self, status_code: int) -> None:
        """Refuse what is no request, or goes on as none, as the front door does."""
        settings = cast(Settings, self.config)
        connection: Connection = self.connection_state[CONNECTION]
        refused = Refused(HTTPStatus(status_code), "bad_request", "Not an HTTP request")
        with settings.answers.log.exchange(None, connection.peer[0]) as exchange:
            headers, body = refused.answer(exchange.request_id)
            exchange.status, exchange.sent = status_code, len(body)
            said = {"connection": "close", **headers, **settings.answers.own(exchange)}
            pairs = [*encoded(said), *settings.response_headers("h11")]
            head = h11.Response(status_code=status_code, headers=pairs)
            for event in (head, h11.Data(data=body), h11.EndOfMessage()):
                await self._send_h11_event(event)
