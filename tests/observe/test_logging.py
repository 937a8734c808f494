"""What an operator reads: one record is one line, it says whose it is, and there is no secret in it."""

import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from capabilities import Secret
from waav.observe.logging import Form, make_formatter, set_up_logging
from waav.observe.redaction import LONGEST
from waav.observe.scope import MOST, hide, hiding, scope

KEY = "hush-made-up-key"
FORMS: tuple[Form, ...] = ("text", "json")


def record(message: str, *args: object, **extra: object) -> logging.LogRecord:
    place = "waav.test", logging.INFO, "test.py", 1, message, args
    return logging.getLogger().makeRecord(*place, sys.exc_info()[0] and sys.exc_info(), extra=extra)


def line(message: str, *args: object, **extra: object) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(
        make_formatter("json").format(record(message, *args, **extra))
    )
    return read


def text(message: str, *args: object, **extra: object) -> str:
    return make_formatter("text").format(record(message, *args, **extra))


def test_json_has_the_same_keys_for_everybody() -> None:
    with scope(request_id="r1", tenant="acme"):
        read = line("it is %s", "so", seconds=0.5, access={"path": "/x"})
    assert list(read) == [
        "time",
        "level",
        "logger",
        "message",
        "request_id",
        "tenant",
        "seconds",
        "access",
    ]
    assert read["time"].endswith("+00:00")
    assert (read["level"], read["logger"], read["message"]) == ("info", "waav.test", "it is so")
    assert (read["seconds"], read["access"]) == (0.5, {"path": "/x"})


def test_text_is_for_people() -> None:
    with scope(request_id="r1", tenant="a b"):
        shown = text("it is %s", "so", access={"path": "/x"})
    assert shown.partition(" INFO    ")[2] == 'waav.test: it is so request_id=r1 tenant="a b"'


def test_nobody_can_take_the_place_of_what_we_say() -> None:
    assert line("true", level="fatal", logger="else", time="never")["level"] == "info"


def failed(message: str) -> logging.LogRecord:
    """A record of an exception."""

    def fail(given: str) -> None:
        kept = "local-" + given
        raise ValueError(given, len(kept))

    try:
        fail(message)
    except ValueError:
        return record("failed")
    raise AssertionError


@given(st.text())
def test_no_message_forges_a_line(message: str) -> None:
    shown = text("%s", message, field=message)
    assert shown.isprintable()
    assert "\n" not in make_formatter("json").format(record("%s", message, field=message))
    assert line("%s", message)["message"] is not None


def test_an_exception_keeps_its_lines_and_none_begins_like_a_record() -> None:
    shown = make_formatter("text").format(failed("one\n2026-11-21 00:00:00 INFO forged\x1b[2J"))
    first, *rest = shown.split("\n")
    assert first.endswith("failed")
    assert len(rest) > 3
    assert all(each.startswith("    ") for each in rest)
    assert "\x1b" not in shown
    assert line("fine").get("error") is None


@pytest.mark.pins("D183")
@pytest.mark.parametrize("form", FORMS)
def test_no_secret_is_in_a_line_wherever_it_was_put(form: Form) -> None:
    """In the words, in what stands beside them, in an exception, as the operator's or as a client's."""
    own = "hush-of-a-client"
    table = {"deep": {"list": [KEY, own], "token": "short"}}
    with hiding([KEY]), scope():
        hide(Secret(own))
        words = record("%s %r %s", KEY, [own], Secret(own), place=table, other=own, api_key="short")
        words.exc_info = failed(f"not like {KEY} or {own}, and not like token=unknown-one").exc_info
        shown = make_formatter(form).format(words)
    assert "hush" not in shown
    assert "short" not in shown
    assert "unknown-one" not in shown
    assert "ValueError" in shown


@pytest.mark.parametrize("form", FORMS)
def test_nobody_hides_who_it_is_by_bringing_that_as_a_key(form: Form) -> None:
    with scope(tenant="acme-corp"):
        for key in ("acme-corp", "203.0.113.7", "203.0.11"):
            hide(Secret(key))
        shown = make_formatter(form).format(record("GET /", client="203.0.113.7"))
    assert "acme-corp" in shown
    assert "203.0.113.7" in shown


@pytest.mark.parametrize("form", FORMS)
def test_no_local_variable_is_in_a_traceback(form: Form) -> None:
    shown = make_formatter(form).format(failed("message"))
    assert "ValueError: ('message', 13)" in shown
    assert "local-message" not in shown


@pytest.mark.parametrize("form", FORMS)
def test_a_huge_message_is_cut_and_no_secret_survives_at_the_cut(form: Form) -> None:
    with hiding([KEY]):
        for ahead in range(len(KEY)):
            words = "x" * (MOST + LONGEST - ahead) + KEY * 3
            shown = make_formatter(form).format(record("%s", words))
            assert len(shown) < MOST + 200
            assert "hush" not in shown


@pytest.fixture
def own_logging() -> Iterator[None]:
    """A program sets up logging for its process; here others live on in it."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.usefixtures("own_logging")
def test_a_record_that_cannot_be_written_does_not_show_its_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The library would print message and arguments as they are."""
    set_up_logging("text", "debug")
    logging.getLogger("waav.test").warning("a number: %d", KEY)
    written = capsys.readouterr().err
    assert KEY not in written
    assert "a log record of waav.test, test_logging.py" in written


@pytest.mark.usefixtures("own_logging")
def test_a_plugin_that_logs_with_structlog_comes_the_same_way(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up_logging("json", "info")
    with hiding([KEY]), scope(stream_id="s1"):
        structlog.get_logger("waav.plugin.x").info("hello", key=KEY, number=1)
        structlog.get_logger("waav.plugin.x").debug("not this")
        structlog.get_logger("waav.plugin.x").error("broke", exc_info=ValueError(KEY))
    hello, broke = map(json.loads, capsys.readouterr().err.splitlines())
    assert (hello["message"], hello["logger"], hello["number"]) == ("hello", "waav.plugin.x", 1)
    assert (hello["key"], hello["stream_id"], hello["level"]) == ("***", "s1", "info")
    assert "ValueError: ***" in broke["error"]


@pytest.mark.usefixtures("own_logging")
@pytest.mark.parametrize("name", ["httpx", "httpcore.http11", "hpack.hpack", "hypercorn.access"])
def test_libraries_that_show_addresses_and_headers_are_quiet(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    set_up_logging("text", "debug")
    logging.getLogger(name).info("GET https://vendor/?key=abc")
    assert capsys.readouterr().err == ""
