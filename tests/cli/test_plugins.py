"""``waav plugins``: listing them, putting one to the test, beginning a new one."""

import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
from click.shell_completion import ShellComplete

from waav.cli import scaffold
from waav.cli.main import main
from waav.testing import question, write_wav

PLUGIN = """
from contextlib import asynccontextmanager
from capabilities import Ability, Capability, Limits, Manifest, Plugin
from waav.testing import FakeTTS

@asynccontextmanager
async def open_plugin(context):
    yield Plugin(tts=FakeTTS())

ability = Ability(limits=Limits(concurrency={limit}))
{name} = Manifest("{id}", "Mine", open_plugin, {{Capability.TTS: ability}}, credentials={keys})
"""


@pytest.fixture(autouse=True)
def own_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Testing a plugin by its path makes its folder importable, for the rest of the process."""
    monkeypatch.setattr(sys, "path", [*sys.path])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A ``plugin_dir``, and a ``waav.toml`` beside it that names it."""
    path = tmp_path / "plugins"
    path.mkdir()
    (tmp_path / "waav.toml").write_text('[plugins]\nplugin_dir = "plugins"\n', encoding="utf-8")
    return path


def write(path: Path, limit: int | None = None, name: str = "MANIFEST", keys: str = "()") -> Path:
    text = PLUGIN.format(id=path.stem.replace("_", "-"), limit=limit, name=name, keys=keys)
    path.write_text(text, encoding="utf-8")
    return path


def card_of(result: Any) -> dict[str, dict[str, Any]]:
    return {row["check"]: row for row in json.loads(result.stdout)["checks"]}


def test_the_bare_word_still_lists(waav: Any) -> None:
    listed = waav("plugins").stdout
    assert {"pocketsphinx", "espeak"} <= {line.split()[0] for line in listed.splitlines()}
    assert waav("plugins", "list").stdout == listed
    as_json = waav("plugins", "--json").stdout
    assert [each["id"] for each in json.loads(as_json)]
    assert waav("plugins", "list", "--json").stdout == as_json


def test_json_for_a_subcommand_is_said_behind_it(waav: Any) -> None:
    result = waav("plugins", "--json", "test", "espeak")
    assert result.exit_code == 2
    assert "say: waav plugins test --json" in result.stderr


def test_espeak_scores_full(waav: Any) -> None:
    result = waav("plugins", "test", "espeak-ng")
    assert result.exit_code == 0, result.output
    *lines, totals = result.stdout.splitlines()
    verdicts = {line.split()[0]: line for line in lines}
    for check in ("manifest", "opening", "tts/contract"):
        assert "passed" in verdicts[check]
    assert " 0 failed" in totals
    faults = [line for check, line in verdicts.items() if "faults" in check]
    assert faults
    assert all("it calls nobody" in line for line in faults)


def test_pocketsphinx_scores_full_and_knows_the_words(waav: Any, tmp_path: Path) -> None:
    write_wav(tmp_path / "own.wav", question())
    words = ("--sound", "own.wav", "--text", "What is the weather like today?")
    result = waav("plugins", "test", "pocketsphinx", *words, "--json")
    assert result.exit_code == 0, result.output
    card = card_of(result)
    for check in ("manifest", "opening", "stt/contract", "stt/words"):
        assert card[check]["verdict"] == "passed"
    assert card["stt/words"]["took"] > 0
    assert "stt/words" in result.stderr, "progress is beside the JSON"


def test_a_broken_promise_is_named(waav: Any, folder: Path) -> None:
    write(folder / "greedy.py", limit=1)
    result = waav("-c", "waav.toml", "plugins", "test", "greedy")
    assert result.exit_code == 1
    [line] = [line for line in result.stdout.splitlines() if line.startswith("tts/contract")]
    assert "failed" in line
    assert line.endswith("request beyond the limit of 1 must raise ProviderBusy, but is let in")
    assert "greedy: 2 passed, 1 failed" in result.stdout


