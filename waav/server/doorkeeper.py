"""Who comes, at either door: the token in the head of a request, before anything is made for it."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from math import ceil

import attrs

from capabilities import Principal
from waav.config import Config
from waav.observe.scope import tell
from waav.security.authenticate import Authenticator
from waav.security.bearer import Bearer, Rejection, find_bearer
from waav.server.head import RequestHead
from waav.server.openapi import DESCRIPTION, operations
from waav.server.refusal import Refused
from waav.server.rest.operation import under_prefixes

_RETRY_AFTER = 5.0


@attrs.frozen
class Visitor:
    """A client that wants a WebSocket, as far as the head of its request tells who it is."""

    head: RequestHead
    principal: Principal | None = None
    """None: nobody knows it."""
    pending: bool = False
    """It has to say who it is, and has not yet: its handler asks, and makes nothing before that."""


def _nobody_asks() -> Authenticator:
    return Authenticator(required=False, body_limit=0, strategies={})


@attrs.frozen
class Doorkeeper:
    """Asks everybody who comes; without arguments all are let in."""

    authenticator: Authenticator = attrs.Factory(_nobody_asks)
    public: frozenset[str] = frozenset()
    """HTTP paths for which nobody needs to be known."""
    asked_inside: frozenset[str] = frozenset()
    """WebSocket paths whose handlers ask the visitors that are :attr:`Visitor.pending`."""

    @classmethod
    def of(
        cls, config: Config, authenticator: Authenticator, asked_inside: frozenset[str]
    ) -> "Doorkeeper":
        """Return one that knows what the operator has left open."""
        return cls(authenticator, public_paths(config), asked_inside)

    async def check_request(
        self, head: RequestHead, read_body: Callable[[int], Awaitable[bytes]]
    ) -> Principal | None:
        """Let a request of the REST side pass, and return whose it is if anybody knows.

        Args:
            read_body: reads the whole body, of at most so many bytes; called only if somebody who
                shows a token may be judged by it.

        Raises:
            Refused: it does not pass; also whatever ``read_body`` raises.
        """
        if head.path in self.public:
            return None
        bearer, limit, body = _bearer(head), self.authenticator.body_limit, b""
        if isinstance(bearer, Bearer) and limit and _may_be_json(head):
            body = await read_body(limit)
        return await self._admit(bearer, head, body)

    async def check_upgrade(self, head: RequestHead) -> Visitor:
        """Let a request for a WebSocket pass, to its handler or to be asked there.

        Raises:
            Refused: it does not pass.
        """
        bearer = _bearer(head)
        if bearer is None and self.authenticator.required and head.path in self.asked_inside:
            return Visitor(head, pending=True)
        return Visitor(head, await self._admit(bearer, head))

    async def _admit(
        self, bearer: Bearer | Rejection | None, head: RequestHead, body: bytes = b""
    ) -> Principal | None:
        outcome = await self.authenticator.admit(
            bearer, method=head.method, path=head.resource, headers=head.headers, body=body
        )
        if isinstance(outcome, Rejection):
            raise _refused(outcome)
        if outcome is not None:
            tell(tenant=outcome.id)
        return outcome


def public_paths(config: Config) -> frozenset[str]:
    """Return the paths of the REST side that the operator has not closed, under all prefixes."""
    closed = set()
    if not config.auth.public_metrics:
        closed.add(config.metrics.path)
    if not config.auth.public_description:
        closed |= {each.path for each in DESCRIPTION}
    paths = {each.path for each in operations(config.metrics.served_at) if each.public} - closed
    return frozenset(place for path in paths for place in under_prefixes(path))


def _bearer(head: RequestHead) -> Bearer | Rejection | None:
    return find_bearer(head.headers.get("authorization"), head.parameter("token"))


def _may_be_json(head: RequestHead) -> bool:
    # Generously, so that no handler reads as JSON what was not shown.
    return "json" in head.headers.get("content-type", "").lower()


def _refused(rejection: Rejection) -> Refused:
    headers = {}
    if rejection.status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = "Bearer"
    if rejection.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["retry-after"] = str(max(1, ceil(rejection.retry_after or _RETRY_AFTER)))
    return Refused(
        HTTPStatus(rejection.status),
        rejection.code,
        rejection.message,
        headers,
        error=rejection.code,
    )
