"""The contract of :class:`capabilities.VoiceCloning`: a function that tries it, and a fake that keeps it."""

from collections.abc import Awaitable

import attrs
import trio

from capabilities import (
    Ability,
    ClonedVoice,
    CloneLimits,
    CloneRequest,
    CloneStatus,
    ProviderError,
    ProviderRefused,
    Secret,
    VoiceCloning,
    VoiceSample,
)
from waav.audio.wav import wav_header
from waav.testing.audio import question
from waav.testing.contract import cancel_everywhere, promise, whole_check

NAME = "fake"
_NOBODY = "nobody-goes-by-this-id"
_NOT_FOUND = 404


@attrs.define(eq=False)
class FakeCloning:
    """A provider at which every voice can be made that its limits allow, and is ready at once."""

    limits: CloneLimits = CloneLimits(samples=3)
    error: ProviderError | None = None
    """Raised by everything."""
    delay: float = 0.0
    """Seconds that making a voice takes."""
    status: CloneStatus = CloneStatus.READY
    requests: list[CloneRequest] = attrs.field(factory=list, init=False)
    """All voices that were asked for, the newest last."""
    keys: list[Secret | None] = attrs.field(factory=list, init=False)
    """With which key each call came."""
    voices: dict[str, ClonedVoice] = attrs.field(factory=dict, init=False)
    """Those that were made and not removed."""

    async def clone(self, request: CloneRequest) -> ClonedVoice:
        """Make a voice."""
        await self._called(request.api_key)
        self.requests.append(request)
        await trio.sleep(self.delay)
        name = f"voice-{len(self.requests)}"
        self.voices[name] = ClonedVoice(
            id=name,
            name=request.name,
            status=self.status,
            metadata=request.labels,
            owner=request.owner,
        )
        return self.voices[name]

    async def voice(self, voice_id: str, api_key: Secret | None = None) -> ClonedVoice:
        """Look after a voice."""
        await self._called(api_key)
        if voice_id not in self.voices:
            raise ProviderRefused(NAME, "no such voice", status=_NOT_FOUND)
        return self.voices[voice_id]

    async def delete(self, voice_id: str, api_key: Secret | None = None) -> None:
        """Remove a voice for good."""
        await self.voice(voice_id, api_key)
        del self.voices[voice_id]

    async def _called(self, api_key: Secret | None) -> None:
        await trio.lowlevel.checkpoint()
        self.keys.append(api_key)
        if self.error is not None:
            raise self.error


async def check_cloning(
    cloning: VoiceCloning,
    ability: Ability,
    *,
    request: CloneRequest | None = None,
    cancels: int = 60,
    budget: float = 60.0,
) -> None:
    """Raise AssertionError at the first promise of :class:`VoiceCloning` that is not kept.

    One voice is made, and removed again. At a vendor that costs money.

    Args:
        cloning: the implementer.
        ability: what its manifest says of it.
        request: the voice to make; one that fits the ability if None.
        cancels: the most runs of looking after a voice that are cancelled, each at another await.
        budget: seconds for all of it.
    """
    wanted = request or _wish(ability.cloning)
    async with whole_check(budget):
        made = await cloning.clone(wanted)
        try:
            await _check_made(cloning, made, wanted)
            await cancel_everywhere(
                lambda: _look(cloning, made.id), "looking after a voice", most=cancels
            )
        finally:
            await cloning.delete(made.id)
        await _check_unknown(cloning.voice(made.id), "looking after a voice that was removed")
        await _check_unknown(cloning.voice(_NOBODY), "looking after a voice that never was")
        await _check_unknown(cloning.delete(_NOBODY), "removing a voice that never was")


def _wish(limits: CloneLimits) -> CloneRequest:
    spoken = question()
    file = wav_header(spoken.format, len(spoken.data)) + spoken.data
    samples = (VoiceSample(file, "audio/wav"),) if limits.samples else ()
    return CloneRequest(
        name="Contract check",
        description="A calm and friendly voice, neither young nor old.",
        samples=samples,
        labels={"purpose": "check"},
        owner="contract-check",
    )


async def _check_made(cloning: VoiceCloning, made: ClonedVoice, wanted: CloneRequest) -> None:
    promise(made.id, "a voice that was made has an id")
    promise(made.name == wanted.name, f"a voice has the name that was wanted, not {made.name!r}")
    promise(made.status != CloneStatus.FAILED, "a voice that cannot be made is an error")
    found = await cloning.voice(made.id)
    promise(found.id == made.id, f"the voice {made.id!r} is found as {found.id!r}")
    promise(found.owner in {"", wanted.owner}, "a voice is its owner's, or says of none")


async def _look(cloning: VoiceCloning, voice_id: str) -> None:
    await cloning.voice(voice_id)


async def _check_unknown(call: Awaitable[object], what: str) -> None:
    try:
        await call
    except ProviderRefused as error:
        promise(error.status == _NOT_FOUND, f"{what} has the status 404, not {error.status}")
        return
    except Exception as error:
        raise AssertionError(f"{what} must raise ProviderRefused, not {error!r}") from error
    raise AssertionError(f"{what} must raise ProviderRefused, but works")
