"""The way of events to the client: bounded, in order, and with an end to patience."""

from contextlib import suppress

import attrs
import trio

from waav.errors import SlowClient
from waav.observe.counters import Counters
from waav.session.events import DeadAir, Event, Failed, Interrupted, SpeechEnded

SIZE = 64
PATIENCE = 10.0
"""Seconds. One client that does not read must not hold a session for ever."""


@attrs.define
class Outbox:
    """Where the tasks of a session put what the client is to be told; it is counted here."""

    _send: trio.MemorySendChannel[Event]
    counters: Counters = attrs.Factory(Counters)

    async def put(self, event: Event) -> None:
        """Put one event behind the others; wait while the client is slow, and only then.

        Raises:
            SlowClient: nothing was read for 10 s.
        """
        self._count(event)
        await trio.lowlevel.checkpoint_if_cancelled()
        with suppress(trio.WouldBlock):
            self._send.send_nowait(event)
            return
        try:
            with trio.fail_after(PATIENCE):
                await self._send.send(event)
        except trio.TooSlowError:
            raise SlowClient("the client does not read its messages") from None

    def put_now(self, event: Event) -> None:
        """Put one event if there is room: for those who may not wait and whose word is no contract."""
        self._count(event)
        with suppress(trio.WouldBlock):
            self._send.send_nowait(event)

    def _count(self, event: Event) -> None:
        match event:
            case SpeechEnded(how=how):
                self.counters.utterances.note(how)
            case Interrupted(by=by):
                self.counters.interruptions.note(by)
            case Failed(code=code):
                self.counters.errors.note(code)
            case DeadAir():
                self.counters.dead_air += 1
            case _:
                pass
