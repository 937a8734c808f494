"""What the load's half of every benchmark works with."""

import attrs

from waav.bench.far_end import FRAME, FarEnd
from waav.bench.framing import Sound
from waav.bench.loop import Loop
from waav.bench.process import Usage
from waav.bench.tally import Tally
from waav.testing.audio import question


@attrs.frozen
class Stage:
    """The loop, the vendor at the far end, and what callers say."""

    loop: Loop
    far_end: FarEnd
    sound: Sound
    _empty: dict[int, int] = attrs.Factory(dict)

    @classmethod
    def set_up(cls, port: int) -> "Stage":
        """Make one whose far end listens at ``port``; 0: any."""
        loop = Loop()
        return cls(loop, FarEnd(loop, Tally(), port), Sound(question().data, FRAME))

    def count(self) -> Tally:
        """Begin a new count, at both ends."""
        self.far_end.tally = tally = Tally()
        return tally

    def empty(self, pid: int | None) -> int | None:
        """Return how much memory a process had before it got its first crowd, in bytes.

        Later there is no telling: what a crowd has needed stays there for the next.
        """
        return None if pid is None else self._empty.setdefault(pid, Usage.of(pid).rss)


def usage(pid: int | None) -> Usage | None:
    """Return what a process has and has used, if it is known which one it is."""
    return None if pid is None else Usage.of(pid)
