"""What there is, for people and for scripts."""

import json
from typing import Any

import pytest
from click.shell_completion import ShellComplete

from waav.cli.main import main


def test_providers(waav: Any) -> None:
    listed = json.loads(waav("providers", "--json").stdout)
    assert {"pocketsphinx": "stt", "espeak": "tts"}.items() <= {
        each["id"]: each["capability"] for each in listed
    }.items()
    only = waav("providers", "--type", "stt").stdout
    assert "pocketsphinx" in only
    assert "espeak" not in only


def test_voices(waav: Any) -> None:
    british = json.loads(
        waav("voices", "--provider", "local", "--language", "en-gb", "--json").stdout
    )
    assert british
    assert {each["provider"] for each in british} == {"espeak"}
    assert all(each["language"].lower().startswith("en-gb") for each in british)


def test_plugins_show_why_one_is_not_there(waav: Any, tmp_path: Any) -> None:
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "broken.py").write_text("import nothing_of_this_name", encoding="utf-8")
    config = tmp_path / "waav.toml"
    config.write_text('[plugins]\nplugin_dir = "plugins"\n', encoding="utf-8")
    listed = json.loads(waav("--config", str(config), "plugins", "--json").stdout)
    [broken] = [each for each in listed if each["id"] == "broken"]
    assert broken["state"] == "failed"
    assert "nothing_of_this_name" in broken["reason"]


def test_help_explains_every_command(waav: Any) -> None:
    text = waav("--help").stdout
    for command in ("serve", "demo", "speak", "transcribe", "check-config", "openapi"):
        assert command in text
        assert waav(command, "--help").exit_code == 0


@pytest.mark.parametrize(
    ("words", "typed", "names"),
    [
        (["transcribe", "--provider"], "po", ["pocketsphinx"]),
        (["speak", "--provider"], "espeak", ["espeak", "espeak-ng"]),
        (["voices", "--provider"], "none", []),
        ([], "tr", ["transcribe"]),
    ],
)
def test_the_shell_completes_names(words: list[str], typed: str, names: list[str]) -> None:
    completions = ShellComplete(main, {}, "waav", "_WAAV_COMPLETE").get_completions(words, typed)
    assert [item.value for item in completions] == names
