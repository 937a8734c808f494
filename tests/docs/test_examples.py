"""The example programs do what they say, on the real engines and, where they use one, a real socket."""

import wave
from pathlib import Path
from types import ModuleType

import pytest
import trio

from waav.testing.audio import QUESTION_TEXT, question, write_wav

ROOT = Path(__file__).parents[2]


@pytest.mark.pins("D003")
async def test_the_embedded_gateway_understands_and_answers(embed: ModuleType) -> None:
    with trio.fail_after(60):
        words, sound = await embed.main()
    assert words == QUESTION_TEXT
    assert any(sound)


@pytest.mark.pins("D003")
async def test_the_client_gets_the_words_and_a_reply(
    ws_client: ModuleType, address: str, tmp_path: Path
) -> None:
    asked, reply = tmp_path / "question.wav", tmp_path / "reply.wav"
    write_wav(asked, question())
    with trio.fail_after(60):
        words = await trio.to_thread.run_sync(
            ws_client.main, f"ws://{address}/ws", str(asked), str(reply), abandon_on_cancel=True
        )
    assert words == QUESTION_TEXT
    with wave.open(str(reply)) as file:
        assert file.getframerate() == 24000
        assert file.getnframes() > 24000
        assert any(file.readframes(file.getnframes()))


@pytest.mark.pins("D003")
def test_every_example_has_a_test() -> None:
    """An example that no test names is one that nobody runs."""
    tests = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("tests/**/*.py"))
    examples = [path.name for path in (ROOT / "docs/examples").glob("*.py")]
    assert examples
    assert [name for name in examples if name not in tests] == []
