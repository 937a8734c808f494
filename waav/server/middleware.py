"""Middlewares of plugins, at both doors: asked about requests in order, about answers in reverse."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import attrs
import msgspec
import trio

from capabilities import (
    Answer,
    Capability,
    Middleware,
    Outcome,
    Principal,
    ProviderError,
    Request,
)
from capabilities.middleware import check_headers
from waav.config import Config
from waav.errors import ConfigError, Problem, UnknownProvider, WaavError
from waav.plugins import Guarded, Plugins
from waav.plugins.replies import MOST_BYTES
from waav.security.authenticate import harmless
from waav.server.handshake import negotiate
from waav.server.head import RequestHead
from waav.server.refusal import Refused
from waav.server.rest.keys import HEADER as KEY_HEADER

log = logging.getLogger(__name__)

_RETRY_AFTER = "5"
NOTHING = Request("", "")
"""What nobody was asked about."""


class Answered(Refused):
    """A middleware answers instead. No error, but the doors send it as they send a refusal."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status, "middleware", "Answered by a middleware", answer.headers)
        text = isinstance(answer.body, str)
        self._type = "text/plain; charset=utf-8" if text else "application/json"
        self._body = answer.body.encode() if text else msgspec.json.encode(answer.body)
        if len(self._body) > MOST_BYTES:
            raise ValueError(f"an answer of {len(self._body)} bytes (max: {MOST_BYTES})")

    def answer(self, _request_id: str) -> tuple[dict[str, str], bytes]:
        """Return what the middleware wants to be said; an id has no place in it."""
        headers = {"content-type": self._type, **self.headers}
        return {**headers, "content-length": str(len(self._body))}, self._body


@attrs.define(eq=False)
class Passage:
    """A request on its way past the middlewares, and its answer on the way back."""

    _request: Request = NOTHING
    _patience: float = 0.0
    _began: float = attrs.field(factory=trio.current_time)
    _passed: list[Guarded[Middleware]] = attrs.field(factory=list)
    """Those who have let it pass."""

    async def enter(self, chain: Sequence[Guarded[Middleware]], optional: frozenset[str]) -> None:
        """Ask one after the other.

        Raises:
            Refused: one of them answers, or cannot say; with the headers of those before it.
        """
        try:
            for middleware in chain:
                await self._ask(middleware, needed=middleware.id not in optional)
        except Refused as refused:
            refused.headers = {**refused.headers, **await self.headers(refused.status)}
            raise

    async def headers(self, status: int) -> Mapping[str, str]:
        """Tell all that have let it pass how it ends; return the headers that they want to add."""
        added: dict[str, str] = {}
        outcome = Outcome(status, trio.current_time() - self._began)
        for middleware in reversed(self._passed):
            try:
                added |= await middleware.run_within(self._patience, _after, self._request, outcome)
            except (ProviderError, WaavError) as exc:
                log.warning("middleware %s says nothing of an answer: %s", middleware.id, exc)
        return added

    def around(self, send: Any) -> Any:
        """Return what sends an ASGI answer with the headers of the middlewares."""
        if not self._passed:
            return send

        async def call(message: Any) -> None:
            if message["type"] == "http.response.start":
                added = await self.headers(message["status"])
                message = {**message, "headers": _replaced(message["headers"], added)}
            await send(message)

        return call

    async def _ask(self, middleware: Guarded[Middleware], *, needed: bool) -> None:
        try:
            answered = await middleware.run_within(self._patience, _before, self._request)
        except (ProviderError, WaavError) as exc:
            log.warning("middleware %s cannot say: %s", middleware.id, exc)
            if needed:
                raise _unavailable() from exc
            return
        if answered is not None:
            raise answered
        self._passed.append(middleware)


@attrs.frozen
class Middlewares:
    """Who is asked, and how patiently; without arguments nobody is."""

    _plugins: Plugins | None = None
    _rank: Mapping[str, int] = attrs.field(factory=dict)
    """Ids of those that the operator has put first, with their places."""
    _optional: frozenset[str] = frozenset()
    _patience: float = 5.0

    @classmethod
    def of(cls, config: Config, plugins: Plugins) -> "Middlewares":
        """Return those that are plugged in, as the operator wants them.

        Raises:
            ConfigError: one that is named is not there; without it requests must not pass.
        """
        named = config.middleware
        order = [_id("order", name, plugins) for name in named.order]
        optional = frozenset(_id("optional", name, plugins) for name in named.optional)
        rank = {id_: place for place, id_ in enumerate(dict.fromkeys(order))}
        return cls(plugins, rank, optional, named.patience_seconds)

    async def enter(
        self, head: RequestHead, client: str, principal: Principal | None, *, websocket: bool
    ) -> Passage:
        """Ask all of them about a request.

        Args:
            client: the address, by the one rule for it.
            principal: who it is, if that is known.
            websocket: whether a handshake is wanted.

        Raises:
            Refused: one of them answers, or cannot say.
        """
        chain = self._chain()
        if not chain:
            return Passage()
        if websocket:
            negotiate(head)  # what is no handshake is refused before anybody hears of it
        request = Request(
            id=head.request_id,
            method=head.method,
            path=head.resource,
            headers=_shown(head.headers),
            client=client,
            principal=principal,
            websocket=websocket,
        )
        passage = Passage(request, self._patience)
        await passage.enter(chain, self._optional)
        return passage

    def _chain(self) -> Sequence[Guarded[Middleware]]:
        if self._plugins is None:
            return []
        last = len(self._rank)
        return sorted(self._plugins.middlewares(), key=lambda each: self._rank.get(each.id, last))


async def _before(middleware: Middleware, request: Request) -> Answered | None:
    # In the plugin's own task: an answer that cannot be written is the plugin's fault.
    answer: Any = await middleware.before(request)
    if answer is None:
        return None
    if not isinstance(answer, Answer):
        raise TypeError(f"a middleware gave a {type(answer).__name__}")
    return Answered(answer)


async def _after(middleware: Middleware, request: Request, outcome: Outcome) -> Mapping[str, str]:
    return check_headers(await middleware.after(request, outcome))


def _id(key: str, name: str, plugins: Plugins) -> str:
    try:
        return plugins.registry.find(Capability.MIDDLEWARE, name).id
    except UnknownProvider as exc:
        raise ConfigError([Problem("configuration", f"middleware.{key}", exc.message)]) from None


_HIDDEN = frozenset({KEY_HEADER.lower(), "proxy-authorization", "forwarded"})
"""Beside those that strategies of authentication do not see either."""


def _shown(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Return the headers without those that authenticate, anywhere, or that a proxy sets."""
    shown = {name: value for name, value in harmless(headers).items() if name not in _HIDDEN}
    # All middlewares get the same: what one of them does to it the others must not see.
    return MappingProxyType(shown)


def _replaced(
    headers: Iterable[tuple[bytes, bytes]], added: Mapping[str, str]
) -> list[tuple[bytes, bytes]]:
    kept = [pair for pair in headers if pair[0].lower().decode("latin-1") not in added]
    return [*kept, *((name.encode(), value.encode("latin-1")) for name, value in added.items())]


def _unavailable() -> Refused:
    return Refused(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "middleware_failed",
        "A part of the server that looks at each request does not work. Please try again later.",
        {"retry-after": _RETRY_AFTER},
    )
