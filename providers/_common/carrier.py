"""One connection of a link: its wire, and the scopes in which its task lives."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from math import inf
from typing import TypeAlias

import attrs
import trio

from capabilities import ProviderClosed, ProviderError, ProviderUnavailable
from providers._common.link_states import Finish, KeepAlive, Play, Say
from providers._common.policy import Policy
from providers._common.wire import Connection, Message, Ready, Wire

OpenConnection: TypeAlias = Callable[[], AbstractAsyncContextManager[Connection]]

_LAST_REASON = 1.0
"""Seconds in which the far side may still say why it takes nothing more."""


@attrs.define(eq=False)
class Carrier:
    """One connection, as one task keeps it and others send on it."""

    provider: str
    wire: Wire
    policy: Policy
    turn: trio.Event = attrs.field(factory=trio.Event, init=False)
    """It is the current one: what it says counts from now on."""
    broken: ProviderError | None = attrs.field(default=None, init=False)
    """Why it takes nothing more."""
    _connection: Connection = attrs.field(init=False)
    _messages: AsyncIterator[Message] = attrs.field(init=False)
    _life: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)
    """Its deadline is that of the opening, later that of the closing; between them there is none."""
    _talk: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)

    @asynccontextmanager
    async def keep(self, open_connection: OpenConnection) -> AsyncIterator[AsyncIterator[Message]]:
        """Be connected for the length of the block, which :meth:`leave` ends, and get the messages.

        Raises:
            ProviderUnavailable: the block was not entered, or :meth:`configure` not through, in time.
            ProviderError: as making the connection does.
        """
        self._life.deadline = trio.current_time() + self.policy.open_timeout
        with self._life:
            async with open_connection() as self._connection:
                self._messages = aiter(self._connection)
                try:
                    with self._talk:
                        yield self._messages
                finally:
                    self._life.deadline = trio.current_time() + self.policy.close_timeout
                    self._life.shield = True
        if self._life.cancelled_caught:
            waited = f"{self.policy.open_timeout:g} s"
            raise ProviderUnavailable(self.provider, f"was not ready in {waited}")

    async def configure(self) -> None:
        """Say the start messages."""
        for message in self.wire.start():
            await self._connection.send(message)

    async def get_ready(self) -> None:
        """Wait until the vendor takes audio, and let no time be short from then on.

        Raises:
            ProviderClosed: it hung up instead.
        """
        if self.policy.says_ready:
            async for message in self._messages:
                if any(isinstance(signal, Ready) for signal in self.wire.decode(message)):
                    break
            else:
                raise ProviderClosed(self.provider, "hung up before it was ready")
        self._life.deadline = inf

    async def send(self, action: Play | KeepAlive | Say | Finish) -> None:
        """Send what the action means; if the connection does not take it, it is broken."""
        try:
            for message in self._encoded(action):
                # Nearly always there is nothing to wait for, and then a time limit would cost as
                # much as sending.
                if not self._connection.send_now(message):
                    await self._send_in_time(message)
        except ProviderError as error:
            # The task that listens may be about to learn the reason: a close code, a last message.
            self._break(error, _LAST_REASON)

    async def _send_in_time(self, message: Message) -> None:
        # Whoever sends: also the link's own task, which nobody else watches.
        with trio.move_on_after(self.policy.send_timeout) as patience:
            await self._connection.send(message)
        if patience.cancelled_caught:
            self._break(ProviderUnavailable(self.provider, "takes no more audio"), 0.0)

    def leave(self) -> None:
        """End the block of :meth:`keep`; the connection is closed politely."""
        self._talk.cancel(reason="the link has left this connection")

    def _break(self, error: ProviderError, patience: float) -> None:
        if self.broken is None:
            self.broken = error
            self._talk.deadline = trio.current_time() + patience

    def _encoded(self, action: Play | KeepAlive | Say | Finish) -> Sequence[Message]:
        match action:
            case Play(frame):
                return self.wire.encode(frame)
            case KeepAlive():
                return self.wire.keepalive()
            case Say(message):
                return (message,)
            case Finish():
                return self.wire.finish()
