"""Who may come in, and how often: asked about each request of either door, before anything is made.

It needs no more than the head of a request. A refusal costs the answer: no task, no session, and the
application is not even called.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from http import HTTPStatus
from math import ceil

import attrs
import trio

from capabilities import Principal
from waav.errors import LimitReached
from waav.gateway import Gateway
from waav.observe.counters import ByLabel
from waav.observe.load import Load
from waav.security.addresses import Clients
from waav.security.limits import EVERYBODY, Capacities, Counts, Key, Limiter, LocalLimiter
from waav.security.rate import Rates, Verdict
from waav.server.doorkeeper import Doorkeeper
from waav.server.head import RequestHead
from waav.server.middleware import Middlewares, Passage
from waav.server.refusal import Refused
from waav.server.rest.refusals import as_refused


def exempt(metrics_at: str | None = "/metrics") -> frozenset[str]:
    """Return the paths that may be asked for at any rate: who watches over us must not be turned away."""
    paths = "/health", "/health/live", "/health/ready", *([metrics_at] if metrics_at else [])
    return frozenset({"/", "/api", *paths, *(f"/api{path}" for path in paths)})


EXEMPT = exempt()
"""Those of a gateway whose operator has not moved anything."""


def _unlimited() -> Limiter:
    return LocalLimiter(Counts(Capacities()))


@attrs.frozen
class Admission:
    """The limits at the doors; without arguments there are none."""

    clients: Clients = Clients()
    rates: Rates | None = None
    """None: every client may ask as often as it likes."""
    limiter: Limiter = attrs.Factory(_unlimited)
    """Has the places for WebSockets, of all workers together."""
    plain: Limiter = attrs.Factory(_unlimited)
    """Has the places for connections that are none, of this process."""
    load: Load | None = None
    """Says when there is too much to do already."""
    exempt: frozenset[str] = EXEMPT
    """Paths that are not limited, and that middlewares do not see."""
    doorkeeper: Doorkeeper = attrs.Factory(Doorkeeper)
    """Asks who comes."""
    refused: ByLabel = attrs.Factory(ByLabel)
    """Who was sent away at a door, by code; it is for the doors to count."""
    middlewares: Middlewares = attrs.Factory(Middlewares)
    """Asked about everybody who has been let in."""

    @classmethod
    def of(cls, gateway: Gateway, doorkeeper: Doorkeeper) -> "Admission":
        """Return the limits that the operator has set.

        Raises:
            ConfigError: a middleware that is named is not there.
        """
        config, security = gateway.config, gateway.config.security
        rates = None
        if security.rate_limited:
            rates = Rates(security.rate_limit_requests_per_second, security.rate_limit_burst_size)
        clients = Clients(config.server.trusted_proxies, config.server.proxy_protocol)
        paths = exempt(config.metrics.served_at)
        return cls(
            clients=clients,
            rates=rates,
            limiter=gateway.limiter,
            plain=LocalLimiter(Counts(Capacities(client=security.max_connections_per_ip))),
            load=gateway.load,
            exempt=paths,
            doorkeeper=doorkeeper,
            refused=gateway.counters.refused,
            middlewares=Middlewares.of(config, gateway.plugins),
        )

    def check_request(self, path: str, peer: str, headers: Mapping[str, str]) -> None:
        """Count a request of the REST side.

        Args:
            path: percent-decoded.
            peer: the address at the other end of the socket.
            headers: by name in lower case; a repeated one is joined with commas.

        Raises:
            Refused: there were too many (429), or there is too much to do (503).
        """
        if path not in self.exempt:
            self._count(peer, headers)
            self._look_at_load()

    def check_upgrade(self, peer: str, headers: Mapping[str, str]) -> None:
        """Count a request for a WebSocket, whatever its path; otherwise as :meth:`check_request`."""
        self._count(peer, headers)

    @asynccontextmanager
    async def connection(self, head: RequestHead) -> AsyncIterator[None]:
        """Hold a WebSocket's place for as long as the block lasts.

        Raises:
            Refused: at the start of the block: there is no place, or too much to do (503).
        """
        self._look_at_load()
        client = self.clients.of(head.peer[0], head.headers)
        async with _place(self.limiter, [EVERYBODY, ("client", client)]):
            yield

    @asynccontextmanager
    async def http_connection(self, peer: str, path: str | None = None) -> AsyncIterator[None]:
        """Hold the place of a connection that is no WebSocket, for as long as the block lasts.

        The connections of a proxy are those of many clients, and not counted.

        Args:
            path: that of its first request, if that is known. Who begins with an exempt one has
                other places: whoever watches over us may share an address with those who are served.

        Raises:
            Refused: at the start of the block: there is no place (503).
        """
        owner, watches = self.clients.owner(peer), " watching" if path in self.exempt else ""
        async with _place(self.plain, [] if owner is None else [("client", owner + watches)]):
            yield

    async def pass_middlewares(
        self, head: RequestHead, principal: Principal | None, *, websocket: bool = False
    ) -> Passage:
        """Ask the middlewares about a request that was let in.

        Raises:
            Refused: one of them answers, or cannot say.
        """
        # One that is broken must not make the gateway look dead to who watches over it.
        if head.path in self.exempt:
            return Passage()
        client = self.clients.of(head.peer[0], head.headers)
        return await self.middlewares.enter(head, client, principal, websocket=websocket)

    def _look_at_load(self) -> None:
        if self.load is not None and (overloaded := self.load.refusal()) is not None:
            raise as_refused(overloaded)

    def _count(self, peer: str, headers: Mapping[str, str]) -> None:
        if self.rates is None:
            return
        verdict = self.rates.take(self.clients.of(peer, headers), trio.current_time())
        if not verdict.passes:
            raise _too_many(verdict, self.rates.burst)


@asynccontextmanager
async def _place(limiter: Limiter, keys: Sequence[Key]) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(limiter.slot(keys))
        except LimitReached as full:
            raise as_refused(full) from None
        yield


def _too_many(verdict: Verdict, burst: int) -> Refused:
    wait = str(ceil(verdict.wait))
    return Refused(
        HTTPStatus.TOO_MANY_REQUESTS,
        "too_many_requests",
        f"Too Many Requests! Wait for {wait}s",
        {
            "retry-after": wait,
            "x-ratelimit-after": wait,
            "x-ratelimit-limit": str(burst),
            "x-ratelimit-remaining": str(verdict.remaining),
        },
    )
