"""One decoder, used for one stream after the other, without a process around it."""

import io
import json
from itertools import pairwise

import pytest

from providers.local import sphinx_recogniser, sphinx_wire, sphinx_worker
from providers.local.sphinx_recogniser import Heard, Recogniser
from waav.testing import QUESTION_TEXT, question, silence, tone

PAUSE = silence(1.0).data


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    """Building one takes half a second."""
    return Recogniser()


@pytest.fixture
def listening(recogniser: Recogniser) -> Recogniser:
    recogniser.open(silence=0.6, sensitivity=2, interims=True)
    return recogniser


def test_the_end_of_speech_is_noticed_without_being_told(listening: Recogniser) -> None:
    heard = listening.hear(PAUSE + question().data + PAUSE)
    *interims, final = heard
    assert final["text"] == QUESTION_TEXT
    assert final["speech_final"]
    assert 0.5 < final["confidence"] <= 1
    assert QUESTION_TEXT.split()[-1] in interims[-1]["text"]
    assert len({each["text"] for each in interims}) > 3
    assert all(a != b for a, b in pairwise(interims)), "only changes"
    assert listening.finish() == [], "all was said"


def test_words_have_the_time_of_the_stream(listening: Recogniser) -> None:
    final = listening.hear(PAUSE + question().data + PAUSE)[-1]
    words = final["words"]
    assert [word["text"] for word in words] == QUESTION_TEXT.split()
    assert words[0]["start"] == pytest.approx(1.18, abs=0.1)
    assert words[-1]["end"] == pytest.approx(2.82, abs=0.1)


def test_the_last_words_come_at_the_end_of_the_sound(listening: Recogniser) -> None:
    heard = listening.hear(question().data[:-1])  # not even whole samples
    assert all("final" not in each for each in heard)
    (final,) = listening.finish()
    assert final["text"] == QUESTION_TEXT


def test_a_stream_left_in_the_middle_leaves_nothing(recogniser: Recogniser) -> None:
    def whole() -> list[Heard]:
        recogniser.open(silence=0.6, sensitivity=2, interims=False)
        return recogniser.hear(question().data + PAUSE)

    first = whole()
    recogniser.hear(question().data[:20001])
    assert whole() == first


@pytest.mark.parametrize("sound", [b"", b"\x00", PAUSE, tone(0.05, 200).data], ids=len)
def test_nothing_said_is_nothing_heard(listening: Recogniser, sound: bytes) -> None:
    assert listening.hear(sound) + listening.finish() == []


def test_a_hum_makes_no_words(listening: Recogniser) -> None:
    heard = listening.hear(tone(1.0, 200).data + PAUSE) + listening.finish()
    assert [each for each in heard if not each["text"].strip()] == []


def test_endless_speech_is_cut(listening: Recogniser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sphinx_recogniser, "_LONGEST", 1.0)
    heard = listening.hear(question().data) + listening.finish()
    finals = [each for each in heard if "final" in each]
    assert [each["speech_final"] for each in finals] == [False, True]
    assert finals[0]["text"].startswith("what is the")


def test_a_worker_answers_each_request_once(
    recogniser: Recogniser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sphinx_worker, "Recogniser", lambda: recogniser)
    opening = json.dumps({"silence": 0.6, "sensitivity": 2, "interims": False}).encode()
    requests = io.BytesIO(
        sphinx_wire.request("O", opening)
        + sphinx_wire.request("A", question().data)
        + sphinx_wire.request("F")
        + sphinx_wire.request("A", b"half of this is lost")[:-10]
    )
    replies = io.BytesIO()
    sphinx_worker.serve(requests, replies)
    sizes, texts = 0, []
    replies.seek(0)
    while head := replies.read(sphinx_wire.REPLY_HEAD):
        sizes += 1
        said = sphinx_wire.transcripts(replies.read(sphinx_wire.reply_size(head)), "en-US")
        texts += [each.text for each in said if hasattr(each, "text")]
    assert sizes == 4, "ready, opened, heard, finished"
    assert texts == [QUESTION_TEXT]


def test_an_unknown_request_ends_the_worker(
    recogniser: Recogniser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sphinx_worker, "Recogniser", lambda: recogniser)
    with pytest.raises(ValueError, match="'Z'"):
        sphinx_worker.serve(io.BytesIO(b"Z\x00\x00\x00\x00"), io.BytesIO())
