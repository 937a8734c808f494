"""One call: messages out, messages in, and the error that its end is."""

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Self

import attrs
import trio

from capabilities import (
    ProviderBusy,
    ProviderClosed,
    ProviderError,
    ProviderProtocolError,
    ProviderUnavailable,
)
from providers._common.failures import Failures
from providers._common.grpc.headers import Fields
from providers._common.grpc.messages import Unpacker, Unreadable, pack
from providers._common.grpc.status import (
    Code,
    failure,
    read_status,
    reset_status,
)
from providers._common.grpc.stream import Broken, Lost, Stream, StreamOver, Unprocessed
from providers._common.grpc.wire import Ended, Reset

_KEPT = 64 * 1024


@attrs.define(eq=False)
class Call:
    """A call that has begun. One task may send while another one iterates."""

    _failures: Failures
    _open: Callable[[], Awaitable[Stream]] = attrs.field(repr=False)
    _stream: Stream
    _unpacker: Unpacker = attrs.field(repr=False)
    _messages: deque[bytes] = attrs.field(factory=deque, init=False, repr=False)
    _finished: bool = attrs.field(default=False, init=False)
    _sending: trio.Lock = attrs.field(factory=trio.Lock, init=False, repr=False)
    # What would have to be said again on another stream; None when that was done, or is too much.
    _said: bytearray | None = attrs.field(factory=bytearray, init=False, repr=False)

    async def send(self, message: bytes) -> None:
        """Send one message; wait while the server takes no more.

        Raises:
            ProviderClosed: the server has ended the call.
            ProviderError: it has ended the call with a status; which error, by the status.
            RuntimeError: ``finish`` was called before.
        """
        async with self._sending:
            if self._finished:
                raise RuntimeError("a message after the last one")
            data, stream = pack(message), self._stream
            try:
                await stream.send(data)
            except StreamOver:
                if not isinstance(stream.end, Unprocessed):
                    gone = ProviderClosed(self._failures.provider, "has ended the call")
                    raise self._outcome(stream) or gone from None
                self._keep(data)
                await self._repeat(stream)
            else:
                self._keep(data)

    async def finish(self) -> None:
        """Say that no message follows; iteration ends after the last answer."""
        async with self._sending:
            self._finished = True
            self._stream.finish()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """Return the next message; the iteration ends when the server says OK.

        Raises:
            ProviderUnavailable: the connection or the server failed before an answer.
            ProviderBusy: the server is at a limit; with the pause that it asks for.
            ProviderClosed: it broke off in the middle of an answer.
            ProviderRefused: it will say the same to the same call.
            ProviderProtocolError: what it said cannot be read.
        """
        while not self._messages:
            stream = self._stream
            data = await stream.receive()
            if data:
                self._messages.extend(self._unpacked(stream, data))
            elif isinstance(stream.end, Unprocessed):
                async with self._sending:
                    await self._repeat(stream)
            elif error := self._outcome(stream):
                raise error
            else:
                raise StopAsyncIteration
        return self._messages.popleft()

    def leave(self) -> None:
        """Break the call off if it has not ended. The channel does this at the end of its block."""
        self._stream.leave()

    def _keep(self, data: bytes) -> None:
        if self._said is not None:
            self._said += data
            if len(self._said) > _KEPT:
                self._said = None

    async def _repeat(self, refused: Stream) -> None:
        """Say everything again on another stream: once, and only if the server has heard nothing."""
        if self._stream is not refused:
            return  # the other task was faster
        if self._said is None:
            raise ProviderBusy(self._failures.provider, "takes no calls at the moment")
        said, self._said = bytes(self._said), None
        stream = await self._open()
        try:
            await stream.send(said)
        except StreamOver:
            pass  # whoever sends or iterates next is told why
        except trio.Cancelled:
            stream.leave()
            raise
        finally:
            self._stream = stream
        if self._finished:
            stream.finish()

    def _unpacked(self, stream: Stream, data: bytes) -> list[bytes]:
        head = stream.head or {}
        if error := self._misanswered(head):
            raise error
        self._unpacker.gzip = head.get(b"grpc-encoding") == b"gzip"
        try:
            return self._unpacker.feed(data)
        except Unreadable as exc:
            raise ProviderProtocolError(self._failures.provider, str(exc)) from None

    def _misanswered(self, head: Fields) -> ProviderError | None:
        """Return the error that an answer is which is not gRPC's."""
        if b"grpc-status" in head:
            return None
        if (number := head.get(b":status", b"")) != b"200":
            said = {name.decode("latin-1"): text.decode("latin-1") for name, text in head.items()}
            return self._failures.of_status(int(number) if number.isdigit() else 0, said)
        kind = self._failures.tidy(head.get(b"content-type", b"nothing").decode("latin-1"))
        if not kind.startswith("application/grpc"):
            return ProviderProtocolError(
                self._failures.provider, f"answers with {kind} instead of gRPC"
            )
        return None

    def _outcome(self, stream: Stream) -> ProviderError | None:
        """Return the error that the end of the stream is; None if all is well."""
        answered = stream.head is not None and b"grpc-status" not in stream.head
        match stream.end:
            case Ended():
                return self._last_word(stream, answered=answered)
            case Reset(code=code):
                return failure(self._failures, reset_status(code), answered=answered)
            case Lost(message=message):
                kind = ProviderClosed if answered else ProviderUnavailable
                return kind(self._failures.provider, message)
            case Broken(message=message):
                return ProviderProtocolError(self._failures.provider, message)
            case _:
                said = "the call was broken off on this side"
                return ProviderClosed(self._failures.provider, said)

    def _last_word(self, stream: Stream, *, answered: bool) -> ProviderError | None:
        head = stream.head or {}
        if error := self._misanswered(head):
            return error
        status = read_status(head if stream.trailers is None else stream.trailers)
        if status is None:
            return ProviderProtocolError(
                self._failures.provider, "ended its answer without a status"
            )
        if status.code is not Code.OK:
            return failure(self._failures, status, answered=answered)
        if self._unpacker.torn:
            return ProviderProtocolError(
                self._failures.provider, "ended its answer inside of a message"
            )
        return None
