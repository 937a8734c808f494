"""A nursery for the length of a block, whose errors come out as they were raised."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio


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


def collapsed(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the one exception that a group holds, however deep; the group itself if more."""
    if len(group.exceptions) != 1:
        return group
    only = group.exceptions[0]
    return collapsed(only) if isinstance(only, BaseExceptionGroup) else only
