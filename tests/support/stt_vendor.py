"""A vendor in memory that really hears: its words are tones of their own, and it can fail anywhere.

A word is 0.2 s of samples of one value, which is its number; 0.2 s of nothing follow. The vendor
recognises exactly what came on a connection, with that connection's times. So a word that is lost,
cut in two or sent twice to the reader shows.
"""

from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import groupby

import attrs
import trio

from capabilities import (
    SPEECH,
    AudioFrame,
    Final,
    Interim,
    ProviderClosed,
    ProviderError,
    ProviderProtocolError,
    SpeechBegun,
    SpeechFinal,
    STTOptions,
    STTStream,
    Transcript,
    Word,
)
from providers._common.policy import Policy
from providers._common.stt_link import open_stt_link
from providers._common.wire import Acknowledged, Done, Message, Ready, Signal

NAME = "memory"
WORD = 0.2
GAP = 0.2
_LOUDEST = 8000
"""Word 0 is this loud; each further one is one step less."""


def spoken(words: int, first: int = 0) -> bytes:
    """Return the sound of some words."""
    return b"".join(
        (_LOUDEST - number).to_bytes(2, "little") * (SPEECH.size(WORD) // 2)
        + bytes(SPEECH.size(GAP))
        for number in range(first, first + words)
    )


def place(number: int) -> tuple[float, float]:
    """Return where in the stream a word of :func:`spoken` is."""
    start = number * (WORD + GAP)
    return round(start, 6), round(start + WORD, 6)


@attrs.frozen
class TestWire:
    """The vendor's protocol: words with spaces between them, and bytes of sound."""

    __test__ = False
    tell_end: bool = True
    """Finals say what they acknowledge; otherwise their words do."""
    interims: bool = True

    def start(self) -> Sequence[Message]:
        return ("start",)

    def encode(self, frame: AudioFrame) -> Sequence[Message]:
        return (frame.data,)

    def keepalive(self) -> Sequence[Message]:
        return ("keepalive",)

    def finish(self) -> Sequence[Message]:
        return ("finish",)

    def decode(self, message: Message) -> Sequence[Signal]:
        match str(message).split():
            case ["ready"]:
                return [Ready()]
            case ["done"]:
                return [Done()]
            case ["interim", text]:
                return [Interim(text)] if self.interims else []
            case ["begun", at]:
                return [SpeechBegun(float(at))]
            case ["ended"]:
                return [SpeechFinal()]
            case ["final", text, start, end, until]:
                final = Final(text, words=(Word(text, float(start), float(end)),))
                return [final, Acknowledged(float(until))] if self.tell_end else [final]
            case _:
                raise ProviderProtocolError(NAME, f"what is {message!r:.20}?")

    def ended(self) -> Sequence[Signal]:
        return ()


@attrs.define
class Ear:
    """Recognises what came on one connection."""

    _waits: bytearray = attrs.Factory(bytearray)
    _passed: int = 0
    """Bytes that are dealt with."""

    def hear(self, data: bytes, *, last: bool = False) -> list[str]:
        """Return the finals of words that are over, and an interim of the one that is not."""
        self._waits += data
        if not any(self._waits):
            self._passed += len(self._waits)
            self._waits.clear()
        answers = []
        samples = memoryview(self._waits).cast("h").tolist()
        runs = [(value, len(list(group))) for value, group in groupby(samples)]
        if runs and not last:
            answers += [f"interim {_LOUDEST - runs[-1][0]}"] if runs[-1][0] else []
            runs.pop()
        for value, count in runs:
            if value:
                answers.append(self._final(value, count))
            self._passed += 2 * count
            del self._waits[: 2 * count]
        return answers

    def _final(self, value: int, count: int) -> str:
        start = SPEECH.duration(self._passed)
        end = start + SPEECH.duration(2 * count)
        whole = 2 * count == SPEECH.size(WORD)
        text = str(_LOUDEST - value) if whole else f"{_LOUDEST - value}-cut-{count}"
        return f"final {text} {start!r} {end!r} {end!r}"


@attrs.define(eq=False)
class Line:
    """One connection, as the vendor sees it."""

    vendor: "Vendor"
    number: int
    """0 for the first connection."""
    got: list[tuple[float, Message]] = attrs.field(factory=list)
    """What came, and when."""
    sound: int = 0
    """Bytes of it."""
    broken: ProviderError | None = None
    ended: bool = False
    gone: trio.Event = attrs.Factory(trio.Event)
    """Whoever made it has left it."""
    ear: Ear = attrs.Factory(Ear)
    held: list[str] = attrs.Factory(list)
    """Answers for later."""
    _answers: deque[str] = attrs.Factory(deque)
    _moved: trio.lowlevel.ParkingLot = attrs.Factory(trio.lowlevel.ParkingLot)

    @property
    def unread(self) -> int:
        """Answers that nobody has read."""
        return len(self._answers)

    def send_now(self, _message: Message) -> bool:
        return False

    async def send(self, message: Message) -> None:
        await trio.lowlevel.checkpoint()
        if self.broken is not None or self.ended:
            raise self.broken or ProviderClosed(NAME, "the connection has ended")
        self.got.append((trio.current_time(), message))
        self.vendor.heard(self, message)

    def say(self, *answers: str) -> None:
        if self.broken is None:
            self._answers += answers
        self._moved.unpark_all()

    def reset(self, error: ProviderError, *, lose: bool = True) -> None:
        """Break, and lose what is under way or not."""
        if lose:
            self._answers.clear()
        self.broken = error
        self._moved.unpark_all()

    def end(self) -> None:
        """End in good order."""
        self.ended = True
        self._moved.unpark_all()

    def __aiter__(self) -> "Line":
        return self

    async def __anext__(self) -> str:
        await trio.lowlevel.checkpoint()
        while not self._answers:
            if self.broken is not None:
                raise self.broken
            if self.ended:
                raise StopAsyncIteration
            await self._moved.park()
        return self._answers.popleft()


Hear = Callable[[Line, Message], bool]
"""Behaves badly instead of the vendor: True if it took care of the message."""


@attrs.define(eq=False)
class Vendor:
    """All of its connections, and how they go wrong."""

    misheard: Hear = lambda _line, _message: False
    on_open: Callable[[Line], ProviderError | None] = lambda _line: None
    """Called before a connection is made."""
    on_close: Callable[[Line], ProviderError | float | None] = lambda _line: None
    """Called when one is left: an error that closing raises, or the seconds that it takes."""
    line_class: type[Line] = Line
    lines: list[Line] = attrs.field(factory=list)

    @property
    def open_lines(self) -> int:
        """Connections that nobody has left yet."""
        return sum(not line.gone.is_set() for line in self.lines)

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Line]:
        await trio.lowlevel.checkpoint()
        line = self.line_class(self, len(self.lines))
        self.lines.append(line)
        try:
            if error := self.on_open(line):
                raise error
            try:
                yield line
            finally:
                await self._close(line)
        finally:
            line.gone.set()

    async def _close(self, line: Line) -> None:
        match self.on_close(line):
            case ProviderError() as error:
                raise error
            case float(seconds):
                await trio.sleep(seconds)

    def heard(self, line: Line, message: Message) -> None:
        """Answer, well or badly."""
        if not self.misheard(line, message):
            line.say(*answers(line, message))


