"""All attackers at once: rounds are handed out until there are no more."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import suppress

import trio

from fuzz.attackers import break_in, pretend, talk
from fuzz.cases import Kind, Round
from fuzz.findings import Findings
from fuzz.peer import House
from fuzz.requests import ask, knock

PATIENCE = 60.0
"""Seconds for a round: whoever is left without an answer for that long is left without one."""

ATTACKS: Mapping[Kind, Callable[[House, Round, Findings], Awaitable[None]]] = {
    "text": talk,
    "sound": talk,
    "first": pretend,
    "frames": break_in,
    "head": knock,
    "body": ask,
}


async def assault(
    house: House, rounds: Iterable[Round], findings: Findings, *, attackers: int = 8
) -> None:
    """Do all rounds.

    Args:
        attackers: as many connections there are at one time.
    """
    waiting = iter(rounds)
    async with trio.open_nursery() as nursery:
        for number in range(attackers):
            nursery.start_soon(_attack, house, waiting, findings, name=f"fuzz/attacker-{number}")


async def _attack(house: House, waiting: Iterator[Round], findings: Findings) -> None:
    for each in waiting:
        with trio.move_on_after(PATIENCE) as patience, suppress(trio.BrokenResourceError):
            await ATTACKS[each.kind](house, each, findings)
        findings.expect(not patience.cancelled_caught, "no answer in time", each)
