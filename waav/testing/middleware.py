"""The contract of :class:`capabilities.Middleware`: a function that tries it, and a fake that keeps it."""

from collections.abc import Iterable, Mapping
from functools import partial
from types import MappingProxyType

import attrs
import msgspec
import trio

from capabilities import Answer, Middleware, Outcome, Principal, Request
from capabilities.middleware import check_headers
from waav.testing.contract import cancel_everywhere, whole_check, within

_PATIENCE = 5.0
"""Seconds that the gateway gives a middleware, unless the operator says otherwise."""
_AGENT = MappingProxyType({"user-agent": "a test", "accept": "*/*"})
_REQUESTS = (
    Request("GET", "/voices", _AGENT, "192.0.2.1"),
    Request("POST", "/speak", _AGENT, "2001:db8::1", Principal("a-tenant", {"plan": "free"})),
    Request("GET", "/ws", _AGENT, "192.0.2.1", Principal("a-tenant"), websocket=True, id="r-1"),
    Request("OPTIONS", "/api/voices"),
    Request("DELETE", "/voices/a b\x00c/../\U0001f642", {"x-odd": "\xff" * 1000}, "unknown"),
    Request("PROPFIND", "/nothing/here", {f"x-{number}": "" for number in range(100)}),
)
"""What may come, whatever a middleware looks at."""
_OUTCOMES = (Outcome(200, 0.01), Outcome(101, 0.0), Outcome(404, 30.0), Outcome(500, 0.5))


@attrs.define(eq=False)
class FakeMiddleware:
    """A middleware that lets everything pass, and adds what it is told to add."""

    adds: Mapping[str, str] = attrs.field(factory=dict)
    """Headers of every answer."""
    answer: Answer | None = None
    """Given instead of letting a request pass."""
    delay: float = 0.0
    """Seconds before it says anything about a request."""
    error: Exception | None = None
    """Raised instead."""
    requests: list[Request] = attrs.field(factory=list, init=False)
    """All that it was asked about, the newest last."""
    outcomes: list[tuple[Request, Outcome]] = attrs.field(factory=list, init=False)

    async def before(self, request: Request) -> Answer | None:
        """Let it pass."""
        self.requests.append(request)
        await trio.sleep(self.delay)
        if self.error is not None:
            raise self.error
        return self.answer

    async def after(self, request: Request, outcome: Outcome) -> Mapping[str, str]:
        """Add the headers."""
        await trio.lowlevel.checkpoint()
        self.outcomes.append((request, outcome))
        return self.adds


async def check_middleware(
    middleware: Middleware,
    *,
    requests: Iterable[Request] = (),
    cancels: int = 60,
    budget: float = 60.0,
) -> None:
    """Raise AssertionError at the first promise of :class:`Middleware` that is not kept.

    Args:
        middleware: the implementer.
        requests: further ones, such as it was made for.
        cancels: the most runs that are cancelled, each at another await.
        budget: seconds for all of it.
    """
    asked = [*requests, *_REQUESTS]
    async with whole_check(budget):
        for request in asked:
            await _pass(middleware, request)
        await _many(middleware, asked)
        await cancel_everywhere(partial(_pass, middleware, asked[0]), "a request", most=cancels)


async def _many(middleware: Middleware, requests: Iterable[Request]) -> None:
    """All at once, as they come from many clients."""
    wrong: list[Exception] = []

    async def one(request: Request) -> None:
        try:
            await _pass(middleware, request)
        except Exception as error:  # noqa: BLE001 - a nursery would wrap it into a group
            wrong.append(error)

    async with trio.open_nursery() as nursery:
        for request in requests:
            nursery.start_soon(one, request, name="testing/request")
    if wrong:
        raise wrong[0]


async def _pass(middleware: Middleware, request: Request) -> None:
    what = f"looking at {request.method} {request.path[:40]!r}"
    async with within(_PATIENCE, what):
        answer: object = await middleware.before(request)
    if answer is not None:
        _check_answer(answer, what)
        return
    for outcome in _OUTCOMES:
        async with within(_PATIENCE, f"looking at an answer after {what}"):
            headers = await middleware.after(request, outcome)
        try:
            check_headers(headers)
        except Exception as error:
            raise AssertionError(f"after {what}: {error}") from error


def _check_answer(answer: object, what: str) -> None:
    if not isinstance(answer, Answer):
        raise AssertionError(f"{what} gives None or an Answer, not {answer!r}")  # noqa: TRY004
    try:
        msgspec.json.encode(answer.body)
    except Exception as error:
        raise AssertionError(f"{what} gives an answer that cannot be sent: {error}") from error
