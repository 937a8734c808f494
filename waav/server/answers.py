"""What goes around every answer, whichever door gives it: headers, and a line in the access log."""

import attrs

from waav.config import Config
from waav.server.access import AccessLog, Exchange
from waav.server.cors import Cors

ALWAYS = {"x-content-type-options": "nosniff", "x-frame-options": "DENY"}
SECURE = {**ALWAYS, "strict-transport-security": "max-age=31536000"}
"""For a year a browser comes with TLS only (RFC 6797). Of other names below ours we know nothing."""


@attrs.frozen
class Answers:
    """What the doors add to every answer; without arguments for a port without TLS and without pages."""

    cors: Cors = Cors()
    secure: bool = False
    """Whether the port speaks TLS; who hears otherwise must not be told to come with it."""
    log: AccessLog = AccessLog()

    @classmethod
    def of(cls, config: Config) -> "Answers":
        """Return what the operator has set."""
        origins = config.security.cors_allowed_origins
        return cls(Cors(origins), config.server.tls.enabled, AccessLog.of(config))

    @property
    def always(self) -> dict[str, str]:
        """The headers that do not depend on the request."""
        return SECURE if self.secure else ALWAYS

    def own(self, exchange: Exchange) -> dict[str, str]:
        """Return the headers that do."""
        origin = exchange.head.headers.get("origin") if exchange.head else None
        return {"x-request-id": exchange.request_id, **self.cors.headers(origin)}

    def headers(self, exchange: Exchange) -> dict[str, str]:
        """Return all of them."""
        return self.always | self.own(exchange)
