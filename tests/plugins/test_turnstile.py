"""A provider's places: counted for each capability and each key, and never under a key's name."""

from contextlib import nullcontext

import pytest

from capabilities import AudioFormat, Capability, Secret, SpeechRequest, STTOptions
from waav.errors import LimitReached
from waav.plugins.turnstile import Turnstile
from waav.security.limits import Capacities, Counts, LocalLimiter

OURS = STTOptions()
THEIRS = STTOptions(api_key=Secret("a key of their own"))


@pytest.fixture
def limiter() -> LocalLimiter:
    return LocalLimiter(Counts(Capacities(credentials={"acme": 1})))


async def test_our_key_has_as_many_places_as_the_operator_says(limiter: LocalLimiter) -> None:
    way = Turnstile.of(limiter, "acme", Capability.STT)
    for _ in range(2):
        async with way.slot(OURS):
            with pytest.raises(LimitReached) as caught:
                async with way.slot(OURS):
                    pytest.fail("there was no place")
    assert caught.value.code == "provider_limit"


async def test_a_clients_own_key_has_places_of_its_own(limiter: LocalLimiter) -> None:
    """The vendor counts by key, so one client's haste takes no place from another's account."""
    way = Turnstile.of(limiter, "acme", Capability.STT)
    several = STTOptions(auth={"token": Secret("a key of their own")})
    async with way.slot(OURS), way.slot(THEIRS), way.slot(several):
        with pytest.raises(LimitReached):
            async with way.slot(STTOptions(api_key=Secret("a key of their own"))):
                pytest.fail("there was no place")


async def test_hearing_takes_no_place_from_speaking(limiter: LocalLimiter) -> None:
    """Or a session would take its own voice away."""
    hearing = Turnstile.of(limiter, "acme", Capability.STT)
    speaking = Turnstile.of(limiter, "acme", Capability.TTS)
    async with hearing.slot(OURS), speaking.slot(SpeechRequest("", format=AudioFormat())):
        pass


async def test_without_a_limit_nobody_is_counted(limiter: LocalLimiter) -> None:
    for way in (Turnstile(), Turnstile.of(limiter, None, Capability.STT)):
        async with way.slot(OURS), way.slot(OURS):
            assert limiter.counts.snapshot()["credential"].held == 0


async def test_what_is_counted_by_holds_no_key() -> None:
    seen: list[str] = []

    class Notes:
        def slot(self, keys: list[tuple[str, str]]) -> nullcontext[None]:
            seen.extend(whose for _, whose in keys)
            return nullcontext()

    way = Turnstile.of(Notes(), "acme", Capability.STT)  # type: ignore[arg-type]
    async with way.slot(OURS), way.slot(THEIRS):
        pass
    assert THEIRS.api_key is not None
    assert seen == ["acme.stt:operator", f"acme.stt:api_key={THEIRS.api_key.fingerprint}"]
