"""What the README shows works as it stands there."""

import re
import shlex
import sys
from pathlib import Path

import pytest
import trio

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> str:
    """All code blocks of a language, one after the other."""
    return "\n".join(re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL))


def commands(program: str) -> list[list[str]]:
    """The arguments of each line that calls a program."""
    lines = [shlex.split(line, comments=True) for line in blocks("sh").splitlines()]
    return [words[1:] for words in lines if words[:1] == [program]]


@pytest.mark.pins("D003")
async def test_the_commands_and_the_client_run(
    address: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Somebody types the commands one by one, and then starts the client."""
    monkeypatch.chdir(tmp_path)
    assert [words[0] for words in commands("waav")] == ["speak", "transcribe"]
    with trio.fail_after(100):
        for words in commands("waav"):
            done = await trio.run_process(
                [sys.executable, "-m", "waav", *words], capture_stdout=True
            )
        assert done.stdout.decode().strip() == "hello world"
        client = blocks("python")
        assert "ws://localhost:3001/ws" in client
        client = client.replace("localhost:3001", address)
        await trio.to_thread.run_sync(exec, client, {}, abandon_on_cancel=True)
    last = capsys.readouterr().out.splitlines()[-1]
    assert "'transcript': 'hello world'" in last
    assert "'is_speech_final': True" in last


def test_the_client_is_short() -> None:
    program = [line for line in blocks("python").splitlines() if line and "import" not in line]
    assert len(program) <= 10


def test_make_has_what_is_promised() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    promised = [words[0] for words in commands("make")]
    assert promised == ["demo", "test", "serve"]
    assert [name for name in promised if not re.search(rf"^{name}:", makefile, re.MULTILINE)] == []


def test_every_page_it_leads_to_is_there() -> None:
    """So do the other pages: no link within the project leads nowhere."""
    dead = [
        (page.relative_to(ROOT).as_posix(), link)
        for page in (ROOT / "README.md", *ROOT.glob("docs/**/*.md"))
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if not (page.parent / link).exists()
    ]
    assert dead == []
