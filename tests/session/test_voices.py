"""Lists of voices are kept by provider and key, and no longer than they are true."""

from collections.abc import AsyncIterator, Sequence

import attrs
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from capabilities import (
    ClonedVoice,
    CloneLimits,
    CloneRequest,
    Principal,
    ProviderRefused,
    ProviderUnavailable,
    Secret,
    Voice,
)
from waav.errors import Forbidden
from waav.plugins import Discovery, open_plugins
from waav.security.tenancy import Scope, Tenancy
from waav.session.voices import (
    ANSWER_TIMEOUT,
    CLONE_TIMEOUT,
    EVERYTHING,
    LIFETIME,
    MOST_LISTS,
    Voices,
)
from waav.testing import FakeCloning, FakeTTS, manifest_of

TENANTS = Tenancy(required=True, closed=True)
ACME, UMBRELLA = TENANTS.scope(Principal("acme")), TENANTS.scope(Principal("umbrella"))
DESIGN = CloneRequest(name="New", description="calm")


class Speaker(FakeTTS):
    """Remembers with which keys its list was asked for, and may wait before it gives it."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: list[Secret | None] = []
        self.may_tell = trio.Event()
        self.may_tell.set()

    async def voices(self, _api_key: Secret | None = None) -> Sequence[Voice]:
        self.keys.append(_api_key)
        await self.may_tell.wait()
        return await super().voices()


class Slow(FakeCloning):
    """Never answers."""

    async def _called(self, api_key: Secret | None) -> None:
        del api_key
        await trio.sleep_forever()


@pytest.fixture
def speaker() -> Speaker:
    return Speaker()


@pytest.fixture
async def voices(speaker: Speaker) -> AsyncIterator[Voices]:
    limits = CloneLimits(needs_description=True)
    manifests = (
        manifest_of("one", tts=speaker, cloning=FakeCloning(limits)),
        manifest_of("slow", cloning=Slow(limits)),
        manifest_of("other", tts=FakeTTS()),
    )
    async with open_plugins(Discovery.of(*manifests)) as plugins:
        yield Voices(plugins)


async def test_each_key_has_a_list_of_its_own(voices: Voices, speaker: Speaker) -> None:
    keys = [None, Secret("a"), Secret("b")]
    for key in [*keys, *keys, Secret("")]:
        await voices.of("one", key)
    assert speaker.keys == keys


async def test_no_key_is_kept(voices: Voices) -> None:
    await voices.of("one", Secret("made-up-key"))
    assert Secret("made-up-key") not in {each for whose in voices._lists for each in whose}
    assert "made-up-key" not in repr(voices._lists)


async def test_the_number_of_lists_is_bounded(voices: Voices, speaker: Speaker) -> None:
    """Whoever invents keys pushes out lists, and no more."""
    for number in range(MOST_LISTS + 1):
        await voices.of("one", Secret(f"{number}"))
    assert len(voices._lists) == MOST_LISTS
    await voices.of("one", Secret("1"))
    assert len(speaker.keys) == MOST_LISTS + 1
    await voices.of("one", Secret("0"))
    assert len(speaker.keys) == MOST_LISTS + 2


async def test_a_list_that_is_asked_for_often_grows_old_all_the_same(
    voices: Voices, speaker: Speaker, autojump_clock: MockClock
) -> None:
    for _ in range(3):
        await voices.of("one")
        await trio.sleep(LIFETIME * 0.6)
    assert len(speaker.keys) == 2


async def test_a_change_makes_all_lists_of_its_provider_untrue(
    voices: Voices, speaker: Speaker
) -> None:
    for key in (None, Secret("a")):
        await voices.of("one", key)
    await voices.of("other")
    made = await voices.clone("one", DESIGN)
    assert {provider for provider, _ in voices._lists} == {"other"}
    await voices.of("one")
    await voices.delete("one", made.id, None)
    await voices.of("one")
    assert len(speaker.keys) == 4


async def test_a_list_from_before_a_change_is_not_kept(voices: Voices, speaker: Speaker) -> None:
    """It was asked for before the voice was made, and came afterwards."""
    speaker.may_tell = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(voices.of, "one")
        await wait_all_tasks_blocked()
        await voices.clone("one", DESIGN)
        speaker.may_tell.set()
    assert voices._lists == {}


async def test_a_voice_that_is_not_there(voices: Voices) -> None:
    for call in (voices.look_up, voices.delete):
        with pytest.raises(ProviderRefused) as caught:
            await call("one", "nobody", None)
        assert caught.value.status == 404


@attrs.define(eq=False)
class Account(FakeTTS):
    """One account at a vendor: what was made there is listed, beside what the operator has."""

    made: FakeCloning = attrs.Factory(FakeCloning)

    async def voices(self, _api_key: Secret | None = None) -> Sequence[Voice]:
        known = self.made.voices.values()
        return [Voice(each.id, each.name, "en", owner=each.owner) for each in known]


@pytest.fixture
async def shared() -> AsyncIterator[Voices]:
    made = FakeCloning(CloneLimits(needs_description=True))
    made.voices["brand"] = ClonedVoice(id="brand", name="Brand")
    manifests = (manifest_of("one", tts=Account(made=made), cloning=made),)
    async with open_plugins(Discovery.of(*manifests)) as plugins:
        yield Voices(plugins)


async def listed(voices: Voices, scope: Scope, key: Secret | None = None) -> list[str]:
    known, _ = await voices.all(scope)
    if key is None:
        assert list(known["one"]) == list(await voices.of("one", scope=scope))
    return [each.id for each in await voices.of("one", key, scope)]


async def test_who_shares_a_key_sees_their_own_voices_and_those_of_nobody(shared: Voices) -> None:
    mine = await shared.clone("one", DESIGN, ACME)
    theirs = await shared.clone("one", DESIGN, UMBRELLA)
    everybodys = await shared.clone("one", DESIGN)
    assert await listed(shared, ACME) == ["brand", mine.id, everybodys.id]
    assert await listed(shared, UMBRELLA) == ["brand", theirs.id, everybodys.id]
    assert await listed(shared, EVERYTHING) == ["brand", mine.id, theirs.id, everybodys.id]
    assert (await shared.look_up("one", mine.id, None, ACME)).id == mine.id
    for call in (shared.look_up, shared.delete):
        with pytest.raises(ProviderRefused) as caught:
            await call("one", theirs.id, None, ACME)
        assert caught.value.status == 404
    for kept in ("brand", everybodys.id):
        await shared.look_up("one", kept, None, ACME)
        with pytest.raises(Forbidden):
            await shared.delete("one", kept, None, ACME)
    await shared.delete("one", mine.id, None, ACME)
    await shared.delete("one", everybodys.id, None)
    assert await listed(shared, EVERYTHING) == ["brand", theirs.id]


async def test_who_has_a_key_of_their_own_sees_all_that_it_opens(shared: Voices) -> None:
    key = Secret("acme-s-own")
    made = await shared.clone("one", attrs.evolve(DESIGN, api_key=key, owner="umbrella"), ACME)
    assert made.owner == ""
    theirs = await shared.clone("one", DESIGN, UMBRELLA)
    assert theirs.id in await listed(shared, ACME, key)
    await shared.delete("one", "brand", key, ACME)


async def test_with_the_operators_key_a_voice_is_made_for_somebody(shared: Voices) -> None:
    nobody = TENANTS.scope(Principal(None))
    with pytest.raises(Forbidden):
        await shared.clone("one", DESIGN, nobody)
    with pytest.raises(Forbidden):
        await shared.delete("one", "brand", None, nobody)
    assert await listed(shared, nobody) == ["brand"]


async def test_nobody_is_waited_for_without_end(voices: Voices, autojump_clock: MockClock) -> None:
    start = trio.current_time()
    with pytest.raises(ProviderUnavailable, match="no answer within 120 s"):
        await voices.clone("slow", DESIGN)
    assert trio.current_time() - start == pytest.approx(CLONE_TIMEOUT, abs=1)
    with pytest.raises(ProviderUnavailable):
        await voices.look_up("slow", "v", None)
    assert trio.current_time() - start == pytest.approx(CLONE_TIMEOUT + ANSWER_TIMEOUT, abs=1)
