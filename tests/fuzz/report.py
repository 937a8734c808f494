"""What came of an attack, for people, and whether it may be so."""

from collections.abc import Iterator
from statistics import median_low

from fuzz.siege import Outcome, Plan
from waav.bench.report import table
from waav.bench.runs import STOP, Run

WARM = 50_000
"""Cases before the memory is looked at: what is loaded once, and what the largest messages have once taken
from the system, is no leak. A shorter attack says nothing of it."""
GROWTH = 16 << 20
"""Bytes by which the memory may have grown since then."""
SHOWN = 20


def verdicts(outcome: Outcome) -> list[str]:
    """Return a sentence for each thing that must not be; none: all is well."""
    found = [*outcome.faults, *outcome.findings.broken]
    if (more := outcome.findings.broken_in_all - len(outcome.findings.broken)) > 0:
        found.append(f"and {more} more")
    grown = growth(outcome)
    if grown > GROWTH:
        found.append(f"the memory grew by {grown / 2**20:.1f} MiB")
    run = together(outcome.attacked)
    if run is not None and not run.invalid and run.forward.percentile(99) > STOP:
        found.append(f"the neighbours' p99 is beyond {STOP * 1e3:g} ms")
    return found


def growth(outcome: Outcome) -> int:
    """Return by how many bytes the memory has grown behind the warm-up.

    From the median of the first tenth of the looks to that of the last one: what is under way just now,
    and what the C library keeps of what was, are 10 MiB up or down from one look to the next.
    """
    warm = [look.usage.rss for done, look in outcome.looks if done >= WARM]
    if not warm:
        return 0
    tenth = -(-len(warm) // 10)
    return median_low(warm[-tenth:]) - median_low(warm[:tenth])


def together(runs: list[Run]) -> Run | None:
    """Return all of them as one; None if there are none."""
    return sum(runs[1:], runs[0]) if runs else None


def lines(plan: Plan, outcome: Outcome) -> Iterator[str]:
    """Return the report."""
    findings = outcome.findings
    rate = findings.done / outcome.lasted if outcome.lasted else 0.0
    yield f"seed {plan.seed}: {findings.done} cases in {outcome.lasted:.0f} s, {rate:.0f} a second"
    yield table(("sent", "cases"), findings.cases.most_common())
    yield table(("answered", "times"), findings.answers.most_common())
    yield table(
        ("neighbours", "frames", "lost", "p50 ms", "p99 ms", "p99.9 ms", "round trip p99 ms"),
        [_times(name, run) for name, run in _runs(outcome) if run is not None],
    )
    yield from (run.invalid for _, run in _runs(outcome) if run is not None and run.invalid)
    yield table(("cases", "RSS MiB", "files", "tasks"), _memory(outcome))
    yield f"memory behind the warm-up: {growth(outcome) / 2**20:+.1f} MiB"
    end = outcome.looks[-1][1]
    yield (
        f"event loop held {end.figure('loop_held_total'):g} times,"
        f" {end.figure('loop_held_longest_seconds') * 1e3:.0f} ms at most"
    )
    yield from verdicts(outcome)[:SHOWN] or ["all is well"]


def _runs(outcome: Outcome) -> list[tuple[str, Run | None]]:
    return [("alone", outcome.alone), ("attacked", together(outcome.attacked))]


def _times(name: str, run: Run) -> list[str | float]:
    times = [run.forward.percentile(percent) * 1e3 for percent in (50, 99, 99.9)]
    return [name, run.sent, run.sent - run.arrived, *times, run.around.percentile(99) * 1e3]


def _memory(outcome: Outcome) -> list[list[str | float]]:
    """Return at most a dozen of the looks, the first and the last among them."""
    looks = outcome.looks
    chosen = looks[:: max(1, len(looks) // 10)]
    chosen += [] if chosen[-1] is looks[-1] else [looks[-1]]
    return [
        [str(done), look.usage.rss / 2**20, look.usage.files, look.figure("tasks")]
        for done, look in chosen
    ]
