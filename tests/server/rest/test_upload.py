"""A large body is read in pieces, and others have their turn between them."""

from typing import Any

import pytest
import trio
from quart import Request
from werkzeug.exceptions import RequestTimeout

from waav.server.refusal import Refused
from waav.server.rest.upload import PATIENCE, PIECE, place, read_body, request_class


class Sizes(trio.abc.Instrument):
    """A reader that remembers how much it was given at a time, and in which turn of the loop."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.turns: list[int] = []
        self.turn = 0

    def feed(self, data: bytes) -> None:
        self.sizes.append(len(data))
        self.turns.append(self.turn)

    def end(self) -> dict[str, Any]:
        return {"size": sum(self.sizes)}

    def before_io_wait(self, timeout: float) -> None:  # noqa: ARG002 - the name is trio's
        self.turn += 1


def request(path: str = "/large", limit: int | None = None) -> Request:
    made: Request = request_class({"/large": 1000} if limit is None else {"/large": limit})(
        "POST", "http", path, b"", {}, "", "1.1", {}, max_content_length=10, send_push_promise=None
    )
    return made


async def test_no_piece_is_larger_than_what_takes_a_moment() -> None:
    """Even if all of the body is there at once."""
    sent, reader = request(limit=10 * PIECE), Sizes()
    sent.body.append(bytes(5 * PIECE + 1))
    sent.body.set_complete()
    trio.lowlevel.add_instrument(reader)
    assert await read_body(sent, reader, 10 * PIECE) == {"size": 5 * PIECE + 1}
    assert reader.sizes == [PIECE] * 5 + [1]
    trio.lowlevel.remove_instrument(reader)
    assert len(set(reader.turns)) == len(reader.turns), "others had no turn"


async def test_the_limit_is_for_all_of_it() -> None:
    """The framework's own counts only what nobody has read yet."""
    sent, reader = request(limit=1000), Sizes()

    async def arrive() -> None:
        for _ in range(11):
            sent.body.append(bytes(100))
            await trio.testing.wait_all_tasks_blocked()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(arrive)
        with pytest.raises(Refused, match="larger than") as caught:
            await read_body(sent, reader, 1000)
    assert (caught.value.status, caught.value.code) == (413, "body_too_large")


async def test_a_body_that_does_not_come_is_not_waited_for(
    autojump_clock: trio.testing.MockClock,
) -> None:
    with pytest.raises(RequestTimeout):
        await read_body(request(), Sizes(), 1000)
    assert trio.current_time() == pytest.approx(PATIENCE)


@pytest.mark.parametrize(
    ("path", "size"), [("/large", 1000), ("/large/", 1000), ("/other", 10), ("/large/x", 10)]
)
async def test_only_some_paths_take_more(path: str, size: int) -> None:
    sent = request(path)
    sent.body.append(bytes(size))
    sent.body.set_complete()
    assert len(await sent.get_data()) == size
    sent = request(path)
    sent.body.append(bytes(size + 1))
    sent.body.set_complete()
    with pytest.raises(Exception, match="413"):
        await sent.get_data()


async def test_a_place_is_given_back_however_it_is_left() -> None:
    limiter = trio.CapacityLimiter(1)
    with pytest.raises(ValueError, match="x"), place(limiter):
        raise ValueError("x")
    limiter.acquire_on_behalf_of_nowait("somebody else")
    with pytest.raises(Refused) as caught, place(limiter):
        pass
    assert caught.value.status == 503
    assert int(caught.value.headers["Retry-After"]) > 0
    assert limiter.borrowed_tokens == 1