def test_a_missing_key_is_told_and_is_no_success(
    waav: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder / "keyed.py", keys="('deepgram_api_key',)")
    lacking = waav("-c", "waav.toml", "plugins", "test", "keyed", "--json")
    assert lacking.exit_code == 1
    told = card_of(lacking)["tts/contract"]
    assert told["verdict"] == "not applicable"
    assert "deepgram_api_key" in told["detail"]
    assert "DEEPGRAM_API_KEY" in told["detail"]
    monkeypatch.setenv("DEEPGRAM_API_KEY", "s3cr3t")
    given = waav("-c", "waav.toml", "plugins", "test", "keyed", "--json")
    assert given.exit_code == 0
    assert "s3cr3t" not in given.output


def test_only_some_checks(waav: Any) -> None:
    result = waav("plugins", "test", "espeak", "--only", "tts/contract", "--json")
    assert list(card_of(result)) == ["tts/contract"]
    assert result.exit_code == 0
    unknown = waav("plugins", "test", "espeak", "--only", "stt")
    assert unknown.exit_code == 2
    assert "there are manifest, opening, tts/contract" in unknown.stderr


def test_a_plugin_is_named_by_its_place(waav: Any, tmp_path: Path) -> None:
    write(tmp_path / "a_file.py")
    write(tmp_path / "two_of_it.py", name="SECOND")
    for name in ("a_file.py", str(tmp_path / "a_file.py"), "two_of_it:SECOND"):
        result = waav("plugins", "test", name, "--only", "manifest", "--only", "tts/contract")
        assert result.exit_code == 0, result.output


NAMES = {
    "unknown": ("nobody", "no plugin is called 'nobody' (known: "),
    "alias-of-two": ("local", "'local' is a name of espeak, "),
    "no-file": ("nowhere.py", "neither a Python file nor a package"),
    "no-manifest": ("empty.py", "empty.py has no MANIFEST"),
    "no-such-attribute": ("empty:MINE", "empty:MINE has no MANIFEST"),
    "not-importable": ("torn.py", "torn cannot be imported: ModuleNotFoundError"),
    "hidden": ("json.py", "hidden by a module of the same name"),
    "failed": ("torn", "torn.py cannot be loaded: ModuleNotFoundError"),
}


@pytest.mark.parametrize(("name", "told"), NAMES.values(), ids=NAMES)
def test_what_cannot_be_found_says_why(
    waav: Any, folder: Path, tmp_path: Path, name: str, told: str
) -> None:
    for place in (folder, tmp_path):
        (place / "torn.py").write_text("import nothing_of_this_name", encoding="utf-8")
    for empty in ("empty.py", "json.py"):
        (tmp_path / empty).write_text("", encoding="utf-8")
    result = waav("-c", "waav.toml", "plugins", "test", name)
    assert result.exit_code == 1
    assert told in result.stderr


def test_the_settings_of_the_operator_count(waav: Any, tmp_path: Path) -> None:
    table = '[plugins.providers.espeak]\nvoice = "nobody"\n'
    (tmp_path / "waav.toml").write_text(table, encoding="utf-8")
    result = waav("-c", "waav.toml", "plugins", "test", "espeak")
    assert result.exit_code == 1
    assert "nobody" in result.output


def test_sound_that_is_none(waav: Any, tmp_path: Path) -> None:
    (tmp_path / "noise.wav").write_bytes(b"no sound")
    result = waav("plugins", "test", "pocketsphinx", "--sound", "noise.wav")
    assert result.exit_code == 2
    assert "noise.wav" in result.stderr


async def test_ctrl_c_ends_it_without_a_fuss(tmp_path: Path) -> None:
    """Somebody presses Ctrl-C as soon as the first line is there."""
    command = [sys.executable, "-m", "waav", "plugins", "test", "pocketsphinx"]
    start = partial(trio.run_process, command, cwd=tmp_path, check=False)
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
            process = await nursery.start(partial(start, **pipes))
            told = b""
            while b"opening" not in told:
                told += await process.stdout.receive_some()
            process.send_signal(signal.SIGINT)
            told += b"".join([part async for part in process.stdout])
            complaints = b"".join([part async for part in process.stderr])
    assert process.returncode == 130
    assert told.endswith(b"stopped\n")
    assert complaints == b""


