"""The contract of :class:`capabilities.VAD`, as a function that tries all of it."""

from collections.abc import Iterable
from functools import partial

import attrs

from capabilities import (
    VAD,
    Ability,
    AudioFrame,
    SpeechStarted,
    SpeechStopped,
    VADOptions,
    VoiceActivity,
)
from waav.tasks import open_scoped_nursery
from waav.testing.audio import cut, question, silence
from waav.testing.contract import (
    PATIENCE,
    cancel_everywhere,
    check_limit,
    check_refused,
    promise,
    whole_check,
    within,
)
from waav.testing.talk import push

_STEP = 0.02
"""Seconds of one frame."""
_SHORT = 0.2
"""Seconds of sound sent where the events do not matter."""


async def check_vad(
    vad: VAD,
    ability: Ability | None = None,
    *,
    options: VADOptions = VADOptions(),  # noqa: B008 - frozen
    sound: AudioFrame | None = None,
    refused: Iterable[VADOptions] = (),
    cancels: int = 60,
    budget: float = 60.0,
) -> None:
    """Raise AssertionError at the first promise of :class:`VAD` that is not kept.

    Args:
        vad: the implementer; it must be free, as its limit is tried too.
        ability: what its manifest says of it.
        options: how to watch; ``format`` must be that of ``sound``.
        sound: what is sent, with a second of silence after it;
            :func:`~waav.testing.audio.question` if None.
        refused: options that must not be accepted.
        cancels: the most runs that are cancelled, each at another await.
        budget: seconds for all of it.
    """
    sound = sound or question()
    padded = attrs.evolve(sound, data=sound.data + silence(1.0, sound.format).data)
    check = _Check(vad, options, padded)
    limits = (ability or Ability()).limits
    async with whole_check(budget):
        await check.activity()
        async with (
            within(PATIENCE, "leaving early"),
            vad.watch(options) as stream,
        ):
            await stream.send(check.short())
        for each in refused:
            await check_refused(partial(vad.watch, each), f"watch with {each}")
        await cancel_everywhere(check.short_watch, "a watch", most=cancels)
        # Last, so that a place lost by a cancellation shows.
        await check_limit(lambda: vad.watch(options), limits.concurrency, "stream")


@attrs.frozen
class _Check:
    vad: VAD
    options: VADOptions
    sound: AudioFrame

    async def activity(self) -> None:
        """Starts and stops come in turn, in order of time, within the sound; then the end."""
        last = 0.0
        for index, event in enumerate(await self._watched(self.sound)):
            expected = SpeechStopped if index % 2 else SpeechStarted
            promise(
                isinstance(event, expected),
                f"a start comes first, and then stops and starts in turn: {event} is number {index}",
            )
            promise(
                last <= event.at <= self.sound.duration,
                f"times go on, and stay within the sound: {event} after {last} s",
            )
            last = event.at

    async def short_watch(self) -> None:
        """Send a little sound and watch to the end."""
        await self._watched(self.short())

    def short(self) -> AudioFrame:
        """Return a little of the sound."""
        return attrs.evolve(self.sound, data=self.sound.data[: self.sound.format.size(_SHORT)])

    async def _watched(self, sound: AudioFrame) -> list[VoiceActivity]:
        async with (
            self.vad.watch(self.options) as stream,
            open_scoped_nursery("the watch has ended") as nursery,
        ):
            frames = cut(sound, sound.format.size(_STEP))
            nursery.start_soon(push, stream, frames, name="testing/push")
            return [event async for event in stream]
