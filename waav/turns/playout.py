"""What the client plays, and how far it is: the ledger of what was sent, by the time. No clock of its own."""

from collections import deque
from math import inf

import attrs


@attrs.frozen
class Heard:
    """How much of an utterance the client has played when it was told to stop."""

    utterance: str
    played: float
    """Seconds; an estimate, as if the client played all that it got without a pause."""
    sent: float
    """Seconds that it was sent."""
    text: str | None = None
    """The words that had begun by then; None if the voice does not tell where they are."""


@attrs.define(eq=False)
class _Stretch:
    """The sound of one utterance on the client's side."""

    utterance: str
    locked: bool
    """It may not be interrupted."""
    start: float
    """When the client begins to play it: when it has played all that was sent before."""
    end: float
    """When it will have played what was sent of it so far."""
    sent: float = 0.0
    open: bool = True
    """More of it will be sent."""
    words: list[tuple[float, str]] | None = attrs.Factory(list)
    """Where in its sound words begin; None as soon as that is not known of a part of it."""

    def add(self, duration: float, text: str | None) -> None:
        if text is None and duration:
            self.words = None
        if text and self.words is not None:
            self.words.append((self.sent, text))
        self.sent += duration

    def heard(self, now: float) -> Heard:
        played = min(max(self.sent - (self.end - now), 0.0), self.sent)
        said = "".join(word for begin, word in self.words or () if begin < played)
        return Heard(self.utterance, played, self.sent, said if self.words else None)


@attrs.define
class Playout:
    """The utterances that were sent and not played to their end, in order.

    The client plays sound later than it gets it: an utterance begins to be heard when all that
    was sent before it has been heard, and ends as much later as it is long. One that may not be
    interrupted closes the lock for just that time.
    """

    _stretches: deque[_Stretch] = attrs.Factory(deque)
    _paused_at: float | None = None
    _closed: float | None = None
    """When the lock of the last one closed that is not among them any more."""

    def begin(self, utterance: str, now: float, *, allow_interruption: bool) -> None:
        """An utterance begins to be sent."""
        self._drop_played(now)
        start = max(self._end(), self._seen(now))
        self._stretches.append(_Stretch(utterance, not allow_interruption, start, start))

    def sent(self, duration: float, now: float, text: str | None = None) -> None:
        """``duration`` seconds of it were sent, with the words that begin in them."""
        if self._stretches:
            last = self._stretches[-1]
            last.end = max(last.end, self._seen(now)) + duration
            last.add(duration, text)

    def finish(self) -> None:
        """It has been sent to its end, or failed. Sound of an unknown length counts as heard."""
        if self._stretches:
            self._stretches[-1].open = False

    def pause(self, now: float) -> None:
        """The client has been asked to hold on."""
        if self._paused_at is None:
            self._paused_at = now

    def resume(self, now: float) -> None:
        """The client goes on where it was."""
        if self._paused_at is None:
            return
        for stretch in self._stretches:
            if stretch.end >= self._paused_at:
                stretch.end += now - self._paused_at
            if stretch.start >= self._paused_at:
                stretch.start += now - self._paused_at
        self._paused_at = None

    def stop(self, now: float) -> list[Heard]:
        """Nothing is played any more; return what was cut off, and how much of it was heard."""
        self._closed = self.last_closed(now)
        cut = [stretch.heard(self._seen(now)) for stretch in self._stretches]
        self._stretches.clear()
        self._paused_at = None
        return cut

    def began(self, now: float) -> float:
        """When what the client plays now began to be heard; ``now`` if it plays nothing."""
        self._drop_played(now)
        return self._stretches[0].start if self._stretches else now

    def playing(self, now: float) -> bool:
        """Whether the client still plays something that was sent."""
        return self._seen(now) < self._end()

    def until(self, now: float) -> float:
        """When the client will have played what it got, if it has not yet; ``now`` at least, if paused."""
        end = self._end() + now - self._seen(now)
        return end if self._paused_at is None else max(end, now)

    def locked(self, now: float) -> bool:
        """Whether the user may not interrupt now."""
        self._drop_played(now)
        return bool(self._locks(now))

    def last_closed(self, now: float) -> float | None:
        """When the lock closed last, which may be open again by now; None if it never did."""
        self._drop_played(now)
        locks = self._locks(now)
        return locks[-1] if locks else self._closed

    def _locks(self, now: float) -> list[float]:
        """When each lock closed that is closed now."""
        seen = self._seen(now)
        return [each.start for each in self._stretches if each.locked and each.start <= seen]

    def _seen(self, now: float) -> float:
        return now if self._paused_at is None else self._paused_at

    def _end(self) -> float:
        return self._stretches[-1].end if self._stretches else -inf

    def _drop_played(self, now: float) -> None:
        seen = self._seen(now)
        while self._stretches and not self._stretches[0].open and self._stretches[0].end <= seen:
            played = self._stretches.popleft()
            if played.locked:
                self._closed = played.start
