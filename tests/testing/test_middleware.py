"""The suite of middlewares finds each kind of bad implementer."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest
import trio

from capabilities import Answer, Outcome, Request
from waav.testing import FakeMiddleware, check_middleware, check_plugin, manifest_of


class Stumbles(FakeMiddleware):
    async def before(self, request: Request) -> Answer | None:
        assert request.principal is not None, "somebody whom nobody knows"
        return await super().before(request)


class Forgets(FakeMiddleware):
    async def after(self, request: Request, outcome: Outcome) -> Mapping[str, str]:
        await super().after(request, outcome)
        return None  # type: ignore[return-value]  # what is forgotten often


class LooksAway(FakeMiddleware):
    """It cannot tell two requests apart that come at one time."""

    async def before(self, request: Request) -> Answer | None:
        self.requests.append(request)
        await trio.sleep(0.1)
        assert self.requests[-1] is request, "another one has come meanwhile"
        return None


class Lingers(FakeMiddleware):
    async def after(self, request: Request, outcome: Outcome) -> Mapping[str, str]:
        await trio.sleep(6)
        return await super().after(request, outcome)


CASES: dict[str, tuple[Callable[[], Any], str]] = {
    "truth": (partial(FakeMiddleware, answer=True), "None or an Answer, not True"),
    "no data": (partial(FakeMiddleware, answer=Answer(403, print)), "cannot be sent"),
    "header": (partial(FakeMiddleware, adds={"x-a": "b\n"}), "the header x-a has a character"),
    "framing": (partial(FakeMiddleware, adds={"content-length": "1"}), "cannot have the header"),
    "nothing": (Forgets, "after looking at GET '/voices'"),
    "stumbles": (Stumbles, "somebody whom nobody knows"),
    "one at a time": (LooksAway, "another one has come"),
    "slow": (partial(FakeMiddleware, delay=6), "takes more than 5.0 s"),
    "slow after": (Lingers, "takes more than 5.0 s"),
}


@pytest.mark.parametrize(("make", "message"), CASES.values(), ids=CASES)
async def test_a_defect_is_found(
    make: Callable[[], FakeMiddleware], message: str, autojump_clock: trio.testing.MockClock
) -> None:
    with pytest.raises(AssertionError, match=message):
        await check_middleware(make(), budget=1000)


async def test_a_good_one_passes() -> None:
    fake = FakeMiddleware(adds={"x-a": "b"})
    await check_middleware(fake, requests=[Request("POST", "/mine")])
    assert fake.requests[0].path == "/mine"
    assert {each.websocket for each in fake.requests} == {True, False}
    assert {outcome.status for _, outcome in fake.outcomes} > {101, 200, 500}
    await check_plugin(manifest_of(middleware=FakeMiddleware(answer=Answer(403, {"a": 1}))))
