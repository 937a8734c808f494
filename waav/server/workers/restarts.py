"""When a worker that has died is replaced, and when there is no sense in it. Without a clock."""

import attrs

SHORT_LIFE = 10.0
"""Seconds. Who lives longer died of something else than being started."""

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0

MOST_ATTEMPTS = 5
"""Starts in a row that fail while nobody serves, before the supervisor gives up."""


@attrs.define
class Restarts:
    """Counts short lives: the first is replaced at once, then the pauses double."""

    _short: int = 0
    _unborn: int = 0
    _born: bool = False

    def began(self) -> None:
        """Note that a worker came up."""
        self._born, self._unborn = True, 0

    def pause(self, lived: float | None) -> float:
        """Return how long to wait before the next start, in seconds.

        Args:
            lived: seconds from being up to the death; None if it did not come up.
        """
        if lived is None:
            self._unborn += 1
        self._short = self._short + 1 if lived is None or lived < SHORT_LIFE else 0
        if self._short <= 1:
            return 0.0
        # Capped before it is computed: 2.0 ** 1024 is an error.
        doublings = float(1 << min(self._short - 2, 10))
        return min(FIRST_PAUSE * doublings, LONGEST_PAUSE)

    @property
    def hopeless(self) -> bool:
        """Whether it is time to give up, if nobody serves: the first start failed, or many."""
        return bool(self._unborn) and (not self._born or self._unborn >= MOST_ATTEMPTS)