def answers(line: Line, message: Message) -> list[str]:
    """Return what the protocol has for a message."""
    match message:
        case bytes():
            line.sound += len(message)
            return line.ear.hear(message)
        case "start":
            return ["ready"]
        case "finish":
            return [*line.ear.hear(b"", last=True), "done"]
        case _:
            return []


@attrs.define
class Heard:
    """What a reader got."""

    said: list[Transcript] = attrs.Factory(list)
    error: ProviderError | None = None
    """What iterating, or entering, raised."""

    @property
    def finals(self) -> list[Final]:
        return [each for each in self.said if isinstance(each, Final)]

    @property
    def words(self) -> list[str]:
        return [final.text for final in self.finals]

    @property
    def places(self) -> list[tuple[float, float]]:
        words = [word for final in self.finals for word in final.words]
        return [(round(word.start, 6), round(word.end, 6)) for word in words]


async def converse(
    vendor: Vendor,
    sound: bytes,
    policy: Policy,
    *,
    frame: float = 0.02,
    tell_end: bool = True,
    live: bool = True,
) -> Heard:
    """Say something as a session would: one task speaks at the speed of speech, one listens."""
    heard = Heard()

    async def speak() -> None:
        size = SPEECH.size(frame)
        for offset in range(0, len(sound), size):
            await stream.send(AudioFrame(sound[offset : offset + size]))
            if live:
                await trio.sleep(frame)
        await stream.finish()

    async def listen() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(speak)
            try:
                async for transcript in stream:
                    heard.said.append(transcript)
            except ProviderError as error:
                heard.error = error
            nursery.cancel_scope.cancel()

    try:
        async with open_stt_link(
            lambda: TestWire(tell_end),
            vendor.connect,
            provider=NAME,
            audio=SPEECH,
            policy=policy,
            chance=lambda: 0.5,
        ) as stream:
            await listen()
    except ProviderError as error:
        assert heard.error is None, "one failure is one error"
        heard.error = error
    return heard


@attrs.frozen
class MemorySTT:
    """The vendor as a capability, for the contract suite."""

    vendor: Vendor
    policy: Policy

    @asynccontextmanager
    async def connect(self, options: STTOptions) -> AsyncIterator[STTStream]:
        async with open_stt_link(
            lambda: TestWire(interims=options.interim_results),
            self.vendor.connect,
            provider=NAME,
            audio=options.format,
            policy=self.policy,
        ) as stream:
            yield stream
