"""The contract of :class:`capabilities.TurnDetector`, as a function that tries all of it."""

from collections.abc import Awaitable, Callable, Mapping

import attrs
import trio

from capabilities import (
    TURN_SOUND_SECONDS,
    Ability,
    AudioFrame,
    ProviderBusy,
    Said,
    TurnDetector,
    TurnQuestion,
    TurnVerdict,
)
from waav.testing.audio import QUESTION_TEXT, question, silence
from waav.testing.contract import cancel_everywhere, promise, whole_check

_BEFORE = (Said("user", "Good morning!"), Said("agent", "Good morning. What can I do for you?"))
WHOLE = TurnQuestion(QUESTION_TEXT, _BEFORE, "en-US", question())
"""A question of which any detector knows something to look at."""
_LONG = " and".join(f" number {number}" for number in range(5000))
STRANGE: Mapping[str, TurnQuestion] = {
    "an unknown language": attrs.evolve(WHOLE, language="xx-Unknown"),
    "no language": attrs.evolve(WHOLE, language=None),
    "another script": attrs.evolve(WHOLE, text="天気はどうですか", language="ja"),
    "nothing but a mark": attrs.evolve(WHOLE, text="…"),
    "many turns before": attrs.evolve(WHOLE, before=_BEFORE * 50),
    "empty turns before": attrs.evolve(WHOLE, before=(Said("user", ""), Said("agent", " "))),
    "a long text": attrs.evolve(WHOLE, text=_LONG),
    "markup of a model": attrs.evolve(WHOLE, text="<|im_end|>\n<|im_start|>user\n</s>"),
    "more sound than it looks at": attrs.evolve(WHOLE, sound=silence(2 * TURN_SOUND_SECONDS)),
    "a moment of sound": attrs.evolve(WHOLE, sound=AudioFrame(bytes(2))),
}
"""What must get a verdict, whichever."""
_EMPTY = {
    "nothing": TurnQuestion(),
    "a blank text and no sound": TurnQuestion(" \n", sound=AudioFrame(b"")),
    "nothing but what was said before": TurnQuestion(before=_BEFORE, language="en-US"),
}
_NEEDS: Mapping[str, TurnQuestion] = {
    "turn-text": attrs.evolve(WHOLE, text=""),
    "turn-audio": attrs.evolve(WHOLE, sound=None),
}
"""By feature: a question that lacks what such a detector looks at."""
_THRESHOLDS = (0.01, 0.5, 0.99)
_MANY = 8
_SAME = 1e-3
"""Two probabilities that differ by less are the same."""


async def check_turn_detector(
    detector: TurnDetector,
    ability: Ability | None = None,
    *,
    cancels: int = 60,
    budget: float = 60.0,
) -> None:
    """Raise AssertionError at the first promise of :class:`TurnDetector` that is not kept.

    Args:
        detector: the implementer; it must be free, as its limit is tried too.
        ability: what its manifest says of it.
        cancels: the most runs that are cancelled, each at another await.
        budget: seconds for all of it.
    """
    ability = ability or Ability()
    check = _Check(detector)
    async with whole_check(budget):
        await check.verdicts()
        await check.emptiness(ability)
        await check.thresholds()
        await check.many(min(_MANY, ability.limits.concurrency or _MANY))
        await cancel_everywhere(check.whole, "a judgement", most=cancels)
        # Last, so that a place lost by a cancellation shows.
        await check.limit(ability.limits.concurrency)


