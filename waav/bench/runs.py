"""What a load measured of one system: values, and what follows from them."""

from collections.abc import Mapping
from typing import Any, Self

import attrs

from waav.bench.histogram import Histogram

STOP = 0.020
"""Seconds: who has a p99 beyond that is not asked to carry more."""
LATE = 0.002
"""Seconds: a load whose own p99 is beyond that measures itself."""
CROWDED = 0.05
"""The share of the time for which a system may have to wait for its core: it should be its own."""
_PLAIN = ("sent", "arrived", "heard", "seconds", "cpu", "waited", "rss", "load_cpu")
PERCENTILES = {"p50": 50.0, "p99": 99.0, "p99_9": 99.9}


@attrs.frozen
class Run:
    """So many sessions through one system. Seconds and bytes."""

    system: str
    sessions: int
    sent: int
    arrived: int
    """With a time stamp that can be read."""
    heard: int
    """By size alone: for sound that is changed on the way."""
    forward: Histogram = attrs.field(repr=False)
    around: Histogram = attrs.field(repr=False)
    lateness: Histogram = attrs.field(repr=False)
    seconds: float
    cpu: float | None
    """Of the system, all threads."""
    waited: float | None
    """For its core, because somebody else had it."""
    rss: int | None
    """How much more memory it had than before its first sessions."""
    load_cpu: float
    lost: int
    """Sessions that did not last."""

    @classmethod
    def read(cls, system: str, sessions: int, told: Mapping[str, Any]) -> Self:
        """Read what the load's process said."""
        times = {key: Histogram(told[key]) for key in ("forward", "around", "lateness")}
        fields = {key: told[key] for key in _PLAIN}
        return cls(
            **{
                "system": system,
                "sessions": sessions,
                **fields,
                **times,
                "lost": sum(told["lost"].values()),
            }
        )

    def __add__(self, other: "Run") -> "Run":
        """Return both rounds together."""
        return attrs.evolve(
            self,
            sent=self.sent + other.sent,
            arrived=self.arrived + other.arrived,
            heard=self.heard + other.heard,
            forward=self.forward + other.forward,
            around=self.around + other.around,
            lateness=self.lateness + other.lateness,
            seconds=self.seconds + other.seconds,
            cpu=None if self.cpu is None or other.cpu is None else self.cpu + other.cpu,
            waited=None
            if self.waited is None or other.waited is None
            else self.waited + other.waited,
            rss=max(self.rss, other.rss) if self.rss and other.rss else self.rss,
            load_cpu=self.load_cpu + other.load_cpu,
            lost=self.lost + other.lost,
        )

    @property
    def cpu_per_frame(self) -> float | None:
        """Seconds for each frame that came through."""
        return None if self.cpu is None or not self.through else self.cpu / self.through

    @property
    def through(self) -> int:
        """Frames that came through."""
        return self.arrived or self.heard

    @property
    def core(self) -> float | None:
        """The share of a core that it took."""
        return None if self.cpu is None else self.cpu / self.seconds

    @property
    def invalid(self) -> str:
        """Why this says nothing of the system, as a sentence; empty if it does."""
        late, crowded = self.lateness.percentile(99), (self.waited or 0.0) / self.seconds
        reasons = []
        if late > LATE:
            used = self.load_cpu / self.seconds
            reasons.append(
                f"the load itself was late, by {late * 1e3:.1f} ms in its p99 (CPU {used:.0%})"
            )
        if crowded > CROWDED:
            reasons.append(f"others had the core for {crowded:.0%} of the time")
        return f"invalid: {'; '.join(reasons)}" if reasons else ""

    @property
    def exhausted(self) -> bool:
        """Whether more sessions would tell nothing."""
        return self.forward.percentile(99) > STOP or bool(self.lost)

    def figures(self) -> dict[str, Any]:
        """Return all of it by names that have the units."""
        per_frame, rss = self.cpu_per_frame, self.rss
        return {
            "system": self.system,
            "sessions": self.sessions,
            "frames_sent": self.sent,
            "frames_arrived": self.through,
            "cpu_per_frame_us": None if per_frame is None else per_frame * 1e6,
            "core": self.core,
            **_percentiles("", self.forward),
            **_percentiles("round_trip_", self.around),
            "core_taken_by_others": None if self.waited is None else self.waited / self.seconds,
            "rss_per_session_bytes": None if rss is None else rss / self.sessions,
            "sessions_lost": self.lost,
            "load_core": self.load_cpu / self.seconds,
            "load_late_p99_ms": self.lateness.percentile(99) * 1e3,
            "invalid": self.invalid or None,
        }


def _percentiles(name: str, times: Histogram) -> dict[str, float | None]:
    known = times.count > 0
    return {
        f"{name}{key}_ms": times.percentile(percent) * 1e3 if known else None
        for key, percent in PERCENTILES.items()
    }