def child(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a program of this environment, without what the surroundings say."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    command = [sys.executable, "-m", *words]
    return subprocess.run(
        command, cwd=cwd, env=environ, text=True, capture_output=True, check=False, timeout=100
    )


@pytest.fixture(params=["stt", "tts", "vad", "ws_handler", "middleware"])
def project(request: Any, waav: Any, tmp_path: Path) -> Path:
    """A project as ``waav plugins new`` writes it."""
    name = f"my-own-{request.param.replace('_', '-')}"
    result = waav("plugins", "new", name, "--kind", request.param)
    assert result.exit_code == 0, result.output
    return tmp_path / name


def test_a_new_plugin_keeps_its_promises(project: Path) -> None:
    """Whoever follows the advice sees the score card and the tests pass, before any change."""
    package = "waav_" + project.name.replace("-", "_")
    card = child("waav", "plugins", "test", f"./{package}", cwd=project)
    assert card.returncode == 0, card.stdout + card.stderr
    assert f"{project.name}: " in card.stdout
    own = child("pytest", "-q", "-W", "error", "-p", "no:cacheprovider", cwd=project)
    assert own.returncode == 0, own.stdout + own.stderr
    assert " passed" in own.stdout


def test_a_new_plugin_is_as_tools_want_it(project: Path) -> None:
    for words in (
        ("ruff", "check", "--isolated", "--select", "E,F,I,B,UP,SIM,RUF,ANN", "--no-cache", "."),
        ("ruff", "check", "--isolated", "--no-cache", "."),
        ("ruff", "format", "--isolated", "--no-cache", "--check", "."),
        ("mypy", "--cache-dir", str(project.parent.parent / "mypy")),
    ):
        done = child(*words, cwd=project)
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_new_plugin_is_found_in_plugin_dir(waav: Any, project: Path, tmp_path: Path) -> None:
    config = f'[plugins]\nplugin_dir = "{project.name}"\n'
    (tmp_path / "waav.toml").write_text(config, encoding="utf-8")
    listed = json.loads(waav("-c", "waav.toml", "plugins", "--json").stdout)
    [own] = [each for each in listed if each["id"] == project.name]
    assert own["state"] == "running", own


def test_a_new_plugin_says_what_to_do_next(waav: Any, tmp_path: Path) -> None:
    result = waav("plugins", "new", "hello", "--kind", "stt", "--dir", "deep/down")
    assert result.exit_code == 0
    assert "waav plugins test ./waav_hello" in result.stdout
    root = tmp_path / "deep/down/hello"
    files = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    assert {"pyproject.toml", "README.md", "tests/test_plugin.py"} <= files
    assert "waav_hello/py.typed" in files
    text = "".join((root / name).read_text(encoding="utf-8") for name in files)
    assert "$" not in text


def test_nothing_is_overwritten(waav: Any, tmp_path: Path) -> None:
    (tmp_path / "hello").mkdir()
    result = waav("plugins", "new", "hello", "--kind", "stt")
    assert result.exit_code == 1
    assert "hello is there already: nothing was written" in result.stderr
    assert list((tmp_path / "hello").iterdir()) == []


def test_a_project_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """Otherwise the next attempt would find half a project there, and write nothing."""
    with pytest.raises(OSError, match="too long"):
        scaffold.write(tmp_path / "hello", {"README.md": "", f"{'x' * 300}.py": ""})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["Hello", "1st", "a_b", "a--b", "-a", "a-", "../a", "", "x" * 41, "espeak", "local"]
)
def test_a_name_that_cannot_be_is_refused(waav: Any, tmp_path: Path, name: str) -> None:
    result = waav("plugins", "new", "--kind", "stt", "--", name)
    assert result.exit_code == 2
    assert "Invalid value for NAME" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "typed", "names"),
    [
        (["plugins", "test"], "esp", ["espeak", "espeak-ng"]),
        (["plugins", "new", "--kind"], "s", ["stt"]),
        (["plugins"], "t", ["test"]),
    ],
    ids=["name", "kind", "subcommand"],
)
def test_the_shell_completes(words: list[str], typed: str, names: list[str]) -> None:
    completions = ShellComplete(main, {}, "waav", "_WAAV_COMPLETE").get_completions(words, typed)
    assert [item.value for item in completions] == names
