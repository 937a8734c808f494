"""What the gateway does when there is too much to do: the section ``[overload]``."""

import attrs

from waav.config.option import option


@attrs.frozen
class Overload:
    """Too much to do, by how late the event loop is and how much memory is used: where each stage begins."""

    enabled: bool = option("Off, everybody is let in and served alike, however late.", default=True)
    refuse_lag_ms: float = option(
        "The loop is so late that new sessions are refused: a wake in five of the last second, in"
        " milliseconds.",
        default=20.0,
        above=0,
    )
    shed_lag_ms: float = option(
        "So late that sessions go without what they can do without.", default=50.0, above=0
    )
    evict_lag_ms: float = option(
        "So late that sessions which nobody uses are ended.", default=200.0, above=0
    )
    refuse_memory_percent: float = option(
        "So much of the memory is used that new sessions are refused: of that of the container, or"
        " of the machine.",
        default=85.0,
        above=0,
    )
    shed_memory_percent: float = option(
        "So much that sessions go without what they can do without.", default=90.0, above=0
    )
    evict_memory_percent: float = option(
        "So much that sessions which nobody uses are ended.", default=95.0, above=0
    )
    patience_seconds: float = option(
        "How long more must be called for before the next stage begins.", default=1.0, above=0
    )
    calm_seconds: float = option(
        "How long less must do before a stage is over.", default=5.0, above=0
    )
    evict_idle_seconds: float = option(
        "A session in which nobody has said anything for so long is one that nobody uses.",
        default=30.0,
        above=0,
    )
    shed_processors: tuple[str, ...] = option(
        "Audio processors that sessions can do without, beside the one that lowers noise for clients.",
        default=("denoise", "rnnoise"),
    )

    def begins(self, stage: str) -> tuple[float, float]:
        """Return how late the loop is, in seconds, and the share of memory, where a stage begins."""
        lag_ms: float = getattr(self, f"{stage}_lag_ms")
        percent: float = getattr(self, f"{stage}_memory_percent")
        return lag_ms / 1000, percent / 100
