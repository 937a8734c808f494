"""Spoken conversations with the local engines, over the real socket, in real time.

The tables of docs/topics/conversations.md have more of them; these are those that must not fail.
"""

import pytest
import trio
from conversations.gateway import ENGINES, UNMARKED, open_local
from conversations.score import score
from conversations.script import Script, assemble
from conversations.scripts import COUGH, INTERRUPTED_LECTURE, NOISE, TELEPHONE, TWO_SENTENCES
from conversations.talk import FEATURES, Message, Record, converse

WORDS = ["what time is it", "turn on the light in the kitchen"]
STT: Message = {"provider": "pocketsphinx"}


async def converse_all(*scripts: Script) -> list[Record]:
    """Have several conversations at one time."""
    records: dict[str, Record] = {}

    async def one(url: str, script: Script) -> None:
        records[script.name] = await converse(url, assemble(script), STT)

    async with open_local() as local, trio.open_nursery() as nursery:
        for script in scripts:
            nursery.start_soon(one, local.url, script)
    return [records[script.name] for script in scripts]


async def test_one_speech_final_for_each_sentence_with_its_words() -> None:
    """The recogniser says when the user has finished; the voice detector hears what was really said."""
    [record] = await converse_all(TWO_SENTENCES)
    assert record.turns == WORDS
    assert not any("forced" in message for _, message in record.of("stt_result"))
    result = score(record)
    assert (result.turns, result.cut_offs, result.lost, result.invented) == (2, 0, 0, 0)
    assert all(0.5 < delay < 3 for delay in result.delays), result.delays

    voices = [message["event"] for _, message in record.of("vad_event")]
    assert voices == ["speech_started", "speech_stopped"] * 2
    assert len(result.voice_starts) == len(result.voice_stops) == 2
    assert max(map(abs, result.voice_starts + result.voice_stops)) < 0.15


async def test_one_speech_final_for_each_sentence_when_only_time_decides() -> None:
    """The recogniser marks no ends, as many do not; the gateway finds them."""
    scene = assemble(TWO_SENTENCES)
    stt: Message = {"provider": "unmarked", "endpointing": 300}
    features = FEATURES | {"turn_detection": {"silence_ms": 700}}
    async with open_local(manifests=(*ENGINES, UNMARKED)) as local:
        record = await converse(local.url, scene, stt, features)
    assert record.turns == WORDS
    ends = [message for _, message in record.of("stt_result") if message["is_speech_final"]]
    assert all(message["forced"] for message in ends)
    assert score(record).cut_offs == 0


async def test_noise_and_telephones_blur_words_and_not_turns() -> None:
    """The recogniser knows no telephones, of whose words it understands few, and little of noise."""
    noisy, telephone = await converse_all(NOISE, TELEPHONE)
    for record in (noisy, telephone):
        result = score(record)
        assert (result.turns, result.cut_offs, result.lost, result.invented) == (2, 0, 0, 0)
        assert len(result.voice_starts) == 2
        assert max(map(abs, result.voice_starts)) < 0.15
    assert score(noisy).right > score(noisy).words / 2, noisy.turns


async def test_words_interrupt_the_agent_and_a_cough_does_not() -> None:
    coughed, interrupted = await converse_all(COUGH, INTERRUPTED_LECTURE)
    assert coughed.kinds == ["speaking_started", "speaking_finished"]
    assert coughed.turns == []
    nothing_follows(interrupted)
    assert interrupted.turns == ["please call me tomorrow morning"]


def nothing_follows(record: Record) -> None:
    """The agent was cut off by the user's words, while it was still being sent."""
    [(at, news)] = record.of("speaking_interrupted")
    assert news["by"] == "user"
    # Where words are slow to come, the voice alone has made the agent hold on before them.
    assert [kind for kind in record.kinds if kind != "speaking_paused"] == [
        "speaking_started",
        "speaking_interrupted",
        "speaking_finished",
    ]
    assert not record.of("tts_playback_complete")
    began, ended = record.sound[0][0], record.sound[-1][0]
    assert ended <= at
    [sentence] = record.scene.sentences
    assert sentence.start < at < sentence.end
    # What was heard is what time allowed, not what was sent.
    assert news["played_ms"] == pytest.approx(1000 * (at - began), abs=150)
    assert news["sent_ms"] > 2 * news["played_ms"]
