"""One line for an operator, and whose fault it was."""

import pytest
import trio

from capabilities import ProviderClosed, ProviderRefused
from waav.errors import InvalidRequest
from waav.plugins.reasons import kinds_of, only_cancelled, permitted, reason_of

CLOSED, REFUSED = ProviderClosed("p", "gone"), ProviderRefused("p", "no key")
OURS = InvalidRequest("too long")


def group(*parts: Exception) -> ExceptionGroup[Exception]:
    return ExceptionGroup("a nursery's", parts)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (CLOSED, CLOSED),
        (OURS, OURS),
        (group(group(REFUSED)), REFUSED),
        (group(CLOSED, REFUSED), CLOSED),
        (group(CLOSED, ValueError()), None),
        (group(ValueError()), None),
        (ValueError(), None),
        (SystemExit(), None),
    ],
    ids=repr,
)
def test_what_a_caller_may_see_unchanged(error: BaseException, expected: Exception | None) -> None:
    assert permitted(error) is expected


async def test_a_cancellation_beside_an_error_does_not_count() -> None:
    with trio.CancelScope() as scope:
        scope.cancel()
        with pytest.raises(trio.Cancelled) as cancelled:
            await trio.lowlevel.checkpoint()
    mixed = BaseExceptionGroup("", [cancelled.value, CLOSED])
    assert permitted(mixed) is CLOSED
    assert not only_cancelled(mixed)
    assert permitted(cancelled.value) is None
    assert only_cancelled(BaseExceptionGroup("", [cancelled.value]))


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("no\n  such file"), "ValueError: no such file"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (
            group(ValueError("a"), group(ValueError("a"), KeyError("b"))),
            "ValueError: a; KeyError: 'b'",
        ),
    ],
)
def test_a_reason_is_one_line(error: BaseException, line: str) -> None:
    assert reason_of(error) == line


def test_a_reason_is_short() -> None:
    assert len(reason_of(ValueError("x" * 10_000))) == 300


def test_kinds_say_nothing_of_what_the_errors_say() -> None:
    assert kinds_of(group(ValueError("secret"), KeyError("secret"))) == "ValueError, KeyError"
