"""``make fuzz``: attacks a gateway with a million malformed messages and requests, while neighbours talk.

The same seed sends the same again: ``make fuzz SEED=7``, and a single round of it with
``--seed 7 --first 123 --count 50``. On two cores a million takes half an hour.
"""

import argparse
import os
import random
import sys

import trio

from fuzz.report import lines, verdicts
from fuzz.siege import Outcome, Plan, besiege
from fuzz.stage import Stage, open_stage
from waav.bench.process import BenchFailed
from waav.bench.rig import open_rig

NICE = 10
"""Neighbours must not be late because an attacker has their core."""


def main() -> None:
    """Attack, and print what came of it; status 1 if anything was not as it must be."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000, help="cases")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--first", type=int, default=0, help="the round to begin with")
    parser.add_argument("--attackers", type=int, default=8)
    parser.add_argument("--neighbours", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=10.0, help="of a run of the neighbours")
    parser.add_argument("--core", type=int, default=min(os.sched_getaffinity(0)))
    told = vars(parser.parse_args())
    core, plan = told.pop("core"), Plan(**told)
    say(f"seed {plan.seed}")
    try:
        with open_rig(core) as rig, open_stage(rig) as stage:
            os.nice(NICE)
            judge(stage, plan, trio.run(besiege, stage, plan, say))
    except BenchFailed as exc:
        sys.exit(str(exc))


def judge(stage: Stage, plan: Plan, outcome: Outcome) -> None:
    """Print what came of it.

    Raises:
        BenchFailed: not all is well. Raised while the rig is up it keeps the gateway's log.
    """
    for line in lines(plan, outcome):
        say(line)
    if verdicts(outcome):
        raise BenchFailed(f"it is not as it must be; the gateway's log: {stage.child.errors}")


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)  # noqa: T201  # what it is for


if __name__ == "__main__":
    main()
