"""``waav init``: a fresh machine gets what its plugins need, and then they run."""

import hashlib
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import trio
from click.testing import Result
from support.models import WORDS, save_sound_model, save_text_model, save_tokenizer
from support.servers.http import Answer, HTTPServer, open_http_server

from capabilities import TurnDetector, TurnQuestion, TurnVerdict
from waav import open_gateway
from waav.config import load

Waav = Callable[..., Awaitable[Result]]
SAID = ["more", "done"]
CONFIG = """
[cache]
path = "{cache}"

[plugins.providers.turn-detector]
model_url = "{url}/mirror/model.onnx"
tokenizer_url = "{url}/mirror/tokenizer.json"
languages_url = "{url}/mirror/languages.json"
sha256 = "{sha256}"
"""


@pytest.fixture
def waav(waav: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> Waav:
    """Run the command in a thread, so that a server of the test can answer it."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)

    async def run(*words: str) -> Result:
        return await trio.to_thread.run_sync(partial(waav, *words))

    return run


@pytest.fixture
def files(tmp_path: Path) -> dict[str, bytes]:
    """What the mirror has."""
    table = np.full((len(WORDS) + len(SAID), 1), 0.1)
    table[-1] = 0.9
    model = save_text_model(tmp_path / "made.onnx", table, "prob", flat=True)
    tokenizer = save_tokenizer(tmp_path / "made.json", SAID)
    return {
        "/mirror/model.onnx": model.read_bytes(),
        "/mirror/tokenizer.json": tokenizer.read_bytes(),
        "/mirror/languages.json": b'{"en": {"threshold": 0.25}}',
    }


def mirror(files: dict[str, bytes]) -> Callable[..., Awaitable[None]]:
    async def reply(exchange: object) -> None:
        body = files.get(exchange.request.target)  # type: ignore[attr-defined]
        await (Answer(404) if body is None else Answer(200, body))(exchange)  # type: ignore[arg-type]

    return reply


def configure(folder: Path, server: HTTPServer, sha256: str = "", more: str = "") -> str:
    path = folder / "waav.toml"
    text = CONFIG.format(cache=folder / "cache", url=server.url, sha256=sha256)
    path.write_text(text + more, encoding="utf-8")
    return str(path)


async def test_after_init_the_detector_runs(
    waav: Waav, files: dict[str, bytes], tmp_path: Path
) -> None:
    """From the mirror that the configuration names, into the folder where the plugin looks."""
    sha256 = hashlib.sha256(files["/mirror/model.onnx"]).hexdigest()
    async with open_http_server(mirror(files)) as server:
        path = configure(tmp_path, server, sha256)
        first = await waav("-c", path, "init", "turn-detector")
        again = await waav("-c", path, "init", "turn-text")
    assert (first.exit_code, first.stdout.splitlines()) == (
        0,
        [
            "turn-detector: languages.json: fetched",
            "turn-detector: tokenizer.json: fetched",
            "turn-detector: model_quantized.onnx: fetched",
        ],
    )
    assert (again.exit_code, again.stdout.count("there already, and right")) == (0, 3)
    assert len(server.requests) == 3

    async def ask(detector: TurnDetector) -> TurnVerdict:
        return await detector.judge(TurnQuestion("more done", language="en"))

    config = load(Path(path), environ={}, arguments={}, strict=True).config
    async with open_gateway(config) as gateway:
        verdict = await gateway.plugins.turn_detector("turn-detector").run(ask)
    assert verdict == TurnVerdict(pytest.approx(0.9), 0.25)


async def test_all_that_need_files_get_theirs(
    waav: Waav, files: dict[str, bytes], tmp_path: Path
) -> None:
    sound = save_sound_model(tmp_path / "sound.onnx").read_bytes()
    async with open_http_server(mirror(files | {"/sound": sound})) as server:
        sha256 = hashlib.sha256(sound).hexdigest()
        more = f'[plugins.providers.smart-turn]\nmodel_url = "{server.url}/sound"\n'
        more += f'sha256 = "{sha256}"\n'
        result = await waav("-c", configure(tmp_path, server, more=more), "init")
    assert result.exit_code == 0, result.output
    names = sorted(each.split(":")[0] for each in result.stdout.splitlines())
    assert names == ["smart-turn", *["turn-detector"] * 3]
    place = tmp_path / "cache/plugins/smart-turn/smart-turn-v3.2-cpu.onnx"
    assert place.read_bytes() == sound


async def test_what_fails_is_told_and_does_not_stop_the_rest(
    waav: Waav, files: dict[str, bytes], tmp_path: Path
) -> None:
    del files["/mirror/tokenizer.json"]
    async with open_http_server(mirror(files)) as server:
        path = configure(tmp_path, server, "ab" * 32)
        result = await waav("-c", path, "init", "turn-detector")
    assert result.exit_code == 1
    assert "languages.json: fetched" in result.stdout
    assert f"tokenizer.json: {server.url}/mirror/tokenizer.json answers 404" in result.stderr
    assert f"not {'ab' * 32}; it was removed" in result.stderr
    folder = tmp_path / "cache/plugins/turn-detector"
    assert sorted(each.name for each in folder.iterdir()) == [
        "languages.json",
        "languages.json.sha256",
    ]


async def test_force_fetches_anew(waav: Waav, files: dict[str, bytes], tmp_path: Path) -> None:
    async with open_http_server(mirror(files)) as server:
        path = configure(tmp_path, server)
        await waav("-c", path, "init", "turn-detector")
        result = await waav("-c", path, "init", "--force", "turn-detector")
    assert result.stdout.count("fetched") == 3
    assert len(server.requests) == 6


async def test_without_a_folder_it_says_which_option_to_set(waav: Waav) -> None:
    result = await waav("init", "smart-turn")
    assert result.exit_code == 1
    assert "set path under [cache]" in result.stderr
    assert "CACHE_PATH" in result.stderr


async def test_a_folder_that_cannot_be_made_is_told(
    waav: Waav, files: dict[str, bytes], tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("a file")
    async with open_http_server(mirror(files)) as server:
        result = await waav("-c", configure(tmp_path, server), "init", "turn-detector")
    assert result.exit_code == 1
    assert str(tmp_path / "cache") in result.stderr


async def test_one_that_needs_nothing_says_so(waav: Waav) -> None:
    result = await waav("init", "espeak")
    assert (result.exit_code, result.stdout) == (0, "espeak: needs no files\n")


async def test_an_unknown_one_is_named(waav: Waav) -> None:
    result = await waav("init", "nobody")
    assert result.exit_code == 1
    assert "no plugin is called 'nobody'" in result.stderr


async def test_ctrl_c_ends_it_with_130(
    waav: Waav, files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("waav.cli.init.shown", interrupted)
    async with open_http_server(mirror(files)) as server:
        result = await waav("-c", configure(tmp_path, server), "init", "turn-detector")
    assert result.exit_code == 130
    assert "run it again to go on" in result.stderr


async def test_progress_is_lines_where_there_is_no_terminal(
    waav: Waav, files: dict[str, bytes], tmp_path: Path
) -> None:
    files["/mirror/languages.json"] = b'{"en": 0.5}' + b" " * (5 << 20)
    async with open_http_server(mirror(files)) as server:
        result = await waav("-c", configure(tmp_path, server), "init", "turn-detector")
    lines = [each for each in result.stderr.splitlines() if each.endswith("of 5.0 MB")]
    assert 2 <= len(lines) <= 5
    assert lines[0].startswith("languages.json: 1.")
