"""Processors in a row: the sound goes on, whatever one of them does."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
import trio
from support.processors import Add
from trio.testing import MockClock

from capabilities import AudioFormat, Encoding
from waav.audio.convert import NotConvertible
from waav.audio.pipeline import Budget, Pipeline, Stage

SPEECH = AudioFormat()
FRAME = bytes(640)
"""20 ms."""


def pipeline_of(*streams: Add, budget: Budget = Budget()) -> Pipeline:  # noqa: B008 - frozen
    stages = [Stage(f"p{index}", stream, SPEECH, budget) for index, stream in enumerate(streams, 1)]
    return Pipeline(SPEECH, SPEECH, stages)


async def test_with_no_stages_the_same_object_is_handed_on() -> None:
    """A session without processors pays nothing."""
    pipeline = pipeline_of()
    assert await pipeline.feed(FRAME) is FRAME
    assert await pipeline.flush() == b""
    assert pipeline.delay == 0


@pytest.mark.pins("D284")
async def test_each_works_on_what_the_one_before_gives() -> None:
    first, second = Add(number=1), Add(number=16)
    pipeline = pipeline_of(first, second)
    assert await pipeline.feed(b"\0\0\1\1") == b"\x11\x11\x12\x12"
    assert second.fed == [b"\1\1\2\2"]


async def test_formats_are_converted_at_the_joints() -> None:
    phone, wide = AudioFormat(Encoding.MULAW, 8000), AudioFormat(sample_rate=48000)
    stage = Stage("wide", Add(wide, number=0), wide)
    pipeline = Pipeline(phone, SPEECH, [stage])
    ready = b"".join([await pipeline.feed(b"\xff" * 160) for _ in range(50)])
    ready += await pipeline.flush()
    assert len(ready) == pytest.approx(2 * 16000, abs=4)
    assert stage.tally.sound == pytest.approx(1.0, abs=0.001)


async def test_what_is_held_back_comes_at_the_end_through_all_that_follow() -> None:
    first, second = Add(number=1, keep=4), Add(number=1, keep=2)
    pipeline = pipeline_of(first, second)
    assert await pipeline.feed(bytes(6)) == b""
    assert await pipeline.flush() == bytes([2] * 6)
    assert await pipeline.feed(bytes(8)) == bytes([2] * 2), "it can be used again"


async def test_a_jump_forgets_what_was_held_back() -> None:
    stream = Add(keep=4)
    pipeline = pipeline_of(stream)
    await pipeline.feed(bytes(4))
    pipeline.reset()
    assert stream.resets == 1
    assert await pipeline.flush() == b""


async def test_what_each_did_is_counted(autojump_clock: MockClock) -> None:
    stream = Add(pause=0.002, delay=0.01, readings={"peak_dbfs": -3.0})
    pipeline = pipeline_of(stream)
    for _ in range(10):
        await pipeline.feed(FRAME)
    stream.pause = 0.004
    await pipeline.feed(FRAME)
    (stage,) = pipeline.stages
    assert stage.tally.frames == 11
    assert stage.tally.sound == pytest.approx(0.22)
    assert stage.tally.mean == pytest.approx(0.024 / 11)
    assert stage.tally.worst == pytest.approx(0.004)
    assert (stage.tally.late, stage.tally.errors, stage.tally.bypassed) == (0, 0, 0)
    assert stage.stream.readings == {"peak_dbfs": -3.0}
    assert pipeline.delay == 0.01


async def test_who_is_too_slow_ten_times_in_a_row_is_passed_by(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    slow, good = Add(pause=0.011, delay=0.01), Add(number=16)
    pipeline = pipeline_of(slow, good)
    for _ in range(9):
        await pipeline.feed(FRAME)
    slow.pause = 0.009  # once in time, and it begins anew
    await pipeline.feed(FRAME)
    slow.pause = 0.011
    for _ in range(10):
        assert pipeline.problems == {}
        assert await pipeline.feed(FRAME) == b"\x11" * 640
    assert pipeline.problems == {"p1": "too slow 10 times in a row"}
    assert await pipeline.feed(FRAME) == b"\x10" * 640
    assert await pipeline.feed(FRAME) == b"\x10" * 640
    assert len(slow.fed) == 20
    assert pipeline.stages[0].tally.late == 19
    assert pipeline.stages[0].tally.bypassed == 2
    assert pipeline.stages[0].ended.is_set()
    assert pipeline.delay == 0
    assert _warnings(caplog) == ["audio processor p1 is passed by: too slow 10 times in a row"]


async def test_the_budget_grows_with_the_sound(autojump_clock: MockClock) -> None:
    pipeline = pipeline_of(Add(pause=0.04))
    for _ in range(30):
        await pipeline.feed(bytes(3200))
    assert pipeline.problems == {}


async def test_who_never_answers_is_left_after_a_second(autojump_clock: MockClock) -> None:
    pipeline = pipeline_of(Add(pause=1e9))
    assert await pipeline.feed(FRAME) == FRAME
    assert trio.current_time() == pytest.approx(1.0)
    assert pipeline.problems == {"p1": "no answer within 1 s"}


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        (lambda: Add(error=ValueError("secret")), "it raised ValueError"),
        (lambda: Add(gives="sound"), "it raised BrokenPromise"),
        (lambda: Add(gives=b"odd"), "it raised BrokenPromise"),
    ],
    ids=["raises", "gives-text", "gives-a-torn-sample"],
)
async def test_who_breaks_is_passed_by_and_no_frame_is_lost(
    broken: Callable[[], Add], problem: str, caplog: pytest.LogCaptureFixture
) -> None:
    pipeline = pipeline_of(broken(), Add(number=16))
    for _ in range(5):
        assert await pipeline.feed(FRAME) == b"\x10" * 640
    assert pipeline.problems == {"p1": problem}
    assert pipeline.stages[0].tally.errors == 1
    assert isinstance(pipeline.stages[0].error, Exception)
    assert _warnings(caplog) == [f"audio processor p1 is passed by: {problem}"]


async def test_who_breaks_at_the_end_or_at_a_jump_is_passed_by_too() -> None:
    first, second = Add(), Add(number=16)
    pipeline = pipeline_of(first, second)
    await pipeline.feed(FRAME)
    first.error = second.error = RuntimeError()
    pipeline.reset()
    assert set(pipeline.problems) == {"p1", "p2"}
    assert await pipeline.flush() == b""
    assert await pipeline.feed(FRAME) == FRAME


async def test_a_changer_of_formats_that_breaks_is_replaced_by_a_converter() -> None:
    wide = AudioFormat(sample_rate=48000)
    broken: Any = Add(wide, error=ValueError())
    pipeline = Pipeline(SPEECH, wide, [Stage("up", broken, SPEECH)])
    ready = b"".join([await pipeline.feed(FRAME) for _ in range(50)]) + await pipeline.flush()
    assert len(ready) == pytest.approx(2 * 48000, abs=4)


async def test_being_cancelled_is_nobodys_fault(autojump_clock: MockClock) -> None:
    pipeline = pipeline_of(Add(pause=0.5))
    with trio.move_on_after(0.1) as scope:
        await pipeline.feed(FRAME)
    assert scope.cancelled_caught
    assert pipeline.problems == {}


def test_compressed_sound_cannot_be_worked_on() -> None:
    mp3 = AudioFormat(Encoding.MP3)
    with pytest.raises(NotConvertible):
        Pipeline(mp3, SPEECH, [Stage("p", Add(), SPEECH)])
    assert Pipeline(mp3, mp3).source == mp3


def _warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]
