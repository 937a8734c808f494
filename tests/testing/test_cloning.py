"""The suite of voice cloning finds each kind of bad implementer."""

from collections.abc import Callable
from functools import partial

import attrs
import pytest
import trio

from capabilities import (
    Ability,
    ClonedVoice,
    CloneLimits,
    CloneRequest,
    CloneStatus,
    ProviderRefused,
    ProviderUnavailable,
    Secret,
)
from waav.testing import FakeCloning, check_cloning, check_plugin, manifest_of

ABILITY = Ability(cloning=CloneLimits(samples=3))


class Nameless(FakeCloning):
    async def clone(self, request: CloneRequest) -> ClonedVoice:
        return attrs.evolve(await super().clone(request), name="")


class WithoutIds(FakeCloning):
    async def clone(self, request: CloneRequest) -> ClonedVoice:
        return attrs.evolve(await super().clone(request), id="")

    async def delete(self, voice_id: str, api_key: Secret | None = None) -> None:
        del voice_id, api_key
        await trio.lowlevel.checkpoint()


class Mistaken(FakeCloning):
    async def voice(self, voice_id: str, api_key: Secret | None = None) -> ClonedVoice:
        return attrs.evolve(await super().voice(voice_id, api_key), id="another")


class GivesAway(FakeCloning):
    async def voice(self, voice_id: str, api_key: Secret | None = None) -> ClonedVoice:
        return attrs.evolve(await super().voice(voice_id, api_key), owner="somebody-else")


class Keeps(FakeCloning):
    async def delete(self, voice_id: str, api_key: Secret | None = None) -> None:
        await self.voice(voice_id, api_key)


class Silent(FakeCloning):
    async def delete(self, voice_id: str, api_key: Secret | None = None) -> None:
        del api_key
        await trio.lowlevel.checkpoint()
        self.voices.pop(voice_id, None)


class WithoutStatus(FakeCloning):
    async def voice(self, voice_id: str, api_key: Secret | None = None) -> ClonedVoice:
        try:
            return await super().voice(voice_id, api_key)
        except ProviderRefused:
            raise ProviderRefused("fake", "no such voice") from None


class Raises(FakeCloning):
    async def voice(self, voice_id: str, api_key: Secret | None = None) -> ClonedVoice:
        del api_key
        await trio.lowlevel.checkpoint()
        return self.voices[voice_id]


class Lingers(FakeCloning):
    async def voice(self, voice_id: str, api_key: Secret | None = None) -> ClonedVoice:
        try:
            return await super().voice(voice_id, api_key)
        except trio.Cancelled:
            with trio.CancelScope(shield=True):
                await trio.sleep(10)
            raise


CASES: dict[str, tuple[Callable[[], FakeCloning], str]] = {
    "no-id": (WithoutIds, "has an id"),
    "no-name": (Nameless, "has the name that was wanted"),
    "failed": (partial(FakeCloning, status=CloneStatus.FAILED), "cannot be made is an error"),
    "mistaken": (Mistaken, "is found as 'another'"),
    "gives-away": (GivesAway, "is its owner's, or says of none"),
    "keeps": (Keeps, "that was removed must raise ProviderRefused, but works"),
    "silent": (Silent, "removing a voice that never was must raise ProviderRefused, but works"),
    "no-status": (WithoutStatus, "has the status 404, not None"),
    "raises": (Raises, "must raise ProviderRefused, not KeyError"),
    "lingers": (Lingers, "does not end within"),
    "slow": (partial(FakeCloning, delay=1000), "takes more than 500 s"),
    "broken": (
        partial(FakeCloning, error=ProviderUnavailable("fake", "no network")),
        "there is no reason for",
    ),
}


@pytest.mark.parametrize(("make", "message"), CASES.values(), ids=CASES)
async def test_a_defect_is_found(
    make: Callable[[], FakeCloning], message: str, autojump_clock: trio.testing.MockClock
) -> None:
    with pytest.raises(AssertionError, match=message):
        await check_cloning(make(), ABILITY, budget=500)


async def test_what_is_made_is_removed_whatever_comes() -> None:
    cloning = Mistaken()
    with pytest.raises(AssertionError, match="another"):
        await check_cloning(cloning, ABILITY)
    assert len(cloning.requests) == 1
    assert cloning.voices == {}


@pytest.mark.parametrize(
    ("limits", "recordings"),
    [(CloneLimits(samples=1), 1), (CloneLimits(needs_description=True), 0)],
    ids=["recordings", "description"],
)
async def test_the_wish_fits_what_the_manifest_says(limits: CloneLimits, recordings: int) -> None:
    cloning = FakeCloning(limits)
    await check_cloning(cloning, Ability(cloning=limits))
    assert [len(each.samples) for each in cloning.requests] == [recordings]


async def test_a_plugin_with_the_capability_is_checked() -> None:
    await check_plugin(manifest_of(cloning=FakeCloning()))
    with pytest.raises(AssertionError, match="but works"):
        await check_plugin(manifest_of(cloning=Keeps()))
