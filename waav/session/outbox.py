"""The way of events to the client: bounded, in order, and with an end to patience."""

from contextlib import suppress

import attrs
import trio

from waav.errors import SlowClient
from waav.session.events import Event

SIZE = 64
PATIENCE = 10.0
"""Seconds. One client that does not read must not hold a session for ever."""


@attrs.define
class Outbox:
    """Where the tasks of a session put what the client is to be told."""

    _send: trio.MemorySendChannel[Event]

    async def put(self, event: Event) -> None:
        """Put one event behind the others; wait while the client is slow.

        Raises:
            SlowClient: nothing was read for 10 s.
        """
        try:
            with trio.fail_after(PATIENCE):
                await self._send.send(event)
        except trio.TooSlowError:
            raise SlowClient("the client does not read its messages") from None

    def put_now(self, event: Event) -> None:
        """Put one event if there is room: for those who may not wait and whose word is no contract."""
        with suppress(trio.WouldBlock):
            self._send.send_nowait(event)
