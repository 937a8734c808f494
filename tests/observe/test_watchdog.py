"""Who holds the event loop, and for how long."""

import logging
import sys
import textwrap
import threading
import time
from pathlib import Path
from types import FrameType

import attrs
import pytest
import trio
from trio.testing import MockClock

from capabilities import SpeechRequest
from waav import Config, Speak, TTSConfig, open_gateway
from waav.observe.watchdog import NOBODY, Home, Watchdog, culprit, open_watchdog

ACME = Home("acme", "acme_voice.plugin", "acme_voice")
LOCAL = [Home(name, f"providers.local.{name}", "providers.local") for name in ("silero", "espeak")]
VENDOR = Home("vendor", "providers", "providers")
"""Its package is around those of others."""


@pytest.mark.parametrize(
    ("stack", "found"),
    [
        ([], None),
        (["trio._core._run", "waav.gateway"], None),
        (["acme_voice.plugin"], "acme"),
        (["acme_voice.wire.frames", "acme_voice.plugin"], "acme"),
        (["json.decoder", "acme_voice.wire", "waav.session.speaker"], "acme"),
        (["acme_voices"], None),
        (["providers.local.silero"], "silero"),
        (["providers.local.onnx_files"], None),
        (["providers.local.onnx_files", "providers.local.espeak"], "espeak"),
        (["providers._common.link", "acme_voice"], "vendor"),
    ],
)
def test_the_nearest_home_of_the_innermost_code(stack: list[str], found: str | None) -> None:
    assert culprit(stack, [ACME, *LOCAL, VENDOR]) == found


def test_a_module_in_no_package_is_only_itself() -> None:
    homes = [Home("one", "one_file", "")]
    assert culprit(["one_file"], homes) == "one"
    assert culprit(["other_file"], homes) is None


@attrs.define
class Loop:
    """A loop that the test holds."""

    beat: float = 0.0
    frame: FrameType = attrs.Factory(sys._getframe)
    homes: list[Home] = attrs.Factory(list)

    def watch(self) -> Watchdog:
        dog = Watchdog(lambda: self.beat, lambda: self.frame, lambda: self.homes)
        dog._looked = 0.0
        return dog


def levels(caplog: pytest.LogCaptureFixture) -> list[int]:
    return [record.levelno for record in caplog.records]


def test_one_warning_for_each_hold_and_a_word_at_its_end(caplog: pytest.LogCaptureFixture) -> None:
    loop = Loop(homes=[Home("tests", __name__, "")])
    dog = loop.watch()
    for tick in range(1, 41):
        dog.look(tick * 0.05)
    assert levels(caplog) == [logging.WARNING]
    assert "held for 0.30 s, by plugin: tests" in caplog.text
    loop.beat = 2.0
    dog.look(2.05)
    assert levels(caplog) == [logging.WARNING, logging.INFO]
    assert "held for 2.00 s, by plugin: tests" in caplog.records[-1].getMessage()
    assert (dog.times["tests"], dog.seconds, dog.longest) == (1, {"tests": 2.0}, 2.0)
    for tick in range(41, 51):
        dog.look(tick * 0.05)
    assert dog.times.total() == 1
    assert len(caplog.records) == 3  # nobody has given a sign of life since 2.0


def test_a_loop_that_runs_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    loop = Loop()
    dog = loop.watch()
    for tick in range(100):
        loop.beat = tick * 0.05 - 0.2
        dog.look(tick * 0.05)
    assert (caplog.records, dog.times) == ([], {})


def test_code_of_nobody_counts_too(caplog: pytest.LogCaptureFixture) -> None:
    loop = Loop()
    dog = loop.watch()
    dog.look(1.0)
    loop.beat = 1.5
    dog.look(1.5)
    assert dog.times == {NOBODY: 1}


def test_native_code_that_lets_no_thread_run_is_told_of_afterwards(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Then the watch itself comes late, and says so: it may be the machine, too."""
    dog = Loop().watch()
    dog.look(3.0)
    assert "held for 3.00 s (and so was this watch)" in caplog.text


def test_no_local_variable_is_shown(caplog: pytest.LogCaptureFixture) -> None:
    private = "hush" * 3
    dog = Loop(frame=sys._getframe()).watch()
    dog.look(1.0)
    assert private not in caplog.text
    assert "test_no_local_variable_is_shown" in caplog.text


async def test_a_loop_that_waits_is_free_although_its_clock_stands_still(
    mock_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """A test's clock, for example; and this says where trio waits, should that ever change."""
    loop = threading.get_ident()

    def look() -> None:
        dog = Watchdog(lambda: 0.0, lambda: sys._current_frames()[loop], list)
        dog.look(time.perf_counter() + 10)

    await trio.to_thread.run_sync(look)
    assert caplog.records == []


async def test_the_thread_ends_with_the_block() -> None:
    def watching() -> int:
        return sum(thread.name == "watchdog" for thread in threading.enumerate())

    before = watching()
    with open_watchdog(lambda: 0.0, list, 10.0):
        assert watching() == before + 1
    assert watching() == before
    with open_watchdog(lambda: 0.0, list, None):
        assert watching() == before


PLUGIN = '''
    """A voice that computes where it should not."""

    import time
    from contextlib import asynccontextmanager

    from capabilities import Ability, AudioFormat, AudioFrame, Capability, Manifest, Plugin

    class Voice:
        @asynccontextmanager
        async def synthesize(self, request):
            yield self.frames()

        async def frames(self):
            until = time.perf_counter() + 0.6
            while time.perf_counter() < until:
                pass
            yield AudioFrame(bytes(4800), AudioFormat(sample_rate=24000))

        async def voices(self, api_key=None):
            return []

    @asynccontextmanager
    async def open_plugin(context):
        yield Plugin(tts=Voice())

    MANIFEST = Manifest("busy", "Busy", open_plugin, {Capability.TTS: Ability()})
'''


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "busy.py").write_text(textwrap.dedent(PLUGIN))
    plugins = attrs.evolve(Config().plugins, plugin_dir=tmp_path)
    return attrs.evolve(Config(), plugins=plugins)


async def test_a_plugin_that_holds_the_loop_is_named(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_gateway(config) as gateway:
        dog = gateway.watchdog
        sound = await gateway.say(TTSConfig("busy", SpeechRequest("")), Speak("x"))
        assert len(sound) == 4800
        with trio.fail_after(20):
            while not dog.times["busy"]:  # noqa: ASYNC110  # a thread counts, and tells nobody
                await trio.sleep(0.01)
    assert 0.5 < dog.seconds["busy"] < 10
    (held,) = [
        each for each in caplog.records if "is held" in each.message and "busy" in each.message
    ]
    assert held.levelno == logging.WARNING
    assert "while time.perf_counter() < until" in str(held.stack_info)
