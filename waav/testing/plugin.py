"""The contract of a plugin: its manifest, its recipe, and each capability that it brings."""

import re
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any

import attrs
import trio

from capabilities import (
    SPEECH,
    Ability,
    AudioFormat,
    Capability,
    Encoding,
    Health,
    Manifest,
    Plugin,
    ProcessorOptions,
    Secret,
    STTOptions,
)
from waav.testing.cloning import check_cloning
from waav.testing.contract import Belongings, promise
from waav.testing.llm import check_llm
from waav.testing.middleware import check_middleware
from waav.testing.processor import check_processor
from waav.testing.stt import check_stt
from waav.testing.talk import open_manifest
from waav.testing.tts import check_tts
from waav.testing.turn_detector import check_turn_detector
from waav.testing.vad import check_vad
from waav.testing.ws_handler import check_ws_handler

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_OPENING = 30.0
"""Seconds that opening or closing a plugin may take."""


async def check_plugin(
    manifest: Manifest,
    *,
    settings: Any = None,
    credentials: Mapping[str, Secret] | None = None,
    requires: Mapping[str, Plugin] | None = None,
    limit: int | None = None,
    text: str | None = None,
) -> None:
    """Raise AssertionError at the first promise that a plugin does not keep.

    It is opened twice, one after the other, as a supervisor would; each capability that it brings
    goes through its own suite.

    Args:
        manifest: the plugin's.
        settings: an instance of ``manifest.settings``; the defaults if None.
        credentials: for those that it names.
        requires: for those that it requires.
        limit: streams or requests at one time, if the settings make it another than the manifest.
        text: the words that its recogniser must find in :func:`~waav.testing.audio.question`.
    """
    check_manifest(manifest)
    opening = partial(open_manifest, manifest, settings, credentials=credentials, requires=requires)
    before = Belongings.now()
    for whole in (True, False):
        await check_opened(manifest, opening, limit, text, whole=whole)
        # The libraries that a plugin loads may keep files open; they do so once.
        before = attrs.evolve(before, files=Belongings.now().files) if whole else before
        await before.check_no_more("closing the plugin")


def check_manifest(manifest: Manifest) -> None:
    """Raise AssertionError at the first thing in a manifest that is not as it must be."""
    promise(_ID.fullmatch(manifest.id), f"an id is lower case words with '-': {manifest.id!r}")
    promise(manifest.name.strip(), "a plugin has a name for people")
    promise(manifest.abilities, "a plugin brings at least one capability")
    names = [manifest.id, *manifest.aliases]
    promise(len(set(names)) == len(names), f"id and aliases are different names: {names}")
    for alias in manifest.aliases:
        promise(alias == alias.strip().lower() and alias, f"an alias is lower case: {alias!r}")
    promise(attrs.has(manifest.settings), f"settings are an attrs class: {manifest.settings}")
    for capability, ability in manifest.abilities.items():
        promise(isinstance(capability, Capability), f"{capability!r} is no Capability")
        _check_ability(capability, ability)


def _check_ability(capability: Capability, ability: Ability) -> None:
    options = ability.options
    promise(options is None or attrs.has(options), f"options are an attrs class: {options}")
    promise(ability.encodings, f"{capability} names the encodings that it takes or gives")
    promise(ability.channels >= 1, f"{capability} has at least one channel")
    limit = ability.limits.concurrency
    promise(limit is None or limit >= 1, f"a limit on concurrency is 1 or more: {limit}")


async def check_opened(
    manifest: Manifest,
    opening: Callable[[], AbstractAsyncContextManager[Plugin]],
    limit: int | None,
    text: str | None,
    *,
    whole: bool,
) -> None:
    """Open a plugin once, see that it brings what its manifest names, and close it.

    Args:
        manifest: the plugin's.
        opening: opens it.
        limit, text: as for :func:`check_plugin`.
        whole: try each capability, too.

    Raises:
        AssertionError: a promise is broken.
    """
    # A plugin with a nursery would wrap what is raised in its block, and the reader wants to
    # see which promise was broken: so it is raised behind the block.
    broken: Exception | None = None
    start = trio.current_time()
    async with opening() as plugin:
        took = trio.current_time() - start
        try:
            promise(took <= _OPENING, f"opening the plugin takes {took} s")
            await _check_brought(manifest, plugin)
            if whole:
                await _check_capabilities(manifest, plugin, limit, text)
        except Exception as error:  # noqa: BLE001 - see above
            broken = error
        start = trio.current_time()
    if broken is not None:
        raise broken
    took = trio.current_time() - start
    promise(took <= _OPENING, f"closing the plugin takes {took} s")


async def _check_brought(manifest: Manifest, plugin: Plugin) -> None:
    promise(isinstance(plugin, Plugin), f"opening gives a Plugin, not {plugin!r}")
    for capability in Capability:
        named = capability in manifest.abilities
        brought = getattr(plugin, capability) is not None
        promise(
            named == brought,
            f"the manifest names {capability} {'but' if named else 'not, and'} the plugin"
            f" {'brings' if brought else 'does not bring'} it",
        )
    health = await plugin.health()
    promise(isinstance(health, Health), f"health gives a Health, not {health!r}")


async def _check_capabilities(
    manifest: Manifest, plugin: Plugin, limit: int | None, text: str | None
) -> None:
    abilities = {
        capability: _limited(ability, limit) for capability, ability in manifest.abilities.items()
    }
    if plugin.stt is not None:
        ability = abilities[Capability.STT]
        refused = [STTOptions(format=audio) for audio in strangers(ability)]
        await check_stt(plugin.stt, ability, text=text, refused=refused)
    if plugin.tts is not None:
        await check_tts(plugin.tts, abilities[Capability.TTS])
    if plugin.vad is not None:
        await check_vad(plugin.vad, abilities[Capability.VAD])
    if plugin.processor is not None:
        ability = abilities[Capability.PROCESSOR]
        wrong = [ProcessorOptions(audio) for audio in strangers(ability)]
        await check_processor(plugin.processor, ability, refused=wrong)
    if plugin.turn_detector is not None:
        await check_turn_detector(plugin.turn_detector, abilities[Capability.TURN_DETECTOR])
    if plugin.llm is not None:
        await check_llm(plugin.llm, abilities[Capability.LLM])
    if plugin.cloning is not None:
        await check_cloning(plugin.cloning, abilities[Capability.CLONING])
    if plugin.middleware is not None:
        await check_middleware(plugin.middleware)
    if plugin.ws_handler is not None:
        await check_ws_handler(plugin.ws_handler, abilities[Capability.WS_HANDLER])


def _limited(ability: Ability, limit: int | None) -> Ability:
    if limit is None:
        return ability
    return attrs.evolve(ability, limits=attrs.evolve(ability.limits, concurrency=limit))


def strangers(ability: Ability) -> list[AudioFormat]:
    """Return formats that a manifest does not name, and that must be refused therefore."""
    strangers = [AudioFormat(each) for each in Encoding if each not in ability.encodings][:1]
    if ability.sample_rates:
        strangers.append(attrs.evolve(SPEECH, sample_rate=max(ability.sample_rates) + 1))
    return strangers
