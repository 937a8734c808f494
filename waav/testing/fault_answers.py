"""The conversations of the fault matrix in which one thing is asked for: a text is said, a question answered."""

from collections.abc import Awaitable, Callable

import attrs
import trio

from capabilities import TTS, SpeechRequest
from capabilities.llm import LLM, ChatRequest, Delta, Done
from waav.tasks import open_scoped_nursery
from waav.testing.fault_talks import GLIMPSE, State, Strike, Told, striker
from waav.testing.relay import Relay
from waav.testing.relay_wire import Fault

_ENOUGH = 0.9  # of a text's sound: voices do not say it twice in the same way


@attrs.frozen
class Synthesis:
    """Have a text said."""

    request: SpeechRequest
    half: int = 0
    """Bytes of the answer after which half has passed."""
    last: int = 0
    """Bytes after which only the last message is to come."""
    sound: int = 0
    """Bytes of it when all is well."""
    once: bool = True

    async def hold(
        self, client: TTS, relay: Relay, fault: Fault | None, state: State | None, told: Told
    ) -> None:
        """Converse, strike in the state, and note what comes."""

        async def ask() -> None:
            async with client.synthesize(self.request) as frames:
                async for frame in frames:
                    told.sound += len(frame.data)

        places = {State.STREAMING: self.half, State.FINALISING: self.last}
        await _hold(ask, relay, fault, state, told=told, places=places)

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


@attrs.frozen
class Answering:
    """Have a question answered. A model says something else each time, but says that it has ended."""

    request: ChatRequest
    half: int = 0
    """Bytes of the answer after which half has passed."""
    last: int = 0
    """Bytes after which only the end is to come."""
    once: bool = True

    async def hold(
        self, client: LLM, relay: Relay, fault: Fault | None, state: State | None, told: Told
    ) -> None:
        """Converse, strike in the state, and note what comes."""

        async def ask() -> None:
            async with client.chat(self.request) as events:
                async for event in events:
                    if isinstance(event, Delta):
                        told.words.append(event.text)
                    told.whole = isinstance(event, Done)

        places = {State.STREAMING: self.half, State.FINALISING: self.last}
        await _hold(ask, relay, fault, state, told=told, places=places)

    def wrong(self, told: Told, fault: Fault) -> str:
        """Say what is missing; empty if it was whole."""
        del fault
        return (
            ""
            if told.whole and told.words
            else "an answer ended without an error, and without Done"
        )

    def twice(self, told: Told) -> str:
        """Say what must not be even if it broke off."""
        return "an answer was over, and then it failed" if told.whole and told.errors else ""


async def _hold(
    ask: Callable[[], Awaitable[None]],
    relay: Relay,
    fault: Fault | None,
    state: State | None,
    *,
    told: Told,
    places: dict[State, int],
) -> None:
    strike = striker(relay, fault, state)
    strike(State.CONNECTING)
    for each, at in {State.CONFIGURED: 0, **places}.items():
        strike(each, at)
    if state is State.CLOSING:
        relay.hold(places[State.STREAMING])
    async with open_scoped_nursery("all is said") as nursery:
        if state is State.CLOSING:
            nursery.start_soon(_leave, strike, nursery.cancel_scope, name="testing/leave")
        with told.noting():
            await ask()


async def _leave(strike: Strike, scope: trio.CancelScope) -> None:
    await trio.sleep(GLIMPSE)
    strike(State.CLOSING)
    scope.cancel(reason="the client leaves")
