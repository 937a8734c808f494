"""The contract of :class:`capabilities.STT`, as a function that tries all of it."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial

import attrs

from capabilities import (
    STT,
    Ability,
    AudioFrame,
    Final,
    Interim,
    ProviderClosed,
    ProviderError,
    SpeechFinal,
    STTOptions,
    STTStream,
    Transcript,
)
from waav.tasks import open_scoped_nursery
from waav.testing.audio import cut, question
from waav.testing.contract import (
    PATIENCE,
    cancel_everywhere,
    check_limit,
    check_refused,
    promise,
    within,
)

_STEP = 0.02
"""Seconds of one frame."""
_SHORT = 0.2
"""Seconds of sound sent where the words do not matter."""
_ODD = 331
"""Samples of a frame that fits nobody's frames."""


async def check_stt(
    stt: STT,
    ability: Ability | None = None,
    *,
    options: STTOptions = STTOptions(),  # noqa: B008 - frozen
    sound: AudioFrame | None = None,
    text: str | None = None,
    refused: Iterable[STTOptions] = (),
    hang_up: Callable[[STTStream], None] | None = None,
    cancels: int = 60,
    budget: float = 60.0,
) -> None:
    """Raise AssertionError at the first promise of :class:`STT` that is not kept.

    Args:
        stt: the implementer; it must be free, as its limit is tried too.
        ability: what its manifest says of it.
        options: how to listen; ``format`` must be that of ``sound``.
        sound: what is sent; :func:`~waav.testing.audio.question` if None.
        text: the words that must be recognised in it, if they are known.
        refused: options that must not be accepted.
        hang_up: makes the far side of a stream hang up.
        cancels: the most runs that are cancelled, each at another await.
        budget: seconds for all of it.
    """
    check = _Check(stt, ability or Ability(), options, sound or question())
    async with within(budget, "the whole check"):
        await check.conversation(text)
        await check.silence_and_leaving()
        for each in refused:
            await check_refused(partial(stt.connect, each), f"connect with {each}")
        await check_limit(lambda: stt.connect(options), check.ability.limits.concurrency, "stream")
        if hang_up is not None:
            await check.far_end(hang_up)
        await cancel_everywhere(check.short_conversation, "a recognition", most=cancels)


@attrs.frozen
class _Check:
    stt: STT
    ability: Ability
    options: STTOptions
    sound: AudioFrame

    async def conversation(self, text: str | None) -> None:
        """All is sent, all is heard, the end comes; with any size of frame; with finals only."""
        audio = self.sound.format
        frames = list(cut(self.sound, audio.size(_STEP)))
        said = await self._said(self.options, frames)
        for transcript in said:
            _check_transcript(transcript, self.sound.duration)
        promise(text is None or _words(said) == text, f"heard {_words(said)!r}, not {text!r}")
        odd = list(cut(self.sound, _ODD * audio.sample_bytes))
        finals = await self._said(attrs.evolve(self.options, interim_results=False), odd)
        promise(
            not any(isinstance(each, Interim) for each in finals),
            "without interim_results there must be no Interim",
        )
        promise(
            text is None or _words(finals) == text,
            f"frames of {_ODD} samples make {_words(finals)!r} of {text!r}",
        )

    async def silence_and_leaving(self) -> None:
        """Nothing sent means nothing said, but an end; leaving early is quick."""
        said = await self._said(self.options, [])
        promise(not _words(said), f"heard {_words(said)!r} where nothing was sent")
        async with (
            within(PATIENCE, "leaving a recognition early"),
            self.stt.connect(self.options) as stream,
        ):
            await stream.send(self._short()[0])

    async def far_end(self, hang_up: Callable[[STTStream], None]) -> None:
        """After the far side hung up, sending and iterating say so."""
        async with self.stt.connect(self.options) as stream:
            hang_up(stream)
            await _expect_closed("iterating", self._hear, stream)
            await _expect_closed("sending", stream.send, self._short()[0])

    async def short_conversation(self) -> None:
        """Send a little sound and hear to the end."""
        await self._said(self.options, self._short())

    def _short(self) -> list[AudioFrame]:
        audio = self.sound.format
        short = attrs.evolve(self.sound, data=self.sound.data[: audio.size(_SHORT)])
        return list(cut(short, audio.size(_STEP)))

    async def _said(self, options: STTOptions, frames: Sequence[AudioFrame]) -> list[Transcript]:
        async with (
            self.stt.connect(options) as stream,
            open_scoped_nursery("the recognition has ended") as nursery,
        ):
            nursery.start_soon(_send, stream, frames, name="check/send")
            return await self._hear(stream)

    async def _hear(self, stream: STTStream) -> list[Transcript]:
        return [transcript async for transcript in stream]


async def _send(stream: STTStream, frames: Sequence[AudioFrame]) -> None:
    for frame in frames:
        await stream.send(frame)
    await stream.finish()


async def _expect_closed(what: str, do: Callable[..., Awaitable[object]], *args: object) -> None:
    """Raise AssertionError unless ProviderClosed comes, at once or as soon as it is noticed."""
    try:
        async with within(PATIENCE, f"{what} after the far side hung up"):
            await do(*args)
    except ProviderClosed:
        return
    except ProviderError as error:
        raise AssertionError(f"{what} must raise ProviderClosed, not {error!r}") from error
    raise AssertionError(f"{what} goes on as if the far side had not hung up")


def _check_transcript(transcript: Transcript, duration: float) -> None:
    if isinstance(transcript, SpeechFinal):
        return
    promise(isinstance(transcript, Interim | Final), f"{transcript!r} is no transcript")
    promise(0 <= transcript.confidence <= 1, f"a confidence is 0 to 1: {transcript}")
    last = 0.0
    for word in transcript.words:
        kept = last <= word.start + 1e-6 and word.start <= word.end <= duration + 1.0
        promise(kept, f"times go on, and stay within the sound: {word} after {last} s")
        promise(word.confidence is None or 0 <= word.confidence <= 1, f"0 to 1: {word}")
        last = word.start


def _words(said: Iterable[Transcript]) -> str:
    return " ".join(each.text.strip() for each in said if isinstance(each, Final)).strip()
