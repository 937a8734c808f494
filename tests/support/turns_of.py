"""How often a task has its turn: who is behind is to catch up in few."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import trio


class _Steps(trio.abc.Instrument):
    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self.counts[task.name] += 1


@contextmanager
def counted_turns() -> Iterator[Counter[str]]:
    """Give the number of turns that each task has had in the block, by its name."""
    steps = _Steps()
    trio.lowlevel.add_instrument(steps)
    try:
        yield steps.counts
    finally:
        trio.lowlevel.remove_instrument(steps)
