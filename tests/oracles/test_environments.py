"""What an SDK is run in and with."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import tomli
import trio

from oracles import environments
from oracles.__main__ import VENDORS
from oracles.environments import bare, python_of, run

SDK = re.compile(r"^(deepgram-sdk|elevenlabs|google-cloud-[a-z]+|openai)\b")


def test_no_sdk_is_needed_to_run() -> None:
    """Each stands among the requirements of an oracle, and among nobody else's."""
    for vendor in VENDORS:
        pins = (environments.HERE / f"requirements/{vendor}.txt").read_text().splitlines()
        assert any(map(SDK.match, pins)), vendor
    project = tomli.loads((environments.HERE.parents[1] / "pyproject.toml").read_text())["project"]
    needed = [project["dependencies"], *project["optional-dependencies"].values()]
    assert [each for one in needed for each in one if SDK.match(each)] == []


def test_an_sdk_sees_no_proxy_and_no_key_of_whoever_runs_it() -> None:
    variables = {"PATH": "/bin", "HTTPS_PROXY": "http://proxy", "OPENAI_API_KEY": "k", "LANG": "C"}
    assert bare(variables) == {"PATH": "/bin", "LANG": "C"}


async def test_an_environment_is_built_once_for_its_requirements(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requirements of nothing build in no time and need no network."""
    (tmp_path / "requirements").mkdir()
    requirements = tmp_path / "requirements/nobody.txt"
    requirements.write_text("# nothing\n")
    monkeypatch.setattr(environments, "HERE", tmp_path)
    monkeypatch.setattr(environments, "ENVIRONMENTS", tmp_path / "made")
    python = await python_of("nobody")
    assert python.is_file()
    mark = tmp_path / "made/nobody/mark"
    mark.touch()
    assert await python_of("nobody") == python
    assert mark.exists()
    requirements.write_text("# still nothing\n")
    assert await python_of("nobody") == python
    assert not mark.exists()


async def test_a_program_that_fails_or_waits_for_ever_is_a_failure() -> None:
    assert await run([sys.executable, "-c", "print(input())"], b"hello\n", 30) == "hello\n"
    with pytest.raises(subprocess.CalledProcessError):
        await run([sys.executable, "-c", "raise SystemExit(1)"], b"", 30)
    with pytest.raises(trio.TooSlowError):
        await run([sys.executable, "-c", "import signal; signal.pause()"], b"", 0.5)
