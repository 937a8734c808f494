"""How patient the gateway is with its plugins, and when a failed one is opened again."""

from collections import deque

import attrs


@attrs.frozen
class Policy:
    """All the times and counts, for all plugins. Seconds."""

    open_timeout: float = 30.0
    """Opening loads models and may look at the network; longer is a hang."""
    close_timeout: float = 5.0
    """A plugin that is still closing is cancelled then."""
    patience: float = 5.0
    """A plugin that has been cancelled has so long to let go."""
    failures_before_stop: int = 5
    """Calls in a row that broke the contract and take the plugin out of service."""
    breaker_threshold: int = 5
    """Calls in a row that the provider failed and that open its circuit."""
    breaker_cooldown: float = 30.0
    """An open circuit lets one trial through so often."""
    max_restarts: int = 5
    """Restarts within ``restart_window``; one more failure is final."""
    restart_window: float = 600.0
    first_pause: float = 1.0
    """Before the first restart; twice as long before each further one in the window."""
    longest_pause: float = 60.0
    health_interval: float = 30.0
    health_timeout: float = 5.0
    """A plugin that does not say how it feels within this time is unhealthy."""


@attrs.define
class Restarts:
    """When may a failed plugin be opened again? No clock of its own."""

    policy: Policy
    _past: deque[float] = attrs.field(factory=deque)
    """The restarts of the window; at most ``max_restarts``."""

    def pause(self, now: float) -> float | None:
        """Count one restart: return the seconds to wait before it, or None if there were enough."""
        while self._past and self._past[0] <= now - self.policy.restart_window:
            self._past.popleft()
        if len(self._past) >= self.policy.max_restarts:
            return None
        # No further than 2^30: a policy with thousands of restarts must not overflow.
        pause = self.policy.first_pause * 2.0 ** min(len(self._past), 30)
        self._past.append(now)
        return min(pause, self.policy.longest_pause)
