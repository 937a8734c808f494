"""What a load has seen: how long frames took, how late they were sent, how many came through."""

from typing import Any

import attrs

from waav.bench.histogram import Histogram


@attrs.define
class Tally:
    """Counts of one run; only frames that were sent while it was open count."""

    opened: int | None = None
    """Nanoseconds, as all times here; None: not yet."""
    closed: int | None = None
    sent: int = 0
    arrived: int = 0
    heard: int = 0
    """Frames that the vendor got while it was open, by their size: also those whose sound, and with
    it the time stamp, was changed on the way."""
    answered: int = 0
    forward: Histogram = attrs.Factory(Histogram)
    """From the client's ``send`` to the vendor's ``recv``."""
    around: Histogram = attrs.Factory(Histogram)
    """From the client's ``send`` of a frame to its ``recv`` of the vendor's word about it."""
    lateness: Histogram = attrs.Factory(Histogram)
    """Of the load itself: how long after its time each frame was sent."""

    def counts(self, sent: int) -> bool:
        """Say whether a frame that was sent then belongs to the run."""
        return (
            self.opened is not None
            and self.opened <= sent
            and (self.closed is None or sent < self.closed)
        )

    def arrive(self, sent: int, now: int) -> None:
        """A frame has reached the vendor; its stamp may be none any more."""
        if self.opened is not None and self.closed is None:
            self.heard += 1
        if sent <= now and self.counts(sent):
            self.arrived += 1
            self.forward.record(now - sent)

    def answer(self, sent: int, now: int) -> None:
        """The vendor's word about a frame has reached the client."""
        if sent <= now and self.counts(sent):
            self.answered += 1
            self.around.record(now - sent)

    def export(self) -> dict[str, Any]:
        """Return it for the other process."""
        return {
            "sent": self.sent,
            "arrived": self.arrived,
            "heard": self.heard,
            "answered": self.answered,
            "forward": self.forward.export(),
            "around": self.around.export(),
            "lateness": self.lateness.export(),
        }
