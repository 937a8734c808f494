"""What tasks need everywhere: a nursery whose errors come out as they were raised, channels emptied."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

import trio

T = TypeVar("T")


@asynccontextmanager
async def open_scoped_nursery(reason: str) -> AsyncIterator[trio.Nursery]:
    """Open a nursery whose tasks end when the block does.

    A plain nursery wraps whatever comes out of it in a group. Who opens a session knows single
    classes of error to act on, and should meet them.

    Args:
        reason: why the tasks are cancelled at the end; shows in tracebacks.
    """
    try:
        async with trio.open_nursery() as nursery:
            yield nursery
            nursery.cancel_scope.cancel(reason=reason)
    except BaseExceptionGroup as group:
        raise collapsed(group) from None


def already_here(channel: trio.MemoryReceiveChannel[T]) -> Iterator[T]:
    """Yield what can be had of a channel without waiting.

    Whoever is behind catches up in one turn; one turn of the scheduler for each would keep it behind.
    """
    with suppress(trio.WouldBlock, trio.EndOfChannel):
        while True:
            yield channel.receive_nowait()


def collapsed(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the one exception that a group holds, however deep; the group itself if more."""
    if len(group.exceptions) != 1:
        return group
    only = group.exceptions[0]
    return collapsed(only) if isinstance(only, BaseExceptionGroup) else only
