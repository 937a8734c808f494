"""What tasks need everywhere: a nursery whose errors come out as they were raised, channels emptied."""

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, suppress
from types import TracebackType
from typing import TypeVar

import attrs
import trio

T = TypeVar("T")


@attrs.define(eq=False)
class open_scoped_nursery(AbstractAsyncContextManager[trio.Nursery]):  # noqa: N801  # as trio's own
    """Open a nursery whose tasks end when the block does.

    A plain nursery wraps whatever comes out of it in a group. Who opens a session knows single
    classes of error to act on, and should meet them.

    It is no generator: what runs one keeps the error that it was given, and with it, in a circle, the
    one that comes out.
    """

    reason: str
    """Why the tasks are cancelled at the end; shows in tracebacks."""
    _manager: AbstractAsyncContextManager[trio.Nursery] = attrs.field(
        factory=trio.open_nursery, init=False
    )
    _nursery: trio.Nursery = attrs.field(init=False)

    async def __aenter__(self) -> trio.Nursery:
        """Return the nursery."""
        self._nursery = await self._manager.__aenter__()
        return self._nursery

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        frames: TracebackType | None,
    ) -> bool | None:
        """End the tasks, and raise the one error if there is one."""
        if error is None:
            self._nursery.cancel_scope.cancel(reason=self.reason)
        try:
            with ungrouped():
                return await self._manager.__aexit__(kind, error, frames)
        finally:
            del error, frames


class ungrouped:  # noqa: N801  # used like a function
    """Let the one error in a group come out of the block as it was raised.

    And alone: an error whose context is the group, or in whose frames that is, is held by what it
    holds, until a search for garbage finds both.
    """

    def __enter__(self) -> None:
        """Begin the block."""

    def __exit__(self, kind: object, error: BaseException | None, frames: object) -> None:
        """Raise the error, if it is in a group."""
        if not isinstance(error, BaseExceptionGroup):
            return
        only = collapsed(error)
        context = only.__context__
        try:
            raise only
        finally:
            only.__context__ = context
            del error, frames, only, context


def already_here(channel: trio.MemoryReceiveChannel[T]) -> Iterator[T]:
    """Yield what can be had of a channel without waiting.

    Whoever is behind catches up in one turn; one turn of the scheduler for each would keep it behind.
    """
    with suppress(trio.WouldBlock, trio.EndOfChannel):
        while True:
            yield channel.receive_nowait()


def without_frames(error: BaseException) -> None:
    """Forget where an exception, and whatever it came from, was raised: it has been told.

    An exception that is kept by what it went through holds that, and is held by it, until a search for
    garbage finds both.
    """
    at: BaseException | None = error
    # One without frames was here already, or was never raised; a stranger's may come from itself.
    while at is not None and at.__traceback__ is not None:
        at.__traceback__ = None
        at = at.__cause__ or at.__context__


def collapsed(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the one exception that a group holds, however deep; the group itself if more.

    Being cancelled is one thing, in however many tasks.
    """
    first, *others = group.exceptions
    if others and group.split(trio.Cancelled)[1] is not None:
        return group
    return collapsed(first) if isinstance(first, BaseExceptionGroup) else first
