"""Which sound a transcript of a realtime session is of, and whose turn it is. No I/O, no clock.

Turns are committed in order but may be transcribed in any; the reader gets them in order. A turn is
committed by the server's voice detection, which names it beforehand, or by us, who are answered
with a name that we did not know.
"""

from collections import deque

import attrs

from capabilities import Final
from providers._common.wire import Acknowledged, Signal

_TOLD = 32
"""Items that are remembered, in case the server repeats itself."""
_CLEAR = "clear"


@attrs.frozen
class _Turn:
    """A stretch of sound that is one utterance, or the beginning of one."""

    until: float | None = None
    """Seconds of sound that were sent on the connection; None if unknown."""
    paused: bool = False


@attrs.define
class _Item:
    turn: _Turn = _Turn()
    text: str = ""
    """As far as it has come."""
    final: Final | None = None


@attrs.define
class Turns:
    """The turns of one connection that are not told yet."""

    settled: float = attrs.field(default=0.0, init=False)
    """Seconds of sound up to which the server's voice detection has said what it found."""
    speaking: bool = attrs.field(default=False, init=False)
    """It hears somebody."""
    _asked: dict[str, _Turn] = attrs.field(factory=dict, init=False)
    """Our commits, by event id, and our last clear, as long as they are not answered."""
    _stopped: dict[str, _Turn] = attrs.field(factory=dict, init=False)
    """Items that the voice detection has named, and that are not committed."""
    _items: dict[str, _Item] = attrs.field(factory=dict, init=False)
    _order: deque[str] = attrs.field(factory=deque, init=False)
    """Committed items, in the order of the sound."""
    _told: deque[str] = attrs.field(factory=lambda: deque(maxlen=_TOLD), init=False)

    @property
    def all_told(self) -> bool:
        """Whether the server owes us nothing."""
        return not (self._asked or self._stopped or self._order)

    def ask(self, until: float, *, paused: bool) -> str:
        """We commit; return the event's id."""
        name = f"commit-{until:.3f}"
        self._asked[name] = _Turn(until, paused)
        return name

    def ask_clear(self) -> str:
        """We have what is left thrown away; return the event's id."""
        self._asked[_CLEAR] = _Turn()
        return _CLEAR

    def cleared(self) -> None:
        """It was thrown away."""
        self._asked.pop(_CLEAR, None)

    def failed(self, name: object) -> bool:
        """An event of ours was not accepted; return whether it was one of these."""
        return self._asked.pop(str(name), None) is not None

    def stopped(self, item: str, end: float) -> None:
        """The voice detection has heard the end of a turn."""
        self.speaking, self.settled = False, end
        self._stopped[item] = _Turn(end, paused=True)

    def committed(self, item: str) -> None:
        """A turn has become an item."""
        if item in self._order or item in self._told:
            return
        turn = self._stopped.pop(item, None)
        if turn is None:
            self.speaking = False
            oldest = next((name for name in self._asked if name != _CLEAR), None)
            turn = _Turn() if oldest is None else self._asked.pop(oldest)
        self._items.setdefault(item, _Item()).turn = turn
        self._order.append(item)

    def delta(self, item: str, text: str) -> str:
        """A piece of text has come; return what the reader may see: nothing out of order."""
        if item in self._told:
            return ""
        entry = self._items.setdefault(item, _Item())
        entry.text += text
        is_next = not self._order or self._order[0] == item
        return entry.text.strip() if is_next else ""

    def completed(self, item: str, final: Final) -> None:
        """The whole text has come."""
        if item not in self._told:
            self._items.setdefault(item, _Item()).final = final

    def tell(self) -> list[Signal]:
        """Return what is next in the order of the sound and has its text."""
        signals: list[Signal] = []
        while self._order and (final := self._items[self._order[0]].final) is not None:
            self._told.append(self._order.popleft())
            turn = self._items.pop(self._told[-1]).turn
            if final.text:
                signals.append(attrs.evolve(final, speech_final=turn.paused))
            if turn.until is not None:
                signals.append(Acknowledged(turn.until))
        return signals
