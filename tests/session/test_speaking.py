"""The task that speaks, in the moments that a whole session rarely meets."""

from typing import Any

import trio

from waav.session.commands import Speak
from waav.session.events import Event, SpeechEnded
from waav.session.outbox import Outbox
from waav.session.output import Output
from waav.session.speaking import Speaking, Utterance
from waav.turns.playout import Playout


async def test_an_utterance_that_is_cleared_as_it_ends_counts_as_cleared() -> None:
    """Its last sound was made, and then the clear came before the task had its turn."""
    told, events = trio.open_memory_channel[Event](10)
    speaking = Speaking(Output.open(Outbox(told), Playout()))

    class Voice:
        async def say(self, *_: Any) -> None:
            await speaking.clear()

    utterance: Any = Utterance("u1", Speak("a"), Voice())  # type: ignore[arg-type]
    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(speaking.run)
            nursery.start_soon(speaking.output.run)
            speaking.accept(utterance)
            assert await events.receive() == SpeechEnded("u1", "cleared")
            nursery.cancel_scope.cancel()
