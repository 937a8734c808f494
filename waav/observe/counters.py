"""What is counted of the gateway itself: plain numbers, added to where things happen, read when asked."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import attrs

MOST_LABELS = 64
OTHER = "other"


class ByLabel(Counter[str]):
    """Counts by a word. What should have a few words only can never have more than 64."""

    def note(self, label: str) -> None:
        """Count one more."""
        self[label if label in self or len(self) < MOST_LABELS else OTHER] += 1


@attrs.define(eq=False)
class Totals:
    """Numbers that objects keep of themselves, summed over those that live and those that have lived.

    So nobody has to add to two places, and what an hour's call has done is not first known at its end.
    """

    names: tuple[str, ...]
    """Attributes, each a number that never falls."""
    _past: Counter[str] = attrs.Factory(Counter)
    _live: set[object] = attrs.Factory(set)

    @contextmanager
    def including(self, each: object) -> Iterator[None]:
        """Take in an object, for as long as the block lasts and with what it has come to by then."""
        self._live.add(each)
        try:
            yield
        finally:
            self._live.discard(each)
            for name in self.names:
                self._past[name] += getattr(each, name)

    def read(self) -> dict[str, int]:
        """Return the sums, by name."""
        return {
            name: self._past[name] + sum(getattr(each, name) for each in self._live)
            for name in self.names
        }


@attrs.define(eq=False)
class Counters:
    """All sessions and connections of one gateway together. Everything here only grows."""

    sessions_started: int = 0
    connections_ended: ByLabel = attrs.Factory(ByLabel)
    """WebSockets, by the code that we closed them with."""
    refused: ByLabel = attrs.Factory(ByLabel)
    """Connections and requests, by the code of the answer."""
    messages_in: int = 0
    """Of WebSocket clients, text and binary."""
    messages_out: int = 0
    frames_in: int = 0
    """Pieces of sound, as clients cut them."""
    frames_out: int = 0
    """Pieces of sound that clients took, or had to forget."""
    utterances: ByLabel = attrs.Factory(ByLabel)
    """By how they ended."""
    interruptions: ByLabel = attrs.Factory(ByLabel)
    """By who interrupted."""
    errors: ByLabel = attrs.Factory(ByLabel)
    """What clients were told of, by code."""
    dead_air: int = 0
    """Times that a client heard nothing although something was asked for."""
    sockets: Totals = attrs.Factory(lambda: Totals(("bytes_in", "bytes_out")))
    sessions: Totals = attrs.Factory(lambda: Totals(("dropped_frames", "ignored_clears")))
