"""What a connection learns in one task, the records of all its tasks tell, or hide."""

import threading

import pytest
import trio

from capabilities import Secret
from waav.observe import scope as module
from waav.observe.redaction import LONGEST
from waav.observe.scope import (
    MOST_HIDDEN,
    any_scope,
    hide,
    hiding,
    redact,
    scope,
    tell,
    tell_always,
    told,
)

KEY = "hush-made-up-key"


async def test_a_task_learns_it_and_its_neighbours_tell_it() -> None:
    with scope(request_id="r1"):
        async with trio.open_nursery() as nursery:

            async def learn() -> None:
                tell(tenant="acme")
                hide(Secret(KEY))
                await trio.lowlevel.checkpoint()

            async def meet(seen: list[object]) -> None:
                await trio.testing.wait_all_tasks_blocked()
                seen.extend([told(), redact(f"with {KEY}")])

            seen: list[object] = []
            nursery.start_soon(meet, seen)
            nursery.start_soon(learn)
        assert seen == [{"request_id": "r1", "tenant": "acme"}, "with ***"]
    assert (told(), redact(KEY)) == ({}, KEY)


async def test_two_connections_know_nothing_of_each_other() -> None:
    async def connection(name: str) -> None:
        with scope(name=name):
            hide(Secret(f"{KEY}-of-{name}"))
            await trio.testing.wait_all_tasks_blocked()
            assert told() == {"name": name}
            assert [
                each for each in "ab" if f"{KEY}-of-{each}" in redact(f"{KEY}-of-a {KEY}-of-b")
            ] != [name]

    async with trio.open_nursery() as nursery:
        nursery.start_soon(connection, "a")
        nursery.start_soon(connection, "b")


def test_a_scope_inside_of_another_has_both() -> None:
    with scope(request_id="outer"):
        hide(Secret(KEY))
        with scope(request_id="inner", more=1):
            assert told() == {"request_id": "inner", "more": 1}
            assert redact(KEY) == "***"
            with any_scope(stream_id="s"):
                assert told() == {"request_id": "inner", "more": 1, "stream_id": "s"}
            assert told()["stream_id"] == "s"
        assert told() == {"request_id": "outer"}


def test_where_there_is_no_scope_nothing_is_kept() -> None:
    """The process would keep it for ever."""
    tell(tenant="acme")
    assert hide(Secret(KEY)) == Secret(KEY)
    assert (told(), redact(KEY)) == ({}, KEY)
    with any_scope(stream_id="s"):
        assert told() == {"stream_id": "s"}
    assert told() == {}


def test_a_client_that_sends_many_keys_costs_no_more_than_some() -> None:
    with scope():
        for number in range(MOST_HIDDEN + 5):
            hide(Secret(f"{KEY}-{number:03}"))
        hide(Secret("x" * 1_000_000))
        here = module._here.get()
        assert len(here._secrets) == MOST_HIDDEN
        assert redact(f"{KEY}-020") == "***"
        assert redact(f"{KEY}-000") == f"{KEY}-000"


def test_of_a_huge_text_only_the_begin_is_looked_through_and_returned() -> None:
    """A client's text of a MiB may be quoted in an error of which 500 characters are wanted."""
    with hiding([KEY]):
        for ahead in range(len(KEY)):
            text = f"{KEY} {'x' * (LONGEST + 500 - len(KEY) - ahead)}" + KEY * 100_000
            shown = redact(text, 500)
            assert shown.startswith("*** xxx")
            assert "hush" not in shown
            assert len(shown) <= 500


def test_the_operators_keys_are_hidden_everywhere_as_long_as_a_gateway_has_them() -> None:
    seen: list[str] = []
    with hiding([KEY]):
        with hiding([KEY, "hush-another"]):
            thread = threading.Thread(target=lambda: seen.append(redact(f"{KEY} hush-another")))
            thread.start()
            thread.join()
        assert redact(f"{KEY} hush-another") == "*** hush-another"
    assert seen == ["*** ***"]
    assert redact(KEY) == KEY
    assert not module._operators


def test_a_process_has_a_name_in_all_of_its_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module._PROCESS, "told", {})
    tell_always(worker=3)
    with scope(request_id="r"):
        assert told() == {"worker": 3, "request_id": "r"}
