"""Which plugins wait for each other in a circle?"""

from collections import deque
from collections.abc import Mapping, Sequence


def cycle_of(start: str, requires: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the shortest way from a plugin over its requirements back to itself.

    Empty if there is none; begins and ends with ``start``. Ids that are not there lead nowhere.
    """
    ways, seen = deque([[start]]), {start}
    while ways:
        way = ways.popleft()
        for each in requires.get(way[-1], ()):
            if each == start:
                return [*way, each]
            if each not in seen:
                seen.add(each)
                ways.append([*way, each])
    return []
