"""flite as a plugin: with the real program where it is, and with a stand-in everywhere."""

import os
import shutil
import sys
import textwrap
from pathlib import Path

import pytest
import trio

from capabilities import (
    AudioFormat,
    Encoding,
    ProviderBusy,
    ProviderRefused,
    ProviderUnavailable,
    SpeechRequest,
)
from providers.local import flite
from providers.local.flite import MANIFEST, FliteSettings, read_voices
from waav.testing import check_plugin, open_manifest, say

STAND_IN = """\
    #!{python}
    import os, pathlib, struct, sys, time

    arguments = sys.argv[1:]
    folder = pathlib.Path(__file__).parent
    with (folder / "log").open("a") as log:
        log.write(repr(arguments) + "\\n")
    if arguments == ["-lv"]:
        print("Voices available: kal slt awb awb_time robot ")
        sys.exit()
    text = arguments[arguments.index("-t") + 1]
    if "sleep" in text:
        (folder / "pid").write_text(str(os.getpid()))
        time.sleep(60)
    if "fail" in text:
        sys.exit(3)
    if "rubbish" in text:
        print("I am no sound")
        sys.exit()
    stretch = float(arguments[arguments.index("--setf") + 1].split("=")[1])
    pcm = bytes(2 * int(800 * len(text) * stretch))
    head = struct.pack("<HHIIHH", 1, 1, 16000, 32000, 2, 16)
    wav = b"WAVEfmt " + struct.pack("<I", 16) + head + b"data" + struct.pack("<I", len(pcm)) + pcm
    sys.stdout.buffer.write(b"RIFF" + struct.pack("<I", len(wav)) + wav)
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a program that plays flite on PATH; give its folder."""
    program = tmp_path / "flite"
    program.write_text(textwrap.dedent(STAND_IN).format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return tmp_path


def asked(folder: Path) -> list[str]:
    return (folder / "log").read_text().splitlines()


@pytest.mark.skipif(shutil.which("flite") is None, reason="the program flite is not installed")
async def test_the_real_program_passes_the_suite() -> None:
    await check_plugin(MANIFEST)


@pytest.mark.usefixtures("stand_in")
async def test_a_stand_in_passes_the_suite() -> None:
    await check_plugin(MANIFEST, settings=FliteSettings(concurrency=2), limit=2)


async def test_each_sentence_is_one_run_of_the_program(stand_in: Path) -> None:
    async with open_manifest(MANIFEST) as plugin:
        assert plugin.tts is not None
        frames = await say(plugin.tts, SpeechRequest("One. -lv; $(two)!", voice="kal", speed=2))
    assert {frame.format for frame in frames} == {AudioFormat(Encoding.LINEAR16, 16000)}
    assert asked(stand_in)[1:] == [
        repr(["-voice", "kal", "--setf", "duration_stretch=0.500", "-t", text, "-o", "/dev/stdout"])
        for text in ("One.", "-lv; $(two)!")
    ]


async def test_leaving_early_runs_it_no_more(stand_in: Path) -> None:
    async with open_manifest(MANIFEST) as plugin:
        assert plugin.tts is not None
        async with plugin.tts.synthesize(SpeechRequest("One. Two. Three.")) as frames:
            await anext(aiter(frames))
    assert len(asked(stand_in)) == 2, "the voices, and the first sentence"


async def test_a_cancelled_request_kills_the_program(stand_in: Path) -> None:
    pid = stand_in / "pid"
    async with open_manifest(MANIFEST) as plugin, trio.open_nursery() as nursery:
        assert plugin.tts is not None
        nursery.start_soon(say, plugin.tts, SpeechRequest("sleep"))
        with trio.fail_after(20):
            while not (pid.exists() and pid.read_text()):  # noqa: ASYNC110 - another process writes
                await trio.sleep(0.01)
        nursery.cancel_scope.cancel()
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


@pytest.mark.usefixtures("stand_in")
async def test_a_program_that_is_too_slow_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_manifest(MANIFEST) as plugin:
        assert plugin.tts is not None
        monkeypatch.setattr(flite, "_PATIENCE", 0.2)
        with pytest.raises(ProviderUnavailable, match="no sound within"):
            await say(plugin.tts, SpeechRequest("sleep"))


@pytest.mark.usefixtures("stand_in")
@pytest.mark.parametrize(
    ("text", "message"), [("fail", "ended with 3"), ("rubbish", "gave no sound")]
)
async def test_a_program_that_fails_is_a_clear_error(text: str, message: str) -> None:
    async with open_manifest(MANIFEST) as plugin:
        assert plugin.tts is not None
        with pytest.raises(ProviderUnavailable, match=message):
            await say(plugin.tts, SpeechRequest(text))


@pytest.mark.usefixtures("stand_in")
async def test_the_limit_counts_requests() -> None:
    async with open_manifest(MANIFEST, FliteSettings(concurrency=1)) as plugin:
        assert plugin.tts is not None
        async with plugin.tts.synthesize(SpeechRequest("one")):
            with pytest.raises(ProviderBusy, match="all 1 places"):
                await say(plugin.tts, SpeechRequest("two"))


@pytest.mark.usefixtures("stand_in")
@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (SpeechRequest("hi", voice="rms"), "no voice 'rms'; known are awb, kal, robot, slt"),
        (SpeechRequest("hi", model="turbo"), "no models"),
        (SpeechRequest("hi", language="de"), "English only"),
    ],
)
async def test_what_it_cannot_do_is_refused(request_: SpeechRequest, message: str) -> None:
    async with open_manifest(MANIFEST) as plugin:
        assert plugin.tts is not None
        with pytest.raises(ProviderRefused, match=message):
            await say(plugin.tts, request_)


async def test_a_missing_program_is_told_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProviderUnavailable, match=r"flite is not installed \(apt install flite\)"):
        async with open_manifest(MANIFEST):
            pass


async def test_a_program_of_another_kind_is_a_clear_error(tmp_path: Path) -> None:
    program = tmp_path / "flite"
    program.write_text("I am no program")
    program.chmod(0o755)
    with pytest.raises(ProviderUnavailable, match="does not start"):
        async with open_manifest(MANIFEST, FliteSettings(program=str(program))):
            pass


@pytest.mark.usefixtures("stand_in")
async def test_a_wrong_voice_in_the_settings_is_told_at_the_start() -> None:
    with pytest.raises(ProviderRefused, match=r"in the settings: no voice 'klingon'; known are"):
        async with open_manifest(MANIFEST, FliteSettings(voice="klingon")):
            pass


def test_voices_are_read_from_the_listing_without_the_talking_clock() -> None:
    voices = read_voices("Voices available: kal awb_time slt robot \n")
    assert sorted(voices) == ["kal", "robot", "slt"]
    assert (voices["slt"].gender, voices["robot"].gender) == ("Female", "Unknown")
    assert read_voices("rubbish") == {}
