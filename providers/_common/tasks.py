"""A nursery for the length of a block, whose errors come out as they were raised."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio


@asynccontextmanager
async def open_scoped_nursery(reason: str) -> AsyncIterator[trio.Nursery]:
    """Open a nursery whose tasks end when the block does.

    Whoever opens a stream acts on single classes of error, and must not meet a group of one.

    Args:
        reason: why the tasks are cancelled at the end; shows in tracebacks.
    """
    try:
        async with trio.open_nursery() as nursery:
            yield nursery
            nursery.cancel_scope.cancel(reason=reason)
    except BaseExceptionGroup as group:
        raise _collapsed(group) from None


def _collapsed(group: BaseExceptionGroup[BaseException]) -> BaseException:
    if len(group.exceptions) != 1:
        return group
    only = group.exceptions[0]
    return _collapsed(only) if isinstance(only, BaseExceptionGroup) else only
