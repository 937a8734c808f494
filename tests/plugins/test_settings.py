"""The operator's table becomes the plugin's own class, or a mistake that names the keys."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

from capabilities import Ability, Capability, Manifest, Secret
from waav.plugins.registry import Registry
from waav.plugins.settings import Settings, SettingsMistake, settings_of, structure

STT, TTS = Capability.STT, Capability.TTS


@attrs.frozen
class Inner:
    depth: int


def _positive(_: Any, field: Any, value: int) -> None:
    if value <= 0:
        raise ValueError(f"{field.name} must be above 0")


@attrs.frozen
class Options:
    model: str = "small"
    workers: int = attrs.field(default=2, validator=_positive)
    speed: float = 1.0
    loud: bool = False
    path: Path | None = None
    token: Secret | None = None
    words: tuple[str, ...] = ()
    inner: Inner = Inner(1)


@attrs.frozen
class SessionOptions:
    language: str
    """Required: who sets nothing else leaves it to the session."""
    numerals: bool = False


@pytest.fixture
def plugin(manifest: Callable[..., Manifest]) -> Manifest:
    abilities = {STT: Ability(options=SessionOptions), TTS: Ability()}
    return manifest("mine", aliases=("my.own", "local"), settings=Options, abilities=abilities)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({}, Options()),
        ({"model": "big", "workers": 4, "speed": 2}, Options("big", 4, 2.0)),
        ({"workers": "4", "speed": "0.5", "loud": "False"}, Options(workers=4, speed=0.5)),
        ({"path": "/tmp/x", "loud": True}, Options(path=Path("/tmp/x"), loud=True)),
        ({"token": "s3cret"}, Options(token=Secret("s3cret"))),
        ({"words": ["a", "b"], "inner": {"depth": 3}}, Options(words=("a", "b"), inner=Inner(3))),
    ],
)
def test_a_table_is_structured(
    plugin: Manifest, table: Mapping[str, Any], expected: Options
) -> None:
    assert structure(plugin, table) == Settings(expected, {})


@pytest.mark.parametrize(
    ("table", "mistake"),
    [
        ({"modle": 1}, "plugins.providers.mine.modle: unknown, perhaps model"),
        ({"workers": "many"}, 'mine.workers: expected a whole number, got "many"'),
        ({"stt": "deep"}, "plugins.providers.mine.stt: unknown (known: inner, loud, model, "),
        ({"vad": {}}, "plugins.providers.mine.vad: unknown"),
        ({"workers": 0}, "plugins.providers.mine: workers must be above 0"),
        ({"stt": {"numrals": 1}}, "plugins.providers.mine.stt.numrals: unknown, perhaps numerals"),
        (
            {"stt": {"numerals": 1}},
            "plugins.providers.mine.stt.numerals: expected true or false, got 1",
        ),
        ({"tts": {"pitch": 2}}, "plugins.providers.mine.tts.pitch: unknown (known: none)"),
    ],
)
def test_a_mistake_names_its_key(plugin: Manifest, table: Mapping[str, Any], mistake: str) -> None:
    with pytest.raises(SettingsMistake) as told:
        structure(plugin, table)
    assert mistake in str(told.value)


def test_a_mistake_does_not_show_a_secret(plugin: Manifest) -> None:
    with pytest.raises(SettingsMistake) as told:
        structure(plugin, {"token": ["s3cret"], "model": {"key": "s3cret"}})
    assert "s3cret" not in str(told.value)


def test_a_plugin_without_settings_takes_none(manifest: Callable[..., Manifest]) -> None:
    with pytest.raises(SettingsMistake, match=r"bare.a: unknown \(known: none\)"):
        structure(manifest("bare"), {"a": 1})


def test_defaults_of_sessions_are_kept_apart(plugin: Manifest) -> None:
    table = {"model": "big", "stt": {"numerals": "true"}}
    settings = structure(plugin, table)
    assert settings.own == Options("big")
    assert settings.defaults == {STT: {"numerals": True}}


@pytest.fixture
def registry(plugin: Manifest, manifest: Callable[..., Manifest]) -> Registry:
    registry = Registry()
    registry.register(plugin)
    registry.register(manifest("other", Capability.VAD, aliases=("local",)))
    return registry


@pytest.mark.pins("D285")
@pytest.mark.parametrize("name", ["mine", "MINE", "my_own", "My Own"])
def test_a_table_reaches_the_owner_of_its_name(
    registry: Registry, plugin: Manifest, name: str
) -> None:
    assert settings_of(plugin, {name: {"model": "big"}}, registry).own == Options("big")


def test_a_table_of_another_plugin_or_of_a_shared_name_does_not(
    registry: Registry, plugin: Manifest
) -> None:
    tables = {"other": {"x": 1}, "local": {"x": 1}, "nobody": {"x": 1}}
    assert settings_of(plugin, tables, registry).own == Options()


def test_two_tables_for_one_plugin_are_a_mistake(registry: Registry, plugin: Manifest) -> None:
    with pytest.raises(SettingsMistake, match="mine, my_own are names of the same plugin"):
        settings_of(plugin, {"my_own": {}, "mine": {}}, registry)


def test_how_many_conversations_there_may_be_is_no_business_of_the_plugin(
    plugin: Manifest,
) -> None:
    registry = Registry()
    registry.register(plugin)
    settings = settings_of(plugin, {"My_Own": {"max_sessions": 3, "model": "big"}}, registry)
    assert settings.own == Options("big")
    assert settings.limited_as == "my-own"
    assert settings_of(plugin, {"mine": {}}, registry).limited_as is None


@pytest.mark.parametrize("wrong", [0, -1, True, 1.5, "many", [1]])
def test_a_number_of_conversations_that_is_none_is_a_mistake(
    plugin: Manifest, wrong: object
) -> None:
    message = "plugins.providers.mine.max_sessions: expected a whole number of at least 1"
    with pytest.raises(SettingsMistake, match=message):
        structure(plugin, {"max_sessions": wrong})
