"""How a command ends that cannot go on: with a sentence, or with a record of our bug; never with a key."""

import click
import pytest
import trio

from capabilities import ProviderError
from waav.cli.context import run
from waav.observe.scope import hiding

KEY = "the-key-of-the-operator"


async def fail(error: BaseException) -> None:
    await trio.lowlevel.checkpoint()
    raise error


def test_an_error_for_the_user_is_a_sentence_without_its_key() -> None:
    with hiding([KEY]), pytest.raises(click.ClickException, match=r"^acme: no such key: \*\*\*$"):
        run(fail, ProviderError("acme", f"no such key: {KEY}"))


def test_a_bug_is_a_record_with_its_stack(caplog: pytest.LogCaptureFixture) -> None:
    """So that what its text holds goes the same way as all that is written down."""
    with pytest.raises(SystemExit) as ended:
        run(fail, ValueError("what nobody has foreseen"))
    assert ended.value.code == 1
    (record,) = caplog.records
    assert record.getMessage() == "a bug has ended the program"
    assert record.exc_info
    assert isinstance(record.exc_info[1], ValueError)


@pytest.mark.parametrize("end", [SystemExit(3), click.ClickException("no")])
def test_an_end_that_is_wanted_stays_what_it_is(
    end: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(type(end)):
        run(fail, end)
    assert not caplog.records
