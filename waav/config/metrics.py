"""What is measured and watched: the sections ``[metrics]`` and ``[watchdog]``."""

from math import inf

import attrs

from waav.config.option import option


@attrs.frozen
class Metrics:
    """Figures for Prometheus. Who may reach the port may read them: no secrets, no client's data."""

    enabled: bool = option("Serve them.", default=True)
    path: str = option("Where.", default="/metrics")

    @property
    def served_at(self) -> str | None:
        """The path; None if they are not served."""
        return self.path if self.enabled else None


@attrs.frozen
class Watchdog:
    """What is noticed, logged and counted because it should not be."""

    loop_held_ms: int = option(
        "An event loop that is held for so long, in milliseconds: the log says by what. 0 looks away.",
        default=250,
        least=0,
    )
    dead_air_seconds: float = option(
        "A client that hears nothing for so long although something is to be said. 0 looks away.",
        default=5.0,
        least=0,
    )

    @property
    def loop_held(self) -> float | None:
        """Seconds; None if nobody looks."""
        return self.loop_held_ms / 1000 or None

    @property
    def dead_air(self) -> float:
        """Seconds, without end if nobody looks."""
        return self.dead_air_seconds or inf
