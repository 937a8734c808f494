"""What the other workers of the same gateway tell of themselves; a gateway alone has none."""

from typing import Protocol

import attrs

from waav.observe.metrics import Sample


@attrs.frozen
class Report:
    """One worker, as it last described itself: a second or two ago."""

    sessions: int
    """How many are open."""
    uptime: float
    """Seconds since it was opened."""
    ready: bool
    """Whether it can serve one more."""
    samples: tuple[Sample, ...] = ()


@attrs.frozen
class News:
    """The others together."""

    reports: tuple[Report, ...] = ()
    """Of those that serve now."""
    past: tuple[Sample, ...] = ()
    """What those that are gone have counted, so that no total ever falls."""


class Fleet(Protocol):
    """Whom to ask about the others."""

    async def others(self) -> News:
        """Return what is known of the other workers; nothing if nobody answers."""
        ...


@attrs.frozen
class Alone:
    """A gateway that is one process."""

    async def others(self) -> News:
        """Return nothing: there are none."""
        return News()
