"""A few thousand malformed things of the million that ``make fuzz`` sends; the same ones each time."""

import logging
from collections.abc import AsyncIterator

import attrs
import pytest
import trio
from support.gateways import open_serving
from support.providers import Ears, Mouth, plugin

from capabilities import Secret
from fuzz.assault import assault
from fuzz.cases import MAKERS, PER_ROUND, Case, Kind, Round
from fuzz.findings import Findings
from fuzz.peer import House
from waav.config.auth import ApiSecret, Auth
from waav.config.security import RATE_LIMIT_OFF, Security
from waav.gateway import Gateway

SEED = 20261121
ROUNDS_OF_EACH = 12
TOKEN = "the-token-of-the-attacker"
_ROOM = Security(rate_limit_requests_per_second=RATE_LIMIT_OFF, max_connections_per_ip=1000)


@attrs.frozen
class Attacked:
    gateway: Gateway
    house: House

    @property
    def is_empty(self) -> bool:
        held = [use.held for use in self.gateway.limiter.counts.snapshot().values()]
        return not self.gateway.sessions and not any(held)


@pytest.fixture
async def attacked() -> AsyncIterator[Attacked]:
    auth = Auth(required=True, api_secrets=(ApiSecret("attacker", Secret(TOKEN)),))
    # The names that the messages of the attackers are about.
    manifests = plugin("deepgram", Ears(), Mouth()), plugin("elevenlabs", mouth=Mouth())
    async with open_serving(*manifests, auth=auth, security=_ROOM) as serving:
        yield Attacked(serving.gateway, House(serving.port, TOKEN))


def rounds_of(kind: Kind) -> list[Round]:
    """The first few of a kind."""
    found: list[Round] = []
    number = 0
    while len(found) < ROUNDS_OF_EACH:
        each, number = Round(SEED, number), number + 1
        if each.kind == kind:
            found.append(each)
    return found


@pytest.mark.parametrize("kind", MAKERS)
async def test_whatever_is_sent_is_answered_once_and_nothing_stays_behind(
    attacked: Attacked, kind: Kind, caplog: pytest.LogCaptureFixture
) -> None:
    """And no bug of ours is in the log."""
    findings = Findings()
    await assault(attacked.house, rounds_of(kind), findings, attackers=4)
    assert findings.broken == []
    assert findings.done == ROUNDS_OF_EACH * PER_ROUND
    with trio.fail_after(20):
        while not attacked.is_empty:  # noqa: ASYNC110  # the kernel tells nobody when a client has gone
            await trio.sleep(0.01)
    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []


def test_a_seed_and_a_number_make_the_same_again() -> None:
    for number in range(60):
        assert list(Round(7, number).cases()) == list(Round(7, number).cases())
        assert Round(7, number).dice.random() == Round(7, number).dice.random()
    assert list(Round(7, 1).cases()) != list(Round(8, 1).cases())
    assert {Round(7, number).kind for number in range(200)} == set(MAKERS)


def test_what_must_not_be_is_kept_with_what_one_needs_to_see_it_again() -> None:
    findings, of = Findings(), Round(7, 3)
    findings.expect("an answer", "no answer", of)
    assert findings.broken == []
    for _ in range(1000):
        findings.expect(fine=False, what="2 errors", of=of, case=Case(150, b"x" * 10_000))
    assert findings.broken_in_all == 1000
    assert len(findings.broken) < 100
    assert findings.broken[0].startswith("2 errors (seed 7, round 3,")
    assert "case 150: b'xxx" in findings.broken[0]
    assert len(findings.broken[0]) < 500
