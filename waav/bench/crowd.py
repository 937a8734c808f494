"""Many callers at once: let in a few at a time, kept, and sent home."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from waav.bench.caller import Caller
from waav.bench.far_end import FRAME_DURATION
from waav.bench.framing import Sound
from waav.bench.loop import Address, Beat, Loop
from waav.bench.process import BenchFailed
from waav.bench.tally import Tally

_OPENING = 8
"""Sessions that are on their way in at one time."""
TIDYING = 1.0
"""Seconds for whoever has said goodbye to tidy up behind it."""
_PATIENCE = 60.0
"""Seconds for all of them to be there; and to be gone."""


class Crowd:
    """Callers of one address, all with the same wishes."""

    def __init__(
        self,
        loop: Loop,
        address: Address,
        config: Mapping[str, Any],
        tally: Tally,
        *,
        path: str = "/ws",
    ) -> None:
        self.callers: list[Caller] = []
        self._loop, self._address, self._tally = loop, address, tally
        self._config, self._path = json.dumps(config).encode(), path

    def gather(self, many: int) -> None:
        """Let so many more in, and wait until all of them are ready.

        Raises:
            BenchFailed: somebody was refused, or they are not ready in time.
        """
        wanted = len(self.callers) + many
        waiting = 0

        def changed(caller: Caller) -> None:
            nonlocal waiting
            if caller.ready is None or caller.over is None:
                waiting -= 1

        def step() -> bool:
            nonlocal waiting
            while waiting < _OPENING and len(self.callers) < wanted:
                waiting += 1
                self.callers.append(self.call(changed))
            return not waiting

        there = self._loop.run(_PATIENCE, step)
        lost = [caller for caller in self.callers if caller.over is not None]
        if lost:
            why = lost[0].refusal or "the connection broke"
            raise BenchFailed(f"{len(lost)} of {wanted} sessions did not come to be: {why}")
        if not there:
            raise BenchFailed(f"after {_PATIENCE:g} s {waiting} sessions were not ready")

    def call(self, changed: Callable[[Caller], None]) -> Caller:
        """Let one caller more try; it is not kept."""
        return Caller(
            self._loop, self._address, self._config, self._tally, changed, path=self._path
        )

    def talk(self, sound: Sound, start: int) -> Beat:
        """Return the beat of them all talking, evenly spread over the length of a frame."""
        many = len(self.callers)

        def say(number: int, late: int) -> None:
            tally = self._tally
            turn, who = divmod(number, many)
            caller = self.callers[who]
            if caller.over is None:
                now = start + int(number * step) + late
                if tally.counts(now):
                    tally.sent += 1
                    tally.lateness.record(late)
                # Each is at another place of the recording.
                caller.send(sound.frame(turn + 7 * who, now))

        step = FRAME_DURATION * 1e9 / many
        return Beat(say, step, start)

    def count(self, tally: Tally) -> None:
        """Count elsewhere from now on."""
        self._tally = tally
        for caller in self.callers:
            caller.tally = tally

    @property
    def lost(self) -> dict[str, int]:
        """How many are gone that should not be, by reason."""
        reasons: dict[str, int] = {}
        for caller in self.callers:
            if caller.over is not None:
                why = caller.refusal or "broken off"
                reasons[why] = reasons.get(why, 0) + 1
        return reasons

    def go(self) -> None:
        """Say goodbye, and wait until all are gone and forgotten; whoever stays is hung up on."""
        for caller in self.callers:
            caller.leave()
        self._loop.run(_PATIENCE, lambda: all(each.over is not None for each in self.callers))
        for caller in self.callers:
            caller.hang_up()
        self.callers.clear()
        self._loop.run(TIDYING)
