"""One end of the line between a worker and its supervisor: messages in, and messages out."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import attrs
import trio

from waav.server.workers.messages import Incoming, Message, encode
from waav.tasks import open_scoped_nursery

MAX_UNSENT = 1 << 20
"""Bytes that may wait for a peer that does not read, before nothing that can be refused is sent."""

PATIENCE = 30.0
"""Seconds in which a peer must take something of what it is sent, or it counts as lost."""


@attrs.define(eq=False)
class Line:
    """Made by :func:`open_line`. Telling never waits; a task sends."""

    _stream: trio.abc.Stream
    _unsent: bytearray = attrs.field(factory=bytearray, init=False)
    _more: trio.Event = attrs.field(factory=trio.Event, init=False)

    @property
    def is_stuck(self) -> bool:
        """Whether more waits than should: whoever can do without its message does not send it."""
        return len(self._unsent) > MAX_UNSENT

    def tell(self, message: Message) -> None:
        """Send a message after those before it, some time soon."""
        self._unsent += encode(message)
        self._more.set()

    async def messages(self) -> AsyncGenerator[Message, None]:
        """Yield what the peer says, until it hangs up or is lost.

        Raises:
            Nonsense: it speaks another language.
        """
        incoming = Incoming()
        while data := await self._receive():
            for message in incoming.feed(data):
                yield message

    async def _receive(self) -> bytes | bytearray:
        try:
            return await self._stream.receive_some()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return b""  # gone, or given up by whoever sends

    async def _send(self) -> None:
        """Send what is told, as much at once as has come together."""
        while True:
            await self._more.wait()
            self._more = trio.Event()
            data, self._unsent = self._unsent, bytearray()
            try:
                with trio.fail_after(PATIENCE):
                    await self._stream.send_all(data)
            except (trio.BrokenResourceError, trio.TooSlowError):
                # Whoever reads meets the end of the line, and knows what to do.
                await trio.aclose_forcefully(self._stream)
                return


@asynccontextmanager
async def open_line(stream: trio.abc.Stream) -> AsyncIterator[Line]:
    """Hold one end for as long as the block lasts; what is unsent then is dropped."""
    line = Line(stream)
    async with stream, open_scoped_nursery("the line is closed") as nursery:
        nursery.start_soon(line._send, name="workers/send")  # noqa: SLF001  # this file's own
        yield line
