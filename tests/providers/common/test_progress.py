"""Who asked and hears nothing loses patience, counted from the oldest question."""

from math import inf

from providers._common.progress import Progress


def test_without_a_question_there_is_no_hurry() -> None:
    assert Progress(5).deadline == inf


def test_patience_begins_with_the_oldest_question() -> None:
    progress = Progress(5)
    progress.asked(10)
    progress.asked(14)
    assert progress.deadline == 15


def test_any_answer_will_do() -> None:
    progress = Progress(5)
    progress.asked(10)
    progress.answered()
    assert progress.deadline == inf
    progress.asked(20)
    assert progress.deadline == 25


def test_endless_patience() -> None:
    progress = Progress(inf)
    progress.asked(10)
    assert progress.deadline == inf
