"""Errors of a nursery come out of it as they were raised, and go when they have been dealt with."""

from weakref import ref

import pytest
import trio
from trio.testing import MockClock

from waav.tasks import collapsed, open_scoped_nursery, ungrouped, without_frames


class Trouble(Exception):
    """It can be referred to weakly, as exceptions of the language cannot."""


async def fail(trouble: list[Trouble]) -> None:
    raise trouble.pop()


async def test_the_one_error_comes_out_as_it_was_raised() -> None:
    trouble = Trouble("at sea")
    with pytest.raises(Trouble) as told:
        async with open_scoped_nursery("over") as nursery:
            nursery.start_soon(fail, [trouble])
            await trio.sleep_forever()
    assert told.value is trouble


async def test_two_errors_come_out_as_a_group() -> None:
    with pytest.raises(ExceptionGroup) as told:
        async with open_scoped_nursery("over") as nursery:
            nursery.start_soon(fail, [Trouble("at sea")])
            nursery.start_soon(fail, [Trouble("on land")])
    assert {str(each) for each in told.value.exceptions} == {"at sea", "on land"}


async def test_what_the_block_raises_passes() -> None:
    with pytest.raises(Trouble, match="here"):
        async with open_scoped_nursery("over"):
            raise Trouble("here")


def test_a_group_of_groups_of_one_is_that_one() -> None:
    trouble = Trouble()
    assert collapsed(ExceptionGroup("", [ExceptionGroup("", [trouble])])) is trouble


async def test_to_be_cancelled_is_one_thing_in_however_many_tasks(
    autojump_clock: MockClock,
) -> None:
    raised: list[BaseException] = []
    with trio.move_on_after(1) as scope:
        try:
            async with open_scoped_nursery("over") as nursery:
                nursery.start_soon(trio.sleep_forever)
                nursery.start_soon(trio.sleep_forever)
                await trio.sleep_forever()
        except BaseException as exc:
            raised.append(exc)
            raise
    assert scope.cancelled_caught
    assert isinstance(raised[0], trio.Cancelled)


async def test_an_error_beside_those_that_were_cancelled_stays_in_the_group() -> None:
    cancelled: list[trio.Cancelled] = []
    with trio.CancelScope() as scope:
        scope.cancel()
        try:
            await trio.lowlevel.checkpoint()
        except trio.Cancelled as exc:
            cancelled.append(exc)
    group = BaseExceptionGroup("", [cancelled[0], Trouble()])
    assert collapsed(group) is group


async def test_an_error_that_was_dealt_with_is_gone(searches_by_hand: None) -> None:
    trouble = [Trouble("at sea")]
    left = ref(trouble[0])
    try:
        async with open_scoped_nursery("over") as nursery:
            nursery.start_soon(fail, trouble)
            await trio.sleep_forever()
    except Trouble:
        pass
    del nursery
    await trio.lowlevel.checkpoint()
    assert left() is None


def test_the_context_of_an_error_is_what_it_was() -> None:
    before, after = Trouble("before"), Trouble("after")
    after.__context__ = before
    with pytest.raises(Trouble) as told, ungrouped():
        raise ExceptionGroup("", [after])
    assert told.value is after
    assert after.__context__ is before


def test_an_error_that_somebody_keeps_lets_go_of_what_it_went_through(
    searches_by_hand: None,
) -> None:
    class Request:
        why: Exception | None = None

        def fail(self) -> None:
            raise Trouble("first")

        def fail_again(self) -> None:
            try:
                self.fail()
            except Trouble as first:
                self.why = first
                raise LookupError("then") from first

    request = Request()
    left = ref(request)
    try:
        request.fail_again()
    except LookupError as exc:
        without_frames(exc)
    del request
    assert left() is None


def test_an_error_that_comes_from_itself_is_no_trap() -> None:
    def fail() -> None:
        trouble = Trouble()
        trouble.__cause__ = trouble
        raise trouble

    with pytest.raises(Trouble) as told:
        fail()
    without_frames(told.value)
    assert told.value.__traceback__ is None
