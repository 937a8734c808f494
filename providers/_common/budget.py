"""How often a stream may be connected anew: tokens that healthy seconds refill. No clock."""

from math import ceil

import attrs


@attrs.define
class Budget:
    """Spent by each lost connection, refilled by time in which all was well.

    Counting failures in a row goes wrong both ways. A provider that accepts and hangs up at once
    never fails twice in a row, so its streams would reconnect for ever. And a quiet caller, whose
    connection the provider drops once a minute, would be cut off after some such minutes although
    each reconnect worked.
    """

    size: int = 5
    """Losses that a stream survives without a healthy second between them."""
    refill: float = 30.0
    """Healthy seconds that give one token back."""
    _tokens: float = attrs.field(
        default=attrs.Factory(lambda self: float(self.size), takes_self=True), init=False
    )

    @property
    def used(self) -> int:
        """Tokens missing, a started one counts: 0 for a stream that has been well for long."""
        return ceil(self.size - self._tokens)

    def healthy(self, seconds: float) -> None:
        """Take note of seconds in which the connection did what it should."""
        self._tokens = min(self.size, self._tokens + max(0.0, seconds) / self.refill)

    def take(self) -> bool:
        """Spend a token on one reconnect; False, and nothing is spent, if there is none."""
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
