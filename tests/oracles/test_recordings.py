"""A recording is compared with what is said now, line by line; it is readable and holds no key."""

import json
from copy import deepcopy

import pytest
import trio

from oracles import __main__ as oracles
from oracles.recordings import HERE, changes, recording, written
from oracles.sessions import KEY, differences, runs

VENDORS = oracles.VENDORS


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_vendor_has_a_recording_and_it_is_as_it_would_be_written(vendor: str) -> None:
    assert changes(vendor, recording(vendor)) == ""


@pytest.mark.parametrize("vendor", VENDORS)
def test_no_recording_holds_a_key(vendor: str) -> None:
    assert not KEY.search((HERE / f"{vendor}.json").read_text(encoding="utf-8"))


def test_what_has_changed_is_shown() -> None:
    told = deepcopy(recording("deepgram"))
    told["nova"]["messages"][0][0] -= 1
    del told["voices"]
    told["understood"].append([1, ["nova", "News", "ListenV3News"]])
    lines = changes("deepgram", told).splitlines()
    assert '-      [60, "640 bytes"],' in lines
    assert '+      [59, "640 bytes"],' in lines
    assert '-  "voices": {' in lines
    assert '+    [1, ["nova", "News", "ListenV3News"]]' in lines


def test_a_vendor_without_a_recording_is_all_new() -> None:
    assert '+{"nova": "said"}' in changes("nobody", {"nova": "said"}).splitlines()


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What the SDKs say now: as recorded, until a test changes it."""
    now = {vendor: recording(vendor) for vendor in VENDORS}

    async def ask(vendor: str) -> object:
        await trio.lowlevel.checkpoint()
        return now[vendor]

    monkeypatch.setattr(oracles, "ask", ask)
    return now


async def test_a_changed_recording_fails(
    said: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    """And the others are looked at all the same."""
    assert not await oracles.main(VENDORS, record=False)
    said["deepgram"] = {"nova": "something else"}
    assert await oracles.main(VENDORS, record=False)
    printed = capsys.readouterr().out
    assert "says something new" in printed
    assert printed.endswith("openai:\n")


async def test_an_sdk_that_is_not_satisfied_fails(
    said: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask(vendor: str) -> object:
        raise trio.TooSlowError

    monkeypatch.setattr(oracles, "ask", ask)
    assert await oracles.main(["deepgram"], record=False)


def test_lines_are_short_and_the_same_json() -> None:
    told = {"a": ["x" * 30] * 5, "b": {"c": [1, {"d": None}]}, "e": ["y" * 200, "z"], "f": []}
    text = written(told)
    assert json.loads(text) == told
    assert [len(line) for line in text.splitlines() if len(line) > 100] == [207]


def test_a_run_of_equal_messages_is_told_once() -> None:
    assert runs(["a", "a", "b", "a"]) == [[2, "a"], [1, "b"], [1, "a"]]


def test_differences_are_told_by_line() -> None:
    theirs = {"request": "GET /", "headers": ["host", "user-agent"], "messages": [[1, {"b": 1}]]}
    ours = {"request": "GET /", "headers": ["accept", "host"], "messages": [[1, {"b": 2}]]}
    assert differences(theirs, theirs) == []
    assert differences(ours, theirs) == [
        "+ headers: accept",
        '+ messages: [1, {"b": 2}]',
        "- headers: user-agent",
        '- messages: [1, {"b": 1}]',
    ]


def test_how_sound_is_cut_makes_no_difference_but_its_size_and_place_do() -> None:
    def cut(*messages: list[object]) -> dict[str, object]:
        return {"messages": [*messages]}

    theirs = cut([2, "100 bytes"], [1, {"type": "end"}])
    assert differences(cut([1, "50 bytes"], [1, "150 bytes"], [1, {"type": "end"}]), theirs) == []
    assert differences(cut([3, "100 bytes"], [1, {"type": "end"}]), theirs) != []
    assert differences(cut([1, {"type": "end"}], [2, "100 bytes"]), theirs) != []
    chunk = cut([2, {"audio": "10 bytes", "last": False}])
    assert differences(cut([1, {"audio": "20 bytes", "last": False}]), chunk) == []
    assert differences(cut([1, {"audio": "20 bytes", "last": True}]), chunk) != []
