"""Turn detectors, as a session asks them: all at once, and all must agree."""

import logging

import attrs
import trio

from capabilities import ProviderError, Said, TurnDetector, TurnQuestion, TurnVerdict
from waav.errors import WaavError
from waav.plugins import Guarded
from waav.session.memory import Memory

log = logging.getLogger(__name__)


@attrs.frozen
class Judge:
    """The detectors of a session, and what they are told beside the words."""

    detectors: tuple[Guarded[TurnDetector], ...]
    language: str | None = None
    threshold: float | None = None
    """Instead of the detectors' own."""
    memory: Memory | None = None
    """Of the user's sound, for detectors that listen."""

    async def judge(self, text: str, said: tuple[Said, ...]) -> TurnVerdict | None:
        """Return the verdict of the detector that is least sure; None if one of them failed."""
        sound = await self.memory.recall() if self.memory else None
        question = TurnQuestion(text, said, self.language, sound, self.threshold)
        verdicts: list[TurnVerdict | None] = []

        async def ask(detector: Guarded[TurnDetector]) -> None:
            try:
                verdicts.append(await detector.run(_judge, question))
            except (ProviderError, WaavError) as exc:
                log.warning("turn detector %s: %s", detector.id, exc)
                verdicts.append(None)

        async with trio.open_nursery() as nursery:
            for detector in self.detectors:
                nursery.start_soon(ask, detector, name="session/turns/judge")
        known = [verdict for verdict in verdicts if verdict is not None]
        if len(known) < len(verdicts) or not known:
            return None
        return min(known, key=lambda verdict: verdict.probability - verdict.threshold)


async def _judge(detector: TurnDetector, question: TurnQuestion) -> TurnVerdict:
    verdict = await detector.judge(question)
    if not isinstance(verdict, TurnVerdict):  # a stranger's plugin may give anything
        raise TypeError(f"a detector gave a {type(verdict).__name__}")
    return verdict
