"""The contract of :class:`capabilities.STT`, as a function that tries all of it."""

from collections.abc import Awaitable, Callable, Iterable
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
    SpeechBegun,
    SpeechFinal,
    STTOptions,
    STTStream,
    Transcript,
)
from waav.testing.audio import question
from waav.testing.contract import (
    PATIENCE,
    cancel_everywhere,
    check_limit,
    check_refused,
    promise,
    whole_check,
    within,
)
from waav.testing.talk import hear

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
    async with whole_check(budget):
        await check.conversation(text)
        await check.silence_and_leaving()
        for each in refused:
            await check_refused(partial(stt.connect, each), f"connect with {each}")
        if hang_up is not None:
            await check.far_end(hang_up)
        await cancel_everywhere(check.short_conversation, "a recognition", most=cancels)
        # Last, so that a place lost by a cancellation shows.
        await check_limit(lambda: stt.connect(options), check.ability.limits.concurrency, "stream")


@attrs.frozen
class _Check:
    stt: STT
    ability: Ability
    options: STTOptions
    sound: AudioFrame

    async def conversation(self, text: str | None) -> None:
        """All is sent, all is heard, the end comes; with any size of frame; with finals only."""
        said = await hear(self.stt, self.sound, self.options)
        for transcript in said:
            _check_transcript(transcript, self.sound.duration)
        promise(text is None or _words(said) == text, f"heard {_words(said)!r}, not {text!r}")
        finals = await hear(
            self.stt,
            self.sound,
            attrs.evolve(self.options, interim_results=False),
            step=_ODD / self.sound.format.sample_rate,
        )
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
        said = await hear(self.stt, attrs.evolve(self.sound, data=b""), self.options)
        promise(not _words(said), f"heard {_words(said)!r} where nothing was sent")
        async with (
            within(PATIENCE, "leaving a recognition early"),
            self.stt.connect(self.options) as stream,
        ):
            await stream.send(self._short())

    async def far_end(self, hang_up: Callable[[STTStream], None]) -> None:
        """After the far side hung up, sending and iterating say so."""
        async with self.stt.connect(self.options) as stream:
            hang_up(stream)
            await _expect_closed("iterating", _read, stream)
            await _expect_closed("sending", stream.send, self._short())

    async def short_conversation(self) -> None:
        """Send a little sound and hear to the end."""
        await hear(self.stt, self._short(), self.options)

    def _short(self) -> AudioFrame:
        return attrs.evolve(self.sound, data=self.sound.data[: self.sound.format.size(_SHORT)])


async def _read(stream: STTStream) -> None:
    async for _ in stream:
        pass


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
    if isinstance(transcript, SpeechBegun):
        within_it = transcript.at is None or 0 <= transcript.at <= duration + 1.0
        promise(within_it, f"who begins to speak does so within the sound: {transcript}")
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
