"""The suite of voice detectors finds each kind of bad implementer."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
import trio
import trio.testing

from capabilities import (
    Ability,
    AudioFormat,
    Limits,
    SpeechStarted,
    SpeechStopped,
    VADOptions,
    VoiceActivity,
)
from waav.testing import FakeVAD, ScriptedStream, check_vad


class Lingers(FakeVAD):
    @asynccontextmanager
    async def watch(self, options: VADOptions) -> AsyncIterator[ScriptedStream[VoiceActivity]]:
        async with super().watch(options) as stream:
            yield stream
            with trio.CancelScope(shield=True):
                await trio.sleep(5)


def sees(*script: Any) -> Callable[[], FakeVAD]:
    return partial(FakeVAD, script, limit=2)


CASES: dict[str, tuple[Callable[[], FakeVAD], str]] = {
    "stop-first": (sees(SpeechStopped(0.1)), "a start comes first"),
    "two-starts": (sees(SpeechStarted(0.1), SpeechStarted(0.2)), "in turn"),
    "time-backwards": (sees(SpeechStarted(0.5), SpeechStopped(0.2)), "times go on"),
    "before-the-sound": (sees(SpeechStarted(-0.5)), "times go on"),
    "beyond-the-sound": (sees(SpeechStarted(50)), "times go on"),
    "takes-all": (partial(FakeVAD, takes=None), "but is accepted"),
    "no-limit": (FakeVAD, "limit of 2 must raise ProviderBusy"),
    "lingers": (partial(Lingers, limit=2), "leaving early takes more"),
}


@pytest.mark.parametrize(("make", "message"), CASES.values(), ids=CASES)
async def test_a_defect_is_found(
    make: Callable[[], FakeVAD], message: str, autojump_clock: trio.testing.MockClock
) -> None:
    del autojump_clock
    refused = [VADOptions(format=AudioFormat(sample_rate=8000))]
    with pytest.raises(AssertionError, match=message):
        await check_vad(make(), Ability(limits=Limits(concurrency=2)), refused=refused)
