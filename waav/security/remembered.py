"""What was found out a moment ago: a bounded memory whose entries grow old. No clock of its own."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

import attrs

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@attrs.define(eq=False)
class Remembered(Generic[K, V]):
    """At most ``size`` values, each for ``seconds``; the one not asked for the longest goes first."""

    seconds: float
    size: int
    _values: OrderedDict[K, tuple[float, V]] = attrs.field(factory=OrderedDict, repr=False)

    def get(self, key: K, now: float) -> V | None:
        """Return the value, if it is there and not too old."""
        if (entry := self._values.get(key)) is None:
            return None
        until, value = entry
        if now >= until:
            del self._values[key]
            return None
        self._values.move_to_end(key)
        return value

    def put(self, key: K, value: V, now: float) -> None:
        """Remember a value; with no seconds to live it is forgotten at once."""
        if self.seconds <= 0:
            return
        self._values[key] = (now + self.seconds, value)
        self._values.move_to_end(key)
        while len(self._values) > self.size:
            self._values.popitem(last=False)
