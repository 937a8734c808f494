"""A body that was read before its time: the application reads the same, and never too much is kept."""

from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from waav.server.foreseen import PATIENCE, ForeseenBody
from waav.server.refusal import Refused

GONE = {"type": "http.disconnect"}


def arriving(*pieces: bytes, then: Any = GONE, whole: bool = True) -> ForeseenBody:
    messages: list[Any] = [
        {"type": "http.request", "body": piece, "more_body": True} for piece in pieces
    ]
    if whole:
        messages.append({"type": "http.request", "body": b""})

    async def receive() -> Any:
        await trio.lowlevel.checkpoint()
        return messages.pop(0) if messages else then

    return ForeseenBody(receive)


@given(pieces=st.lists(st.binary(max_size=20), max_size=8))
def test_the_application_reads_what_was_read(pieces: list[bytes]) -> None:
    async def story() -> None:
        body = arriving(*pieces)
        assert await body.read(200) == b"".join(pieces)
        told = await body.receive()
        assert told == {"type": "http.request", "body": b"".join(pieces), "more_body": False}
        assert await body.receive() == GONE

    trio.run(story)


async def test_what_nobody_has_read_comes_as_it_is() -> None:
    body = arriving(b"a", b"b")
    assert [(await body.receive())["body"] for _ in range(3)] == [b"a", b"b", b""]


@pytest.mark.pins("D216")
async def test_auth_body_limit() -> None:
    """One byte more than is looked at is refused, and what comes behind it is not read."""
    assert await arriving(b"12", b"34").read(4) == b"1234"
    body = arriving(b"12", b"345", b"never read")
    with pytest.raises(Refused) as caught:
        await body.read(4)
    assert (caught.value.status, caught.value.code) == (413, "body_too_large")
    assert (await body.receive())["body"] == b"never read"


async def test_half_a_body_is_none() -> None:
    with pytest.raises(Refused) as caught:
        await arriving(b"12", whole=False).read(4)
    assert caught.value.status == 400


async def test_a_body_that_does_not_come_is_not_waited_for(autojump_clock: MockClock) -> None:
    async def receive() -> Any:
        await trio.sleep_forever()

    began = trio.current_time()
    with pytest.raises(Refused) as caught:
        await ForeseenBody(receive).read(4)
    assert caught.value.status == 408
    assert trio.current_time() - began == PATIENCE
