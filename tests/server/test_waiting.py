"""Who has not said what they want: the time that each gets, and whose turn it is to go."""

from contextlib import ExitStack

import trio
from trio.testing import MockClock

from waav.server.waiting import WaitingRoom


async def test_whoever_takes_too_long_goes(autojump_clock: MockClock) -> None:
    with WaitingRoom().patience(10.0) as patience:
        await trio.sleep_forever()
    assert patience.cancelled_caught
    assert autojump_clock.current_time() == 10.0


async def test_of_too_many_the_one_that_has_waited_longest_goes() -> None:
    room = WaitingRoom(most=2)
    with room.patience(10.0) as first, room.patience(10.0) as second:
        with room.patience(10.0) as third:
            pass
        assert [each.cancel_called for each in (first, second, third)] == [True, False, False]
        with room.patience(10.0):
            pass
        assert not second.cancel_called  # there was room: the third had left


async def test_of_too_many_of_one_client_one_of_its_own_goes() -> None:
    """Another one that has waited for longer stays; nobody is crowded out by a client of many."""
    room = WaitingRoom(most_of_client=1)
    with (
        room.patience(10.0, "b") as longest,
        room.patience(10.0) as of_a_proxy,
        ExitStack() as stack,
    ):
        greedy = [stack.enter_context(room.patience(10.0, "a")) for _ in range(5)]
        assert [each.cancel_called for each in greedy] == [True] * 4 + [False]
        assert not longest.cancel_called
        assert not of_a_proxy.cancel_called


async def test_it_remembers_nobody_who_has_left() -> None:
    room = WaitingRoom(most=3, most_of_client=2)
    for client in map(str, range(10)):
        with room.patience(10.0, client), room.patience(10.0, client), room.patience(10.0, client):
            pass
    assert not room._all.scopes
    assert not room._by_client


async def test_when_it_closes_everybody_goes_and_nobody_may_wait_any_more(
    autojump_clock: MockClock,
) -> None:
    room = WaitingRoom()
    with room.patience(10.0, "a") as early:
        room.close()
        await trio.sleep_forever()
    with room.patience(10.0, "a") as late:
        await trio.sleep_forever()
    assert early.cancelled_caught
    assert late.cancelled_caught
    assert autojump_clock.current_time() == 0.0
