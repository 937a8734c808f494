"""What a link supervisor knows of a vendor: messages, the signals in them, and the wire between.

A vendor's own ``stt_wire.py`` is a :class:`Wire`: pure, without I/O and without a clock. What
happens when, and what is done about failures, is the link's business, once for all vendors.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol, TypeAlias

import attrs

from capabilities import AudioFrame, Transcript

Message: TypeAlias = str | bytes
"""Text or binary. Where a protocol ends its sending side without a message, as gRPC does, the
connection takes ``b""`` for that."""


class Connection(Protocol):
    """An open connection of messages. One task iterates; sending may happen in others, one at a time.

    Closing it, which is to leave the block that made it, ends a send that still waits.
    """

    def send_now(self, message: Message) -> bool:
        """Send one message without waiting; False: :meth:`send` it, of which a part may have gone."""
        ...

    async def send(self, message: Message) -> None:
        """Send one message.

        Raises:
            ProviderError: the connection is broken.
        """
        ...

    def __aiter__(self) -> AsyncIterator[Message]:
        """Yield what comes, until the far side ends the connection in good order.

        Raises:
            ProviderError: it ended otherwise; the class says what to do about it.
        """
        ...


@attrs.frozen
class Ready:
    """The provider takes audio from now on."""


@attrs.frozen
class Done:
    """The provider has said its last word about all that it was sent."""


@attrs.frozen
class Acknowledged:
    """The provider will say no more about the sound up to here, whether there were words in it."""

    until: float
    """Seconds since the first sample that was sent on this connection."""


@attrs.frozen
class Reply:
    """The provider wants to hear this, before any more sound."""

    message: Message


Signal: TypeAlias = Transcript | Ready | Done | Acknowledged | Reply
"""What a message may mean. All times in it are the connection's: the link turns them into the stream's.

A Final acknowledges the sound up to the :class:`Acknowledged` that comes with it in the same
message; if there is none, up to the end of its last word; and if it has no words either, all that
was sent so far. With sound of two channels the acknowledgement is that of the slower one.
"""


class Wire(Protocol):
    """One vendor's protocol on one connection. A new connection gets a new one."""

    def start(self) -> Sequence[Message]:
        """Return what is to be said first."""
        ...

    def encode(self, frame: AudioFrame) -> Sequence[Message]:
        """Return the messages that carry a frame."""
        ...

    def keepalive(self) -> Sequence[Message]:
        """Return what keeps a connection open on which no audio flows, if that is a message."""
        ...

    def finish(self) -> Sequence[Message]:
        """Return what says that no audio follows."""
        ...

    def decode(self, message: Message) -> Sequence[Signal]:
        """Read one message; an unknown kind means nothing.

        Raises:
            ProviderRefused: the provider will not do this, now or later.
            ProviderUnavailable, ProviderClosed: it says that this connection is over.
            ProviderProtocolError: the message is not of this protocol.
        """
        ...

    def ended(self) -> Sequence[Signal]:
        """Return what it means that the vendor ended the connection in good order, unasked or not.

        Unless a :class:`Done` is among it something was not said, and the link looks after that.
        """
        ...
