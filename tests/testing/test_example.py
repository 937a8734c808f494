"""The example of a plugin keeps all promises, and does what its page says."""

from types import ModuleType

import pytest

from capabilities import AudioFrame, Final, STTOptions
from waav.testing import check_plugin, check_stt, cut, silence, tone


async def test_the_example_plugin_passes_the_suite(my_stt_plugin: ModuleType) -> None:
    await check_plugin(my_stt_plugin.MANIFEST)


async def test_each_loud_stretch_becomes_a_word(my_stt_plugin: ModuleType) -> None:
    stt = my_stt_plugin.LoudnessSTT(my_stt_plugin.LoudnessSettings(word="hum"))
    data = silence(0.2).data + tone(0.5).data + silence(0.3).data + tone(0.1).data
    sound = AudioFrame(data)
    await check_stt(stt, my_stt_plugin.MANIFEST.abilities["stt"], sound=sound, text="hum hum")


async def test_a_word_has_its_times(my_stt_plugin: ModuleType) -> None:
    stretches = my_stt_plugin.Stretches("hum", level=0.1)
    sound = tone(0.5, level=0.8)
    for frame in cut(silence(0.2), 640):
        assert stretches.feed(frame) is None
    for frame in cut(sound, 640):
        assert stretches.feed(frame) is None
    match stretches.feed(silence(0.02)):
        case Final(words=(word,)):
            assert (word.start, word.end) == pytest.approx((0.2, 0.7))
        case other:
            pytest.fail(f"no word: {other}")


async def test_the_session_sets_the_level(my_stt_plugin: ModuleType) -> None:
    stt = my_stt_plugin.LoudnessSTT(my_stt_plugin.LoudnessSettings())
    deaf = STTOptions(options=my_stt_plugin.LoudnessOptions(level=1.0))
    await check_stt(stt, options=deaf, sound=tone(0.3), text="")
