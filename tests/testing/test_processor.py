"""The suite of audio processors finds each kind of bad implementer."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
import trio
import trio.testing
from support.processors import Add, Adder

from capabilities import Ability, AudioFormat, Encoding, Limits, ProcessorOptions
from waav.testing import check_processor


class Stream(Add):
    """As good as can be: gives what it gets."""

    async def feed(self, data: bytes) -> bytes:
        await trio.lowlevel.checkpoint()
        return data

    async def flush(self) -> bytes:
        await trio.lowlevel.checkpoint()
        return b""


class Loses(Stream):
    """Says truly that it holds back a tenth of a second, and never gives it."""

    lost = 0

    async def feed(self, data: bytes) -> bytes:
        take = min(len(data), 3200 - self.lost)
        self.lost += take
        return data[take:]


class Doubles(Stream):
    async def feed(self, data: bytes) -> bytes:
        return data + data


class Hisses(Stream):
    async def feed(self, data: bytes) -> bytes:
        return b"\x05\x00" * (len(data) // 2)


class HoldsMore(Stream):
    held = b""

    async def feed(self, data: bytes) -> bytes:
        self.held += data
        return b""

    async def flush(self) -> bytes:
        held, self.held = self.held, b""
        return held


class Remembers(Stream):
    """Begins with a click, and never again."""

    clicked = False

    async def feed(self, data: bytes) -> bytes:
        if self.clicked or not any(data):
            return data
        self.clicked = True
        return b"\0\0" + data[2:] if data[:2] != b"\0\0" else b"\1\0" + data[2:]


class ForgetsNotAtReset(Stream):
    """Holds a sample back that a reset does not take away."""

    held = b""

    async def feed(self, data: bytes) -> bytes:
        data = self.held + data
        self.held = data[-2:]
        return data[:-2]

    async def flush(self) -> bytes:
        held, self.held = self.held, b""
        return held


class Tears(Stream):
    async def feed(self, data: bytes) -> bytes:
        return data[1:]


class Shared(Stream):
    last = b"\0\0"

    async def feed(self, data: bytes) -> bytes:
        before, Shared.last = Shared.last, data[-2:]
        return (before + data)[:-2] if any(before) else data

    async def flush(self) -> bytes:
        Shared.last = b"\0\0"
        return b""

    def reset(self) -> None:
        Shared.last = b"\0\0"


class Giver(Adder):
    """A processor with streams of one kind."""

    kind: Callable[..., Add] = Stream
    takes: AudioFormat | None = AudioFormat()
    lingers = False

    def __init__(self, kind: Callable[..., Add] = Stream, *, limit: int = 2, **more: Any) -> None:
        super().__init__(limit=limit)
        self.kind = kind
        for name, value in more.items():
            setattr(self, name, value)

    @asynccontextmanager
    async def process(self, options: ProcessorOptions) -> AsyncIterator[Add]:
        async with Adder.process(self, options):
            try:
                yield self.kind(format=options.format)
            finally:
                if self.lingers:
                    with trio.CancelScope(shield=True):
                        await trio.sleep(5)


CASES: dict[str, tuple[Callable[[], Adder], str]] = {
    "loses": (partial(Giver, partial(Loses, delay=0.1)), "nothing is lost or made"),
    "doubles": (partial(Giver, Doubles), "nothing is lost or made"),
    "hisses": (partial(Giver, Hisses), "silence stays silence: a sample is 5"),
    "holds-more": (partial(Giver, HoldsMore), "holds back 0.000 s at most"),
    "remembers": (partial(Giver, Remembers), "after flush the same sound"),
    "ignores-reset": (
        partial(Giver, partial(ForgetsNotAtReset, delay=0.001)),
        "after reset the same sound",
    ),
    "tears": (partial(Giver, Tears), "whole samples"),
    "shared": (partial(Giver, Shared), "do not influence each other"),
    "no-limit": (partial(Giver, limit=50), "limit of 2 must raise ProviderBusy"),
    "takes-all": (Giver, "must raise ProviderRefused, but is accepted"),
    "lingers": (partial(Giver, lingers=True), "leaving early takes more"),
}


@pytest.mark.parametrize(("make", "message"), CASES.values(), ids=CASES)
async def test_a_defect_is_found(
    make: Callable[[], Adder], message: str, autojump_clock: trio.testing.MockClock
) -> None:
    refused = [ProcessorOptions(AudioFormat(Encoding.MP3))] if message.endswith("accepted") else []
    with pytest.raises(AssertionError, match=message):
        await check_processor(make(), Ability(limits=Limits(concurrency=2)), refused=refused)


async def test_a_good_one_passes(autojump_clock: trio.testing.MockClock) -> None:
    await check_processor(Giver(), Ability(limits=Limits(concurrency=2)))
