"""The sample file and the manual cannot disagree with the schema."""

import re
from functools import reduce
from operator import getitem
from pathlib import Path

import pytest
import tomli

from waav.config import Config, load
from waav.config.document import COMMAND, FILES, main, manual, sample
from waav.config.layers import OPTIONS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("path", FILES)
def test_the_files_are_as_written_by_the_generator(path: Path) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    assert text == FILES[path](), f"{path} is out of date; run: {COMMAND}"


def test_the_sample_is_the_defaults() -> None:
    loaded = load(ROOT / "config.toml", environ={}, dotenv=None, strict=True)
    assert loaded.config == Config()
    assert loaded.warnings == ()


def test_the_sample_shows_every_option() -> None:
    """In its section, as a line or, where the default is "not set", as a commented example."""
    data = tomli.loads(re.sub(r"^# (\w+ = )", r"\1", sample(), flags=re.MULTILINE))
    for option in OPTIONS.values():
        shown = reduce(getitem, option.path, data)
        if option.default is not None:
            assert shown == (
                list(option.default) if isinstance(option.default, tuple) else option.default
            )


def test_the_manual_names_every_option_and_variable() -> None:
    text = manual()
    assert [row.key for row in OPTIONS.values() if f"| `{row.path[-1]}` |" not in text] == []
    assert [row.env for row in OPTIONS.values() if row.env and f"`{row.env}`" not in text] == []


@pytest.mark.pins("D275")
def test_the_manual_says_when_the_limiter_is_off() -> None:
    assert "100000 or more switches the limiter off" in manual()
    assert "100000 or more switches the limiter off" in sample()


@pytest.mark.pins("D269")
def test_the_sample_says_who_wins() -> None:
    said = " ".join(line.removeprefix("# ") for line in sample().splitlines()[:10])
    assert "argument wins over this file, the file over the environment" in said


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without --write it only tells; with it the files are made."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    assert main([]) == 1
    assert capsys.readouterr().out == "config.toml\ndocs/configuration.md\n"
    assert not Path("config.toml").exists()
    assert main(["--write"]) == 0
    assert main([]) == 0
    assert Path("config.toml").read_text(encoding="utf-8") == sample()
