"""A plugin on the bench: opened as the gateway would, given a trial, put through its suites."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, TypeAlias, TypeVar

import attrs

from capabilities import (
    Ability,
    AudioFrame,
    Capability,
    Final,
    Manifest,
    Plugin,
    ProcessorOptions,
    Secret,
    STTOptions,
    VADOptions,
)
from waav.testing.audio import QUESTION_TEXT, question
from waav.testing.cloning import check_cloning
from waav.testing.contract import Belongings, promise, whole_check
from waav.testing.llm import check_llm
from waav.testing.middleware import check_middleware
from waav.testing.plugin import check_opened, strangers
from waav.testing.processor import check_processor
from waav.testing.stt import check_stt
from waav.testing.talk import hear, open_manifest
from waav.testing.tts import check_tts
from waav.testing.turn_detector import check_turn_detector
from waav.testing.vad import check_vad
from waav.testing.ws_handler import check_ws_handler

T = TypeVar("T")

BUDGET = 60.0
"""Seconds that one suite may take, unless more are given."""
_STEPS = (0.02, 0.0331)
"""Seconds of a frame; words must not depend on how the sound is cut."""


@attrs.frozen
class Subject:
    """A plugin that is put to the test, and what it gets."""

    manifest: Manifest
    settings: Any = None
    """An instance of the manifest's class; its defaults if None."""
    credentials: Mapping[str, Secret] = attrs.field(factory=dict, repr=False)
    requires: "tuple[Subject, ...]" = ()
    lacks: str = ""
    """What somebody must provide before it can be opened, as a sentence; empty if nothing."""


@attrs.frozen
class Trial:
    """What it is tried with."""

    sound: AudioFrame | None = None
    """A recording, linear16; the kit's own spoken question if None."""
    text: str | None = None
    """The words that are said in it, if they are known."""
    language: str | None = None
    """A BCP-47 tag; English, or the first language of the manifest, if None."""
    budget: float = BUDGET
    """Seconds for each suite, and for each conversation that meets a fault."""

    @property
    def heard(self) -> AudioFrame:
        """The sound that is sent."""
        return self.sound or question()


@attrs.frozen
class Bench:
    """One capability of a plugin, opened anew for each check, so that none spoils the next."""

    subject: Subject
    trial: Trial
    ability: Ability

    @property
    def settings(self) -> Any:
        """Those of the operator, else the defaults."""
        own = self.subject.settings
        return self.subject.manifest.settings() if own is None else own

    @property
    def options(self) -> STTOptions:
        """How to listen to the sound of the trial."""
        return STTOptions(format=self.trial.heard.format, language=self._language)

    @property
    def text(self) -> str | None:
        """What is said in the sound; the kit's question counts only for who knows English."""
        if self.trial.text is not None or self.trial.sound is not None:
            return self.trial.text
        return QUESTION_TEXT if self._knows_english else None

    async def run(self, suite: "Suite") -> None:
        """Open the plugin, run the suite, close it."""
        # Raised behind the block: a plugin with a nursery would wrap it into a group.
        broken: Exception | None = None
        async with opened(self.subject) as plugin:
            try:
                await suite(self, plugin)
            except Exception as error:  # noqa: BLE001 - see above
                broken = error
        if broken is not None:
            raise broken

    @property
    def _knows_english(self) -> bool:
        return any(each.lower().partition("-")[0] == "en" for each in self.ability.languages)

    @property
    def _language(self) -> str:
        if self.trial.language is not None:
            return self.trial.language
        named = [each for each in self.ability.languages if each != "multi"]
        return named[0] if named and not self._knows_english else STTOptions().language


Suite: TypeAlias = Callable[[Bench, Plugin], Awaitable[None]]


async def _stt(bench: Bench, plugin: Plugin) -> None:
    stt = _brought(plugin.stt)
    options = bench.options
    await check_stt(
        stt,
        bench.ability,
        options=options,
        sound=bench.trial.heard,
        refused=[attrs.evolve(options, format=each) for each in strangers(bench.ability)],
        budget=bench.trial.budget,
    )


async def check_words(bench: Bench, plugin: Plugin) -> None:
    """The words are found, however the sound is cut; case and punctuation are a matter of taste."""
    stt, expected = _brought(plugin.stt), _plain(bench.text or "")
    async with whole_check(bench.trial.budget):
        for step in _STEPS:
            said = await hear(stt, bench.trial.heard, bench.options, step=step)
            heard = _plain(" ".join(each.text for each in said if isinstance(each, Final)))
            promise(heard == expected, f"heard {heard!r}, not {expected!r} (frames of {step} s)")


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[\w']+", text.casefold()))


async def _tts(bench: Bench, plugin: Plugin) -> None:
    await check_tts(_brought(plugin.tts), bench.ability, budget=bench.trial.budget)


async def _vad(bench: Bench, plugin: Plugin) -> None:
    await check_vad(
        _brought(plugin.vad),
        bench.ability,
        options=VADOptions(format=bench.trial.heard.format),
        sound=bench.trial.heard,
        budget=bench.trial.budget,
    )


async def _processor(bench: Bench, plugin: Plugin) -> None:
    await check_processor(
        _brought(plugin.processor),
        bench.ability,
        refused=[ProcessorOptions(each) for each in strangers(bench.ability)],
        budget=bench.trial.budget,
    )


async def _turn_detector(bench: Bench, plugin: Plugin) -> None:
    await check_turn_detector(
        _brought(plugin.turn_detector), bench.ability, budget=bench.trial.budget
    )


async def _llm(bench: Bench, plugin: Plugin) -> None:
    await check_llm(_brought(plugin.llm), bench.ability, budget=bench.trial.budget)


async def _cloning(bench: Bench, plugin: Plugin) -> None:
    await check_cloning(_brought(plugin.cloning), bench.ability, budget=bench.trial.budget)


async def _middleware(bench: Bench, plugin: Plugin) -> None:
    await check_middleware(_brought(plugin.middleware), budget=bench.trial.budget)


async def _ws_handler(bench: Bench, plugin: Plugin) -> None:
    await check_ws_handler(_brought(plugin.ws_handler), bench.ability, budget=bench.trial.budget)


def _brought(capability: T | None) -> T:
    if capability is None:
        raise AssertionError("the manifest names it, but the plugin does not bring it")
    return capability


SUITES: Mapping[Capability, Suite] = {
    Capability.STT: _stt,
    Capability.TTS: _tts,
    Capability.VAD: _vad,
    Capability.PROCESSOR: _processor,
    Capability.TURN_DETECTOR: _turn_detector,
    Capability.LLM: _llm,
    Capability.CLONING: _cloning,
    Capability.MIDDLEWARE: _middleware,
    Capability.WS_HANDLER: _ws_handler,
}


async def check_opening(subject: Subject) -> None:
    """Twice, as a supervisor would; the libraries that it loads may keep files open, once."""
    before = Belongings.now()
    opening = partial(opened, subject)
    for again in (False, True):
        await check_opened(subject.manifest, opening, None, None, whole=False)
        before = before if again else attrs.evolve(before, files=Belongings.now().files)
        await before.check_no_more("closing the plugin")


@asynccontextmanager
async def opened(subject: Subject) -> AsyncIterator[Plugin]:
    """Open a plugin as the gateway would, and what it requires before it."""
    async with AsyncExitStack() as stack:
        requires = {
            each.manifest.id: await stack.enter_async_context(opened(each))
            for each in subject.requires
        }
        opening = open_manifest(
            subject.manifest,
            subject.settings,
            credentials=subject.credentials,
            requires=requires,
        )
        yield await stack.enter_async_context(opening)
