"""How many sessions each worker has, in memory that all of them see: so that nobody has more than most."""

import mmap
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from tempfile import TemporaryFile
from typing import IO

import attrs

_VACANT = -1
_SIZE = 8


@attrs.define(eq=False)
class Shares:
    """A number for each place. Each is written by one process at a time, and read by all."""

    _numbers: memoryview

    @classmethod
    def over(cls, descriptor: int) -> "Shares":
        """See the memory of a file that :func:`open_shares` made, here or in another process."""
        return cls(memoryview(mmap.mmap(descriptor, 0)).cast("q"))

    def note(self, place: int, sessions: int) -> None:
        """Say how many sessions the worker in this place has; it has room for more."""
        self._numbers[place] = sessions

    def vacate(self, place: int) -> None:
        """Say that there is no room in this place: nobody serves there, or has too much to do."""
        self._numbers[place] = _VACANT

    def excess(self, place: int) -> float:
        """Return how many sessions more this place has than the one that has the fewest.

        Where there is no room there are infinitely many, unless there is none anywhere.
        """
        fewest = min((each for each in self._numbers if each != _VACANT), default=None)
        if fewest is None:
            return 0
        own = self._numbers[place]
        return inf if own == _VACANT else own - fewest


@contextmanager
def open_shares(places: int) -> Iterator[IO[bytes]]:
    """Make a file with so many vacant places. It has no name, and goes with the last who has it open."""
    with TemporaryFile(buffering=0) as file:
        file.write(_VACANT.to_bytes(_SIZE, sys.byteorder, signed=True) * places)
        yield file
