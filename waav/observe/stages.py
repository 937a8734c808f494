"""When the gateway has too much to do, and what it does about it: rules, without I/O and clock."""

from collections.abc import Mapping
from enum import IntEnum
from math import inf
from types import MappingProxyType

import attrs


class Stage(IntEnum):
    """What is done about too much work: each stage does also what those below it do."""

    NORMAL = 0
    REFUSE = 1
    """Nobody new is let in."""
    SHED = 2
    """What sessions can do without is left out."""
    EVICT = 3
    """Sessions that nobody uses are ended, the longest idle first."""


@attrs.frozen
class Mark:
    """Where a stage begins, and the lower place where it is over."""

    on: float
    off: float

    def passed(self, value: float, *, held: bool) -> bool:
        """Say whether the value calls for the stage; ``held``: it is there already."""
        return value > (self.off if held else self.on)


@attrs.frozen
class Marks:
    """What calls for a stage: either of the two."""

    lag: Mark
    """Seconds by which the event loop is late."""
    memory: Mark
    """The share of the memory that may be used."""

    @classmethod
    def at(cls, lag: float, memory: float) -> "Marks":
        """Make them from where they begin.

        Lag comes and goes; memory comes back slowly, if at all, and has its ends closer together.
        """
        return cls(Mark(lag, lag / 2), Mark(memory, memory * 0.95))


DEFAULT_MARKS = MappingProxyType(
    {
        Stage.REFUSE: Marks.at(0.02, 0.85),
        Stage.SHED: Marks.at(0.05, 0.90),
        Stage.EVICT: Marks.at(0.2, 0.95),
    }
)


@attrs.frozen
class Situation:
    """The stage, and where it leans."""

    stage: Stage = Stage.NORMAL
    since: float = -inf
    leaning: int = 0
    """1: more is called for; -1: less would do."""
    leaning_since: float = -inf


@attrs.frozen
class Rules:
    """When the stage changes: by one step, and only after the need for it has lasted."""

    marks: Mapping[Stage, Marks] = DEFAULT_MARKS
    patience: float = 1.0
    """Seconds for which more must be called for."""
    calm: float = 5.0
    """Seconds for which less must do."""
    idle: float = 30.0
    """Seconds for which nobody has said anything in a session that may be ended."""

    def called_for(self, stage: Stage, lag: float, memory: float) -> Stage:
        """Return the highest stage that is called for, while ``stage`` is there."""
        return max(
            (
                each
                for each, marks in self.marks.items()
                if marks.lag.passed(lag, held=each <= stage)
                or marks.memory.passed(memory, held=each <= stage)
            ),
            default=Stage.NORMAL,
        )

    def next(self, situation: Situation, lag: float, memory: float, now: float) -> Situation:
        """Return what becomes of a situation; the same if nothing does."""
        stage = situation.stage
        wanted = self.called_for(stage, lag, memory)
        leaning = (wanted > stage) - (wanted < stage)
        if leaning != situation.leaning:
            return attrs.evolve(situation, leaning=leaning, leaning_since=now)
        lasted = now - situation.leaning_since
        if leaning and lasted >= (self.patience if leaning > 0 else self.calm):
            return Situation(Stage(stage + leaning), now)
        return situation
