"""Notices that a client hears nothing although something was asked for. No clock of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import inf

import attrs


@attrs.define
class DeadAirMeter:
    """How long it has been silent, while an utterance is asked for and not over.

    Somebody has to look: at :meth:`next_look`, for as long as :attr:`asked`.
    """

    limit: float = inf
    """Seconds of silence that are dead air."""
    utterance: str = ""
    """The one that is waited for."""
    asked: bool = False
    """It is not over."""
    _since: float = inf
    """When the silence began, as far as is known; never while there is none, or it was told of."""
    _watched: bool = False

    @property
    def starts(self) -> bool:
        """Whether somebody should begin to look."""
        return self.asked and not self._watched and self.limit < inf

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Somebody looks, for as long as the block lasts."""
        self._watched = True
        try:
            yield
        finally:
            self._watched = False

    def begin(self, utterance: str, now: float) -> None:
        """An utterance was asked for."""
        self.utterance, self.asked, self._since = utterance, True, now

    def heard(self, now: float) -> None:
        """Some of its sound was handed over."""
        self._since = now

    def go_on(self, now: float) -> None:
        """The client was silent on purpose until now."""
        if self._since < inf:
            self._since = now

    def end(self) -> None:
        """Nothing is asked for any more."""
        self.asked, self._since = False, inf

    def next_look(self, now: float) -> float:
        """When to ask :meth:`expire`, at the latest, whatever happens meanwhile."""
        return min(self._since, now) + self.limit

    def expire(self, now: float, until: float) -> float | None:
        """Return the seconds of silence if they are dead air: once, until there is sound again.

        Args:
            now: the time.
            until: when the client has played all that it got; it is no silence before that.
        """
        self._since = max(self._since, until)
        if now < self._since + self.limit:
            return None
        silent, self._since = now - self._since, inf
        return silent
