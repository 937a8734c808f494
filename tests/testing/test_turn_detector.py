"""The suite of turn detectors finds each kind of bad implementer."""

from collections.abc import Callable
from functools import partial
from typing import Any

import attrs
import pytest
import trio
import trio.testing

from capabilities import (
    Ability,
    Capability,
    Limits,
    ProviderBusy,
    ProviderClosed,
    TurnDetector,
    TurnQuestion,
    TurnVerdict,
)
from waav.testing import FakeTurnDetector, check_plugin, check_turn_detector, manifest_of
from waav.testing.bench import Subject, Trial
from waav.testing.scorecard import Verdict, checks_of, judge, select

ABILITY = Ability(features=("turn-text",), limits=Limits(concurrency=2))


class Odd(FakeTurnDetector):
    """Gives what another function makes of its verdicts."""

    change: Callable[[TurnQuestion, TurnVerdict], Any]

    def __init__(self, change: Callable[[TurnQuestion, TurnVerdict], Any]) -> None:
        super().__init__(limit=2)
        self.change = change

    async def judge(self, question: TurnQuestion) -> TurnVerdict:
        verdict: TurnVerdict = self.change(question, await super().judge(question))
        return verdict


class Raises(FakeTurnDetector):
    async def judge(self, question: TurnQuestion) -> TurnVerdict:
        if question.language == "ja":
            raise ProviderClosed("fake", "that is too hard")
        return await super().judge(question)


class Keeps(FakeTurnDetector):
    """Loses a place when it is cancelled."""

    async def judge(self, question: TurnQuestion) -> TurnVerdict:
        self.places.taken += 1
        await trio.lowlevel.checkpoint()
        self.places.taken -= 1
        return await super().judge(question)


class Lingers(FakeTurnDetector):
    async def judge(self, question: TurnQuestion) -> TurnVerdict:
        try:
            return await super().judge(question)
        except trio.Cancelled:
            with trio.CancelScope(shield=True):
                await trio.sleep(5)
            raise


class Mixes(FakeTurnDetector):
    """Answers for the wrong one of two that ask at one time."""

    async def judge(self, question: TurnQuestion) -> TurnVerdict:
        verdict = await super().judge(question)
        others = len({each.text for each in self.questions[-2:]})
        return attrs.evolve(verdict, probability=0.5) if self.inside(others) else verdict

    def inside(self, others: int) -> bool:
        return others > 1 and self.places.taken > 0


class Hasty(FakeTurnDetector):
    """Says when to come again: at once."""

    async def judge(self, question: TurnQuestion) -> TurnVerdict:
        try:
            return await super().judge(question)
        except ProviderBusy as busy:
            raise ProviderBusy("fake", busy.message, retry_after=0.0) from None


def changed(**fields: Any) -> Callable[[], FakeTurnDetector]:
    return partial(Odd, lambda _, verdict: attrs.evolve(verdict, **fields))


def always(question: TurnQuestion, verdict: TurnVerdict) -> TurnVerdict:
    return attrs.evolve(verdict, probability=1.0) if not question.text else verdict


def own(_question: TurnQuestion, verdict: TurnVerdict) -> TurnVerdict:
    return attrs.evolve(verdict, threshold=0.7)


CASES: dict[str, tuple[Callable[[], TurnDetector], str]] = {
    "no-verdict": (partial(Odd, lambda *_: True), "gets a TurnVerdict, not True"),
    "too-sure": (changed(probability=1.5), "the probability is 0 to 1, not 1.5"),
    "no-number": (changed(probability=float("nan")), "the probability is 0 to 1, not nan"),
    "odd-threshold": (changed(threshold=-1.0), "the threshold is 0 to 1, not -1.0"),
    "finished-without-words": (partial(Odd, always), "nothing to look at is not finished"),
    "own-threshold": (partial(Odd, own), "the threshold of the question counts: 0.01, not 0.7"),
    "raises": (partial(Raises, limit=2), "there is no reason for ProviderClosed"),
    "mixes": (partial(Mixes, limit=2, delay=0.1), "judged as it is alone"),
    "lingers": (partial(Lingers, limit=2), "does not end within"),
    "no-limit": (partial(FakeTurnDetector, delay=0.1), "limit of 2 must raise ProviderBusy"),
    "smaller-limit": (partial(FakeTurnDetector, delay=0.1, limit=1), "there is no reason for Prov"),
    "keeps-places": (partial(Keeps, limit=2, delay=0.1), "all 2 places are taken|2 at once"),
    "hasty": (partial(Hasty, limit=2, delay=0.1), "told when to come again"),
}


@pytest.mark.parametrize(("make", "message"), CASES.values(), ids=CASES)
async def test_a_defect_is_found(
    make: Callable[[], TurnDetector], message: str, autojump_clock: trio.testing.MockClock
) -> None:
    del autojump_clock
    with pytest.raises(AssertionError, match=message):
        await check_turn_detector(make(), ABILITY)


async def test_the_fake_keeps_all_promises(autojump_clock: trio.testing.MockClock) -> None:
    del autojump_clock
    detector = FakeTurnDetector(limit=2, delay=0.1)
    await check_plugin(manifest_of(turn_detector=detector), limit=2)
    assert detector.places.taken == 0
    assert max(len(question.before) for question in detector.questions) == 100


async def test_a_score_card_has_a_row_for_it(autojump_clock: trio.testing.MockClock) -> None:
    del autojump_clock
    subject = Subject(manifest_of(turn_detector=FakeTurnDetector(limit=2)))
    [check] = select(checks_of(subject, Trial()), ["turn_detector"])
    row = await judge(check)
    assert (row.check, row.verdict) == (f"{Capability.TURN_DETECTOR}/contract", Verdict.PASSED)
