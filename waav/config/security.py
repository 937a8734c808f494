"""The section ``[security]``: how many may come in, how often they may ask, which pages may call."""

import attrs

from waav.config.option import option

RATE_LIMIT_OFF = 100_000
"""Requests a second from which on the limiter is off, as in the gateway that we replace."""


@attrs.frozen
class Security:
    """Limits, and which web pages may call."""

    cors_allowed_origins: tuple[str, ...] = option(
        'Web pages that may call: ["*"] for all, or a list of origins such as'
        ' "https://app.example.com"; empty for none.',
        default=(),
        env="CORS_ALLOWED_ORIGINS",
    )
    rate_limit_requests_per_second: int = option(
        "Requests a second of one client; 100000 or more switches the limiter off.",
        default=60,
        env="RATE_LIMIT_REQUESTS_PER_SECOND",
        least=1,
    )
    rate_limit_burst_size: int = option(
        "Requests that one client may send at once after a pause.",
        default=10,
        env="RATE_LIMIT_BURST_SIZE",
        least=1,
    )
    max_websocket_connections: int | None = option(
        "WebSocket connections at one time; not set for no limit.",
        env="MAX_WEBSOCKET_CONNECTIONS",
        least=1,
        example="1000",
    )
    max_connections_per_ip: int = option(
        "WebSocket connections of one client (an IPv4 address, or an IPv6 network of 64 bits); beside"
        " them, as many for HTTP, and as many that have not said what they want.",
        default=100,
        env="MAX_CONNECTIONS_PER_IP",
        least=1,
    )
    max_waiting_connections: int = option(
        "Connections that have not said what they want, in each process; of more than that, the one"
        " that has waited for longest is closed.",
        default=1000,
        least=1,
    )
    max_connections_per_tenant: int | None = option(
        "Sessions of one tenant at one time; not set for no limit.",
        least=1,
        example="100",
    )

    @property
    def rate_limited(self) -> bool:
        """False if the limiter is switched off by a number that nobody reaches."""
        return self.rate_limit_requests_per_second < RATE_LIMIT_OFF
