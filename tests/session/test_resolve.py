"""A client's options for one provider: exactly those that it has."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
from support.providers import Ears, Mouth, plugin

from capabilities import Ability, Capability
from waav.errors import InvalidRequest
from waav.plugins import Discovery, Plugins, open_plugins
from waav.session.commands import STTConfig, TTSConfig
from waav.session.resolve import resolve_stt, resolve_tts


@attrs.frozen
class Options:
    smart_format: bool = False
    stability: float = 0.5


@asynccontextmanager
async def opened(settings: Mapping[str, Any] = {}) -> AsyncIterator[Plugins]:
    ability = {Capability.TTS: Ability(options=Options)}
    manifests = [
        plugin("ears", Ears(), options=Options),
        attrs.evolve(plugin("mouth", mouth=Mouth()), abilities=ability),
        plugin("plain", mouth=Mouth()),
    ]
    async with open_plugins(Discovery.of(*manifests), settings=settings) as plugins:
        yield plugins


@pytest.mark.parametrize(
    ("given", "mistake"),
    [
        ({"smart_format": "false"}, 'options.smart_format: expected true or false, got "false"'),
        ({"smart_formats": True}, "options.smart_formats: unknown, perhaps smart_format"),
        ({"stability": "high"}, 'options.stability: expected a number, got "high"'),
    ],
)
async def test_a_mistake_is_told_with_its_place(given: dict[str, Any], mistake: str) -> None:
    async with opened() as plugins:
        with pytest.raises(InvalidRequest) as refused:
            resolve_stt(plugins.stt("ears"), STTConfig("ears", provider_options=given))
        assert (refused.value.code, str(refused.value)) == ("invalid_options", f"ears: {mistake}")
        with pytest.raises(InvalidRequest) as refused:
            resolve_tts(plugins.tts("mouth"), TTSConfig("mouth", provider_options=given))
        assert str(refused.value) == f"mouth: {mistake}"


async def test_a_provider_without_options_takes_none() -> None:
    async with opened() as plugins:
        config = TTSConfig("plain", provider_options={"stability": 1.0})
        with pytest.raises(InvalidRequest, match=r"options.stability: unknown \(known: none\)"):
            resolve_tts(plugins.tts("plain"), config)


async def test_a_hint_counts_where_it_is_known() -> None:
    async with opened() as plugins:
        hints = {"stability": 0.9, "acting_instructions": "loud"}
        asked = resolve_tts(plugins.tts("mouth"), TTSConfig("mouth", hints=hints))
        assert asked.options == Options(stability=0.9)
        assert resolve_tts(plugins.tts("plain"), TTSConfig("plain", hints=hints)).options is None
        both = TTSConfig("mouth", hints=hints, provider_options={"stability": 0.1})
        assert resolve_tts(plugins.tts("mouth"), both).options == Options(stability=0.1)


async def test_the_operator_s_defaults_count_where_a_client_is_silent() -> None:
    settings = {"mouth": {"tts": {"smart_format": "true", "stability": "0.2"}}}
    async with opened(settings) as plugins:
        config = TTSConfig("mouth", provider_options={"stability": 0.7})
        asked = resolve_tts(plugins.tts("mouth"), config)
        assert asked.options == Options(smart_format=True, stability=0.7)