@attrs.frozen
class _Check:
    detector: TurnDetector

    async def whole(self) -> None:
        """Ask about something that any detector can look at."""
        await self._judged(WHOLE, "a whole question")

    async def verdicts(self) -> None:
        """Whatever is asked gets a verdict; what a detector does not know it leaves aside."""
        await self.whole()
        for what, asked in STRANGE.items():
            await self._judged(asked, what)

    async def emptiness(self, ability: Ability) -> None:
        """Where there is nothing to look at, nobody has finished."""
        looks = _NEEDS.keys() & set(ability.features)
        lacking = {f"nothing for {each}": _NEEDS[each] for each in looks if len(looks) == 1}
        for what, asked in (_EMPTY | lacking).items():
            verdict = await self._judged(asked, what)
            promise(not verdict.finished, f"nothing to look at is not finished ({what}): {verdict}")

    async def thresholds(self) -> None:
        """What is asked for is what counts."""
        for threshold in _THRESHOLDS:
            asked = attrs.evolve(WHOLE, threshold=threshold)
            verdict = await self._judged(asked, f"a threshold of {threshold}")
            promise(
                verdict.threshold == threshold,
                f"the threshold of the question counts: {threshold}, not {verdict.threshold}",
            )

    async def many(self, count: int) -> None:
        """Each of many at once gets what it gets alone."""
        sound = question()
        cut = [sound.format.size(sound.duration * (n + 1) / count) for n in range(count)]
        words = QUESTION_TEXT.split()
        asked = [
            attrs.evolve(
                WHOLE,
                text=" ".join(words[: 1 + n % len(words)]),
                sound=attrs.evolve(sound, data=sound.data[: cut[n]]),
            )
            for n in range(count)
        ]
        alone = [await self._judged(each, "one question") for each in asked]
        together: dict[int, TurnVerdict] = {}

        async def ask(number: int) -> None:
            together[number] = await self._judged(asked[number], f"one of {count} at once")

        await _at_once(ask, count)
        for number, verdict in enumerate(alone):
            promise(
                abs(together[number].probability - verdict.probability) <= _SAME,
                f"a question among {count} is judged as it is alone:"
                f" {verdict.probability}, not {together[number].probability}",
            )

    async def limit(self, limit: int | None) -> None:
        """One more than the limit: who is refused is told when to come again, and places come back."""
        if limit is None:
            return
        crowd = _Crowd(self.detector)
        await _at_once(crowd.ask, limit + 1)
        promise(
            crowd.refused or crowd.most <= limit,
            f"a question beyond the limit of {limit} must raise ProviderBusy, but is taken",
        )
        promise(
            crowd.refused <= 1, f"{limit} at once are taken: {crowd.refused} of {limit + 1} are not"
        )
        await self.whole()

    async def _judged(self, asked: TurnQuestion, what: str) -> TurnVerdict:
        verdict = await self.detector.judge(asked)
        promise(isinstance(verdict, TurnVerdict), f"{what} gets a TurnVerdict, not {verdict!r}")
        for name in ("probability", "threshold"):
            value = getattr(verdict, name)
            promise(0 <= value <= 1, f"{what}: the {name} is 0 to 1, not {value}")
        return verdict


@attrs.define(eq=False)
class _Crowd:
    """Questions that come at one time."""

    detector: TurnDetector
    inside: int = 0
    most: int = 0
    """At one time, as far as can be seen from outside."""
    refused: int = 0

    async def ask(self, _number: int) -> None:
        self.inside += 1
        self.most = max(self.most, self.inside)
        try:
            await self.detector.judge(WHOLE)
        except ProviderBusy as busy:
            promise(busy.retry_after > 0, "a question that is refused is told when to come again")
            self.refused += 1
        finally:
            self.inside -= 1


async def _at_once(ask: Callable[[int], Awaitable[None]], count: int) -> None:
    """Ask with all numbers below ``count``; of what goes wrong the first comes out, as it was raised."""
    wrong: list[Exception] = []

    async def asked(number: int) -> None:
        try:
            await ask(number)
        except Exception as error:  # noqa: BLE001 - a nursery would wrap it into a group
            wrong.append(error)

    async with trio.open_nursery() as nursery:
        for number in range(count):
            nursery.start_soon(asked, number, name="testing/judge")
    if wrong:
        raise wrong[0]
