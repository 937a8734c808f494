"""An attack from beginning to end: neighbours that talk meanwhile, memory, and what is left behind."""

from collections.abc import Callable
from contextlib import AsyncExitStack

import attrs
import trio

from fuzz.assault import assault
from fuzz.cases import PER_ROUND, Round
from fuzz.findings import Findings
from fuzz.peer import House, NotLetIn
from fuzz.stage import PLACES, Look, Stage
from waav.bench.process import BenchFailed
from waav.bench.runs import Run

_EVERY = 5.0
"""Seconds between two looks at the gateway."""
_QUIET = 30.0
"""Seconds for the last sessions to end."""


@attrs.frozen
class Plan:
    """What is done."""

    seed: int
    count: int
    first: int = 0
    """The number of the first round."""
    attackers: int = 8
    neighbours: int = 10
    seconds: float = 10.0
    """Of each run of the neighbours."""

    @property
    def rounds(self) -> range:
        """Their numbers."""
        return range(self.first, self.first + max(1, self.count // PER_ROUND))


@attrs.define
class Outcome:
    """What came of it so far."""

    findings: Findings = attrs.Factory(Findings)
    alone: Run | None = None
    """The neighbours before the attack."""
    attacked: list[Run] = attrs.Factory(list)
    """And during it."""
    looks: list[tuple[int, Look]] = attrs.Factory(list)
    """After how many cases: before the first, every few seconds, and when all have left."""
    lasted: float = 0.0
    """Seconds of attack."""
    faults: list[str] = attrs.Factory(list)
    """What does not belong to a single case."""


async def besiege(stage: Stage, plan: Plan, say: Callable[[str], None]) -> Outcome:
    """Do all of it; ``say`` hears how far it is.

    Raises:
        BenchFailed: the gateway does not live, or nothing works even before the attack.
    """
    outcome = Outcome()
    outcome.alone = await trio.to_thread.run_sync(stage.talk, plan.neighbours, plan.seconds)
    await _look(stage, outcome)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_watch, stage, outcome, plan, say, name="fuzz/watch")
        async with trio.open_nursery() as attack:
            over = trio.Event()
            attack.start_soon(_talk, stage, outcome, plan, over, name="fuzz/neighbours")
            began = trio.current_time()
            rounds = [Round(plan.seed, number) for number in plan.rounds]
            await assault(stage.house, rounds, outcome.findings, attackers=plan.attackers)
            outcome.lasted = trio.current_time() - began
            over.set()
        nursery.cancel_scope.cancel(reason="the attack is over")
    outcome.faults += await _left_behind(stage, outcome)
    outcome.faults += stage.failures()
    return outcome


async def _talk(stage: Stage, outcome: Outcome, plan: Plan, over: trio.Event) -> None:
    """Let the neighbours talk until it is over; a run that it did not last for does not count."""
    while not over.is_set():
        try:
            run = await trio.to_thread.run_sync(stage.talk, plan.neighbours, plan.seconds)
        except BenchFailed as exc:
            outcome.faults.append(f"the neighbours: {exc}")
            return
        if run.lost:
            outcome.faults.append(f"{run.lost} neighbours were lost")
        if not over.is_set() or not outcome.attacked:
            outcome.attacked.append(run)


async def _watch(stage: Stage, outcome: Outcome, plan: Plan, say: Callable[[str], None]) -> None:
    while True:
        await trio.sleep(_EVERY)
        usage = (await _look(stage, outcome)).usage
        findings = outcome.findings
        say(
            f"{findings.done} of {plan.count} cases, {findings.broken_in_all} promises broken,"
            f" RSS {usage.rss >> 20} MiB, {usage.files} files"
        )


async def _look(stage: Stage, outcome: Outcome) -> Look:
    look = await trio.to_thread.run_sync(stage.look)
    outcome.looks.append((outcome.findings.done, look))
    return look


async def _left_behind(stage: Stage, outcome: Outcome) -> list[str]:
    """Wait until the gateway should be empty, and say what it still has: sessions, and places."""
    with trio.move_on_after(_QUIET) as patience:
        while (await _look(stage, outcome)).figure("sessions"):  # noqa: ASYNC110  # it is another process that changes
            await trio.sleep(0.1)
    if patience.cancelled_caught:
        return ["there are sessions of clients that are gone"]
    places = await _places(stage.house)
    return [] if places == PLACES else [f"{places} of {PLACES} places are free"]


async def _places(house: House) -> int:
    """Return how many are let in at one time."""
    async with AsyncExitStack() as inside:
        for number in range(PLACES + 1):
            try:
                await inside.enter_async_context(house.enter())
            except NotLetIn:
                return number
    return PLACES + 1
