"""Notices that a provider was asked and says nothing. No clock of its own.

A ping shows that a socket lives, not that anybody works behind it: half-open connections and stuck
back ends answer pings, or let everything be sent to them, and give nothing back.
"""

from math import inf

import attrs


@attrs.define
class Progress:
    """Due when what was asked at ``asked_at`` is still unanswered ``patience`` seconds later."""

    patience: float
    asked_at: float = attrs.field(default=inf, init=False)
    """When the oldest question without an answer was asked; ``inf`` if there is none."""

    @property
    def deadline(self) -> float:
        """When to lose patience."""
        return self.asked_at + self.patience

    def asked(self, now: float) -> None:
        """Something was sent that has to be answered: speech, or text to be said."""
        self.asked_at = min(self.asked_at, now)

    def answered(self) -> None:
        """Something came back."""
        self.asked_at = inf
