"""What both parties have said last: the context in which a turn detector judges."""

from collections import deque

import attrs

from capabilities import Said
from waav.session.events import Interrupted

CONTEXT = 6
"""Turns of both parties that are remembered."""


@attrs.define(eq=False)
class Dialogue:
    """The last turns; of what the agent said, what was heard of it."""

    _turns: deque[tuple[str, Said]] = attrs.Factory(lambda: deque(maxlen=CONTEXT))
    """With the id of the agent's utterance."""

    @property
    def turns(self) -> tuple[Said, ...]:
        """Return them, the oldest first."""
        return tuple(said for _, said in self._turns)

    def user(self, text: str) -> None:
        """The user has finished a turn."""
        self._turns.append(("", Said("user", text)))

    def agent(self, utterance: str, text: str) -> None:
        """The agent begins to say something."""
        self._turns.append((utterance, Said("agent", text)))

    def cut(self, event: Interrupted) -> None:
        """An utterance was cut off; where its words are not known all of them stay."""
        if not event.played:
            self.unsaid(event.utterance)
        elif event.text is not None:
            self._replace(event.utterance, event.text.strip())

    def unsaid(self, utterance: str) -> None:
        """Nothing of an utterance was heard."""
        self._replace(utterance, "")

    def _replace(self, utterance: str, text: str) -> None:
        turns = [
            (id_, Said("agent", text) if id_ == utterance else said)
            for id_, said in self._turns
            if text or id_ != utterance
        ]
        self._turns.clear()
        self._turns.extend(turns)
