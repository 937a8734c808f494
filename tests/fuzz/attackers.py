"""What an attacker does with the cases of a round on WebSockets, and what the gateway owes it."""

import json
from contextlib import suppress
from random import Random
from typing import Literal, TypeAlias

import attrs
import trio

from fuzz.cases import Case, Round
from fuzz.findings import AT_ONCE, CLOSES, NOTICES, Findings, is_error
from fuzz.messages import CONFIG
from fuzz.peer import House, Peer, reset
from waav.bench.framing import BINARY, CLOSE, KEY, TEXT, from_client

_TOGETHER = 10
"""Messages on their way before their answers are read."""
_CONFIG = json.dumps(CONFIG).encode()
_MARK = 1 << 50
"""Added to the number of a case it is a time stamp that no case has in it."""

Stage: TypeAlias = Literal["pending", "known", "configured"]


async def talk(house: House, of: Round, findings: Findings) -> None:
    """Say them all in one session. Behind each follows a ping, whose pong ends what belongs to it.

    Owed: an error at most for each, all pongs, and that the session goes on.
    """
    dice, cases, errors = of.dice, list(of.cases()), 0
    async with house.enter(dice.choice(("query", "header", "none"))) as peer:
        await _introduce(peer, house)
        if dice.random() < 0.5:
            await peer.say(_CONFIG)
        for at in range(0, len(cases), _TOGETHER):
            some = cases[at : at + _TOGETHER]
            opcode = TEXT if of.kind == "text" else BINARY
            said = [from_client(opcode, case.data) + _marked(case) for case in some]
            await peer.stream.send_all(b"".join(said))
            for case in some:
                errors += await _hear_out(peer, case, of, findings)
                findings.cases[of.kind] += 1
        findings.expect(errors <= len(cases) + 1, f"{errors} errors in all", of)


async def _introduce(peer: Peer, house: House) -> None:
    """Say who we are, whether or not we have to: a token may be shown again. Before the answer only
    little may be said."""
    await peer.say(json.dumps({"type": "auth", "token": house.token}).encode())
    while (frame := await peer.hear()) is not None and b'"authenticated"' not in frame[1]:
        pass


def _marked(case: Case) -> bytes:
    mark = json.dumps({"type": "ping", "timestamp": _MARK + case.number})
    return from_client(TEXT, mark.encode())


async def _hear_out(peer: Peer, case: Case, of: Round, findings: Findings) -> int:
    """Read up to the pong behind a case; return how many errors came."""
    errors: list[str] = []
    while (frame := await peer.hear()) is not None and frame[0] != CLOSE:
        if frame[0] != TEXT:
            continue
        message = findings.hear(frame[1])
        if is_error(message) and message["code"] not in NOTICES:
            errors.append(message["code"])
        if message.get("timestamp") == _MARK + case.number:
            own = [code for code in errors if code in AT_ONCE]
            findings.expect(len(own) <= 1, f"{len(own)} errors: {own}", of, case)
            return len(errors)
    findings.expect(fine=False, what=f"the session ended: {frame}, {errors}", of=of, case=case)
    raise trio.BrokenResourceError("the session ended")


async def break_in(house: House, of: Round, findings: Findings) -> None:
    """Send each on a connection of its own, in any stage of it, and see how that ends."""
    dice = of.dice
    for case in of.cases():
        stage: Stage = dice.choice(("pending", "known", "configured"))
        async with house.enter("none" if stage == "pending" else "query") as peer:
            if stage == "configured":
                await peer.say(_CONFIG)
            await _end(peer, case, of, findings, dice)
        findings.cases[of.kind] += 1


async def pretend(house: House, of: Round, findings: Findings) -> None:
    """Answer the question who one is with each of them."""
    for case in of.cases():
        async with house.enter("none") as peer:
            framed = attrs.evolve(case, data=from_client(TEXT, case.data))
            await _end(peer, framed, of, findings, Random(0))
        findings.cases[of.kind] += 1


async def _end(peer: Peer, case: Case, of: Round, findings: Findings, dice: Random) -> None:
    """Send a case, then vanish, or show our end and wait for theirs."""
    manner = dice.random()
    # The gateway may have had enough before it has all.
    with suppress(trio.BrokenResourceError):
        await peer.stream.send_all(case.data)
        if manner < 0.2:
            await reset(peer.stream)
            return
        await peer.stream.send_eof()
    await _see_end(peer, case, of, findings)


async def _see_end(peer: Peer, case: Case, of: Round, findings: Findings) -> None:
    """Owed: an error at most for a message, one goodbye at most, and nothing behind it."""
    errors: list[str] = []
    goodbyes: list[int | None] = []
    while (frame := await peer.hear()) is not None:
        findings.expect(not goodbyes, "more behind the goodbye", of, case)
        if frame[0] == CLOSE:
            goodbyes.append(int.from_bytes(frame[1][:2], "big") if frame[1] else None)
        elif frame[0] == TEXT and is_error(message := findings.hear(frame[1])):
            errors.append(message["code"])
    findings.answers[f"close {goodbyes[0] if goodbyes else 'without a word'}"] += 1
    findings.expect(set(goodbyes) <= CLOSES, f"goodbye {goodbyes}", of, case)
    # Some of what is no message in one frame is one in several: each has the mask.
    most = max(1, case.data.count(KEY))
    findings.expect(len(errors) <= most, f"{len(errors)} errors: {errors}", of, case)
