"""The access log: a record for each request and each attempt at a WebSocket, whatever became of it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import attrs
import trio

from waav.config import Config
from waav.observe.scope import scope, told
from waav.security.addresses import Clients
from waav.server.admission import EXEMPT, exempt
from waav.server.head import RequestHead, new_request_id

logger = logging.getLogger("waav.access")

LONGEST = 256
"""Characters of a path or a method that are shown: a client may send 64 KiB of them."""


@attrs.define(eq=False)
class Exchange:
    """A request, and what has become of it so far: for the door that serves it to fill in."""

    head: RequestHead | None
    """None: it could not be read."""
    request_id: str = attrs.field(init=False)
    """That of the head, or a new one."""
    status: int | None = None
    """Of the answer. None: there was none, because the client or the server went."""
    sent: int = 0
    """Bytes: the body of an answer, or all that a WebSocket was sent."""

    @request_id.default
    def _request_id(self) -> str:
        return self.head.request_id if self.head else new_request_id()


@attrs.frozen
class AccessLog:
    """What is written down."""

    enabled: bool = True
    clients: Clients = Clients()
    quiet: frozenset[str] = EXEMPT
    """Paths of which nothing is, over HTTP: who watches over us comes every few seconds."""

    @classmethod
    def of(cls, config: Config) -> "AccessLog":
        """Return what the operator wants to read."""
        server = config.server
        quiet = exempt(config.metrics.served_at)
        return cls(server.access_log, Clients(server.trusted_proxies), quiet)

    @contextmanager
    def exchange(self, head: RequestHead | None, peer: str) -> Iterator[Exchange]:
        """Write the record when the block ends, in whatever way; all records of the block have its id.

        Args:
            peer: the address whose connection it is.
        """
        exchange, begun = Exchange(head), trio.current_time()
        with scope(request_id=exchange.request_id):
            try:
                yield exchange
            finally:
                if self.enabled and logger.isEnabledFor(logging.INFO) and not self._is_quiet(head):
                    self._write(exchange, peer, trio.current_time() - begun)

    def _is_quiet(self, head: RequestHead | None) -> bool:
        return head is not None and head.path in self.quiet and not head.wants_websocket

    def _write(self, exchange: Exchange, peer: str, seconds: float) -> None:
        head = exchange.head
        asked = (_shown(head.method), _shown(head.path)) if head else ("-", "-")
        fields = {
            "status": exchange.status,
            "bytes": exchange.sent,
            "ms": round(seconds * 1000, 1),
            "client": self.clients.of(peer, head.headers if head else {}),
            # Among it whose request it is, which the doorkeeper or the first message has told.
            **told(),
        }
        known = {name: value for name, value in fields.items() if value is not None}
        logger.info("%s %s", *asked, extra=known)


def _shown(text: str) -> str:
    """Write what a client said in so many printable characters, and none that parts a line."""
    return quote(text[:LONGEST], safe="/:@!$&'()*+,;=")
