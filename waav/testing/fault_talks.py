"""The conversations of the fault matrix: held through a relay that is told when to strike."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, Protocol

import attrs
import trio

from capabilities import (
    STT,
    TTS,
    AudioFrame,
    Final,
    ProviderError,
    SpeechRequest,
    STTOptions,
    STTStream,
)
from waav.tasks import open_scoped_nursery
from waav.testing.audio import cut
from waav.testing.relay import Relay
from waav.testing.relay_wire import Fault

_FRAME = 0.02  # seconds of sound in a frame
_GLIMPSE = 0.1  # seconds in which something may happen before the fault strikes
_ENOUGH = 0.9  # of a text's sound: voices do not say it twice in the same way


class State(StrEnum):
    """How far a conversation has come when the fault strikes."""

    CONNECTING = "connecting"
    CONFIGURED = "configured"
    """The client may send sound, and has not; of a voice, the head of the answer is here."""
    STREAMING = "streaming"
    """Half of it has passed."""
    FINALISING = "finalising"
    """All was sent, the last words are to come; of a voice, the last message."""
    CLOSING = "closing"
    """The client leaves in the middle."""


@attrs.define(eq=False)
class Told:
    """What a client got out of a conversation."""

    words: list[str] = attrs.Factory(list)
    sound: int = 0
    """Bytes."""
    errors: list[ProviderError] = attrs.Factory(list)

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Note the provider's error that the block ends with."""
        try:
            yield
        except ProviderError as error:
            self.errors.append(error)


class Talk(Protocol):
    """A conversation that can be had again and again."""

    @property
    def voice(self) -> bool:
        """The client is a voice."""
        ...

    async def hold(
        self, client: Any, relay: Relay, fault: Fault | None, state: State | None, told: Told
    ) -> None:
        """Converse, strike in the state, and note what comes."""
        ...

    def wrong(self, told: Told, fault: Fault) -> str:
        """Say what of a conversation is missing or too much; empty if it was whole."""
        ...

    def twice(self, told: Told) -> str:
        """Say what must not be even in a conversation that broke off."""
        ...


class Strike(Protocol):
    """Strikes if it is the time for it."""

    def __call__(self, state_reached: State, at: int | None = None) -> None:
        """Say that the conversation is in a state, or will be, so many bytes on."""
        ...


def _striker(relay: Relay, fault: Fault | None, state: State | None) -> Strike:
    def strike(state_reached: State, at: int | None = None) -> None:
        if fault is not None and state_reached is state:
            relay.strike(fault, at)

    return strike


@attrs.frozen
class Recognition:
    """Say something as a session would: one task speaks, one listens."""

    options: STTOptions
    sound: AudioFrame
    words: list[str] = attrs.Factory(list)
    voice: bool = False

    async def hold(
        self, client: STT, relay: Relay, fault: Fault | None, state: State | None, told: Told
    ) -> None:
        """Converse, strike in the state, and note what comes."""
        strike = _striker(relay, fault, state)
        strike(State.CONNECTING)
        with told.noting():
            async with client.connect(self.options) as stream:
                strike(State.CONFIGURED)
                async with open_scoped_nursery("the recognition has ended") as nursery:
                    speaker = _Speaker(stream, relay, strike, nursery.cancel_scope)
                    nursery.start_soon(speaker.speak, self.sound, told, state, name="testing/speak")
                    with told.noting():
                        async for transcript in stream:
                            if isinstance(transcript, Final):
                                told.words += transcript.text.split()

    def wrong(self, told: Told, fault: Fault) -> str:
        """Say what is missing or too much; empty if it was whole."""
        heard, said = told.words, self.words
        if fault is Fault.SWAPPED:
            # What comes in another order can only be told in another order.
            heard, said = sorted(heard), sorted(said)
        return "" if heard == said else f"heard {told.words}, not {self.words}"

    def twice(self, told: Told) -> str:
        """Say what must not be even if it broke off."""
        many = Counter(told.words) - Counter(self.words)
        return f"heard {told.words}, and said was {self.words}" if many else ""


@attrs.frozen
class _Speaker:
    stream: STTStream
    relay: Relay
    strike: Strike
    scope: trio.CancelScope

    async def speak(self, sound: AudioFrame, told: Told, state: State | None) -> None:
        frames = [*cut(sound, sound.format.size(_FRAME))]
        half = len(frames) // 2
        with told.noting():
            for frame in frames[:half]:
                await self.stream.send(frame)
            if state in {State.STREAMING, State.CLOSING}:
                await trio.sleep(_GLIMPSE)
            self.strike(State.STREAMING)
            if state is State.CLOSING:
                self.strike(State.CLOSING)
                self.scope.cancel(reason="the client leaves")
            for frame in frames[half:]:
                await self.stream.send(frame)
            if state is State.FINALISING:
                self.relay.hold()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._strike_last, name="testing/strike")
                await self.stream.finish()

    async def _strike_last(self) -> None:
        await trio.sleep(_GLIMPSE)
        self.strike(State.FINALISING)


@attrs.frozen
class Synthesis:
    """Have a text said."""

    request: SpeechRequest
    sound: int = 0
    """Bytes of it when all is well."""
    half: int = 0
    """Bytes of the answer after which half has passed."""
    last: int = 0
    """Bytes after which only the last message is to come."""
    voice: bool = True

    async def hold(
        self, client: TTS, relay: Relay, fault: Fault | None, state: State | None, told: Told
    ) -> None:
        """Converse, strike in the state, and note what comes."""
        strike = _striker(relay, fault, state)
        strike(State.CONNECTING)
        for each, at in self._places.items():
            strike(each, at)
        if state is State.CLOSING:
            relay.hold(self.half)
        async with open_scoped_nursery("the text is said") as nursery:
            if state is State.CLOSING:
                nursery.start_soon(_leave, strike, nursery.cancel_scope, name="testing/leave")
            with told.noting():
                async with client.synthesize(self.request) as frames:
                    async for frame in frames:
                        told.sound += len(frame.data)

    @property
    def _places(self) -> Mapping[State, int]:
        return {
            State.CONFIGURED: 0,
            State.STREAMING: self.half,
            State.FINALISING: self.last,
        }

    def wrong(self, told: Told, fault: Fault) -> str:
        """Say what is missing or too much; empty if it was whole."""
        # Nobody can tell of sound alone that it came twice, or that it is none; and some vendors have
        # no other word for the end than a goodbye.
        most = float("inf") if fault in {Fault.DOUBLED, Fault.HUGE} else self.sound / _ENOUGH
        least = 0.0 if fault is Fault.CLOSE_1000 else self.sound * _ENOUGH
        whole = least <= told.sound <= most
        return (
            "" if whole else f"{told.sound} bytes of sound came without an error, not {self.sound}"
        )

    def twice(self, told: Told) -> str:
        """Say what must not be even if it broke off."""
        del told
        return ""


async def _leave(strike: Strike, scope: trio.CancelScope) -> None:
    await trio.sleep(_GLIMPSE)
    strike(State.CLOSING)
    scope.cancel(reason="the client leaves")
