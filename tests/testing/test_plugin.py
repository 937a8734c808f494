"""The suite of plugins finds each kind of bad manifest and bad recipe."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
import trio
import trio.testing

from capabilities import Ability, Capability, Limits, Plugin, PluginContext
from waav.testing import FakeSTT, FakeTTS, check_manifest, check_plugin, manifest_of

GOOD = manifest_of(tts=FakeTTS())
TTS = Capability.TTS

MANIFESTS: dict[str, tuple[dict[str, Any], str]] = {
    "id-in-capitals": ({"id": "Fake"}, "an id is lower case"),
    "id-with-dots": ({"id": "fake.tts"}, "an id is lower case"),
    "id-empty": ({"id": ""}, "an id is lower case"),
    "id-ends-oddly": ({"id": "fake-"}, "an id is lower case"),
    "no-name": ({"name": " "}, "name for people"),
    "no-ability": ({"abilities": {}}, "at least one capability"),
    "own-alias": ({"aliases": ("fake",)}, "different names"),
    "alias-twice": ({"aliases": ("a", "a")}, "different names"),
    "alias-in-capitals": ({"aliases": ("A",)}, "an alias is lower case"),
    "settings": ({"settings": dict}, "settings are an attrs class"),
    "capability": ({"abilities": {"tts": Ability()}}, "no Capability"),
    "options": ({"abilities": {TTS: Ability(options=int)}}, "options are an attrs class"),
    "encodings": ({"abilities": {TTS: Ability(encodings=())}}, "names the encodings"),
    "channels": ({"abilities": {TTS: Ability(channels=0)}}, "at least one channel"),
    "limit": ({"abilities": {TTS: Ability(limits=Limits(concurrency=0))}}, "is 1 or more"),
}


@pytest.mark.parametrize(("fields", "message"), MANIFESTS.values(), ids=MANIFESTS)
def test_a_bad_manifest_is_found(fields: dict[str, Any], message: str) -> None:
    check_manifest(GOOD)
    with pytest.raises(AssertionError, match=message):
        check_manifest(attrs.evolve(GOOD, **fields))


@asynccontextmanager
async def brings_nothing(_context: PluginContext) -> AsyncIterator[Plugin]:
    yield Plugin()


@asynccontextmanager
async def brings_more(_context: PluginContext) -> AsyncIterator[Plugin]:
    yield Plugin(stt=FakeSTT(), tts=FakeTTS())


@asynccontextmanager
async def brings_a_string(_context: PluginContext) -> AsyncIterator[Any]:
    yield "hello"


@asynccontextmanager
async def feels_odd(_context: PluginContext) -> AsyncIterator[Plugin]:
    async def health() -> Any:
        await trio.lowlevel.checkpoint()
        return "fine, thank you"

    yield Plugin(tts=FakeTTS(), health=health)


@asynccontextmanager
async def opens_late(_context: PluginContext) -> AsyncIterator[Plugin]:
    await trio.sleep(60)
    yield Plugin(tts=FakeTTS())


@asynccontextmanager
async def closes_late(_context: PluginContext) -> AsyncIterator[Plugin]:
    yield Plugin(tts=FakeTTS())
    await trio.sleep(60)


RECIPES = {
    "nothing": (brings_nothing, "the manifest names tts but the plugin does not bring it"),
    "more": (brings_more, "the manifest names stt not, and the plugin brings it"),
    "string": (brings_a_string, "opening gives a Plugin"),
    "health": (feels_odd, "health gives a Health"),
    "opens-late": (opens_late, "opening the plugin takes"),
    "closes-late": (closes_late, "closing the plugin takes"),
}


@pytest.mark.parametrize(("recipe", "message"), RECIPES.values(), ids=RECIPES)
async def test_a_bad_recipe_is_found(
    recipe: Any, message: str, autojump_clock: trio.testing.MockClock
) -> None:
    del autojump_clock
    with pytest.raises(AssertionError, match=message):
        await check_plugin(attrs.evolve(GOOD, open=recipe))


async def test_a_task_that_outlives_its_plugin_is_found(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    del autojump_clock

    @asynccontextmanager
    async def leaves_a_task(_context: PluginContext) -> AsyncIterator[Plugin]:
        nursery.start_soon(trio.sleep_forever)
        yield Plugin(tts=FakeTTS())

    with pytest.raises(AssertionError, match="left behind after closing the plugin"):
        await check_plugin(attrs.evolve(GOOD, open=leaves_a_task))


async def test_a_bad_capability_is_found_behind_a_good_manifest() -> None:
    @asynccontextmanager
    async def with_a_nursery(_context: PluginContext) -> AsyncIterator[Plugin]:
        async with trio.open_nursery():
            yield Plugin(tts=FakeTTS())

    unlimited = {TTS: Ability(limits=Limits(concurrency=1))}
    with pytest.raises(AssertionError, match="limit of 1 must raise ProviderBusy"):
        await check_plugin(attrs.evolve(GOOD, open=with_a_nursery, abilities=unlimited))


async def test_the_limit_of_the_settings_counts() -> None:
    with pytest.raises(AssertionError, match="limit of 3 must raise ProviderBusy"):
        await check_plugin(GOOD, limit=3)
    await check_plugin(manifest_of(tts=FakeTTS(limit=3)), limit=3)
