"""The conversations of the fault matrix: held through a relay that is told when to strike."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, Protocol

import attrs
import trio

from capabilities import (
    STT,
    AudioFrame,
    Final,
    ProviderError,
    STTOptions,
    STTStream,
)
from waav.tasks import open_scoped_nursery
from waav.testing.audio import cut
from waav.testing.relay import Relay
from waav.testing.relay_wire import Fault

GLIMPSE = 0.1
"""Seconds in which something may happen before the fault strikes."""

_FRAME = 0.02  # seconds of sound in a frame


class State(StrEnum):
    """How far a conversation has come when the fault strikes."""

    CONNECTING = "connecting"
    CONFIGURED = "configured"
    """The client may send sound, and has not; of what is asked for once, the head of the answer is here."""
    STREAMING = "streaming"
    """Half of it has passed."""
    FINALISING = "finalising"
    """All was sent, the last words are to come; of what is asked for once, the last message."""
    CLOSING = "closing"
    """The client leaves in the middle."""


@attrs.define(eq=False)
class Told:
    """What a client got out of a conversation."""

    words: list[str] = attrs.Factory(list)
    sound: int = 0
    """Bytes."""
    whole: bool = False
    """The provider said that this was all, where it has a word for that."""
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
    def once(self) -> bool:
        """One thing is asked for, and not again when that fails."""
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


def striker(relay: Relay, fault: Fault | None, state: State | None) -> Strike:
    """Return what does harm in one state, and in no other."""

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
    once: bool = False

    async def hold(
        self, client: STT, relay: Relay, fault: Fault | None, state: State | None, told: Told
    ) -> None:
        """Converse, strike in the state, and note what comes."""
        strike = striker(relay, fault, state)
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
                await trio.sleep(GLIMPSE)
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
        await trio.sleep(GLIMPSE)
        self.strike(State.FINALISING)
