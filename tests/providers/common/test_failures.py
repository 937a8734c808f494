"""What went wrong, and what a caller should do next."""

import socket
import ssl

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from capabilities import (
    ProviderBusy,
    ProviderClosed,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderUnavailable,
)
from providers._common.failures import MOST_DETAIL, Failures, retry_after, said_in

FAILURES = Failures("acme", ("made-up-key",))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, ProviderProtocolError),
        (301, ProviderRefused),
        (400, ProviderRefused),
        (401, ProviderRefused),
        (402, ProviderRefused),
        (403, ProviderRefused),
        (404, ProviderRefused),
        (408, ProviderUnavailable),
        (413, ProviderRefused),
        (422, ProviderRefused),
        (425, ProviderUnavailable),
        (429, ProviderBusy),
        (500, ProviderUnavailable),
        (502, ProviderUnavailable),
        (503, ProviderUnavailable),
        (529, ProviderUnavailable),
    ],
)
def test_a_status_says_what_to_do_next(status: int, kind: type[ProviderError]) -> None:
    error = FAILURES.of_status(status)
    assert type(error) is kind
    assert error.provider == "acme"
    assert f"HTTP {status}" in error.message


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1000, ProviderClosed),
        (1001, ProviderClosed),
        (1002, ProviderProtocolError),
        (1003, ProviderProtocolError),
        (1005, ProviderClosed),
        (1006, ProviderClosed),
        (1007, ProviderProtocolError),
        (1008, ProviderRefused),
        (1009, ProviderProtocolError),
        (1011, ProviderClosed),
        (1012, ProviderClosed),
        (1013, ProviderBusy),
        (3000, ProviderRefused),
        (3008, ProviderClosed),
        (4001, ProviderRefused),
        (4401, ProviderRefused),
        (4408, ProviderUnavailable),
        (4429, ProviderBusy),
        (4503, ProviderUnavailable),
    ],
)
def test_a_close_code_says_what_to_do_next(code: int, kind: type[ProviderError]) -> None:
    error = FAILURES.of_close(code, "because")
    assert type(error) is kind
    assert error.message.endswith("because")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 0.5 "}, 0.5),
        ({"retry-after": "999999999"}, 3600.0),
        (
            {
                "retry-after": "Fri, 20 Nov 2026 10:00:30 GMT",
                "date": "Fri, 20 Nov 2026 10:00:00 GMT",
            },
            30.0,
        ),
        (
            {
                "retry-after": "Fri, 20 Nov 2026 09:00:00 GMT",
                "date": "Fri, 20 Nov 2026 10:00:00 GMT",
            },
            0.0,
        ),
        ({"retry-after": "Fri, 20 Nov 2026 10:00:30 GMT"}, None),
        # One with and one without a zone cannot be compared.
        (
            {
                "retry-after": "Fri, 20 Nov 2026 10:00:30 -0000",
                "date": "Fri, 20 Nov 2026 10:00:00 GMT",
            },
            None,
        ),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "٣"}, None),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


@given(st.text(), st.text())
def test_no_header_breaks_the_reader(pause: str, date: str) -> None:
    seconds = retry_after({"retry-after": pause, "date": date})
    assert seconds is None or 0 <= seconds <= 3600


def test_a_busy_vendor_says_for_how_long() -> None:
    error = FAILURES.of_status(429, {"retry-after": "12"})
    assert isinstance(error, ProviderBusy)
    assert error.retry_after == 12.0


def test_a_vendor_in_maintenance_is_left_alone_as_long_as_it_asks() -> None:
    error = FAILURES.of_status(503, {"retry-after": "12"})
    assert isinstance(error, ProviderBusy)
    assert error.retry_after == 12.0


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error": {"message": "no such model", "type": "x"}}', "no such model"),
        (
            b'{"err_code": "INVALID_AUTH", "err_msg": "Invalid credentials."}',
            "Invalid credentials.",
        ),
        (b'{"detail": {"status": "quota_exceeded", "message": "no credit"}}', "no credit"),
        (b'{"detail": [{"loc": ["body"], "message": "too long"}]}', "too long"),
        (b'{"error": "unauthorized"}', "unauthorized"),
        (b'{"something": "else"}', ""),
        (b"<html>Bad gateway</html>", ""),
        (b"Bad gateway", "Bad gateway"),
        (b'{"message": "cut o', ""),
        (b"[" * 100_000, ""),
        (b'{"error":' * 50 + b'"deep"' + b"}" * 50, ""),
        (b"\xff\xfe", "\N{REPLACEMENT CHARACTER}" * 2),
        (b"", ""),
    ],
    ids=[*"abcdefghijklm"],
)
def test_the_sentence_for_people_is_found(body: bytes, said: str) -> None:
    assert said_in(body) == said


@pytest.mark.pins("D010")
def test_a_message_is_one_short_line() -> None:
    error = FAILURES.of_status(400, {}, b"first\nsecond\r\n\x1b[31mred " + b"x " * 5000)
    assert error.message.startswith("answered HTTP 400 Bad Request: first second [31mred x x")
    assert len(error.message) < MOST_DETAIL + 50
    assert error.message.isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "made-up-key",
        "Incorrect API key provided: sk-pr***********************9XyZ.",
        "invalid key sk_" + "9f3b" * 12,
        "no access with api_key=9f3b9f3b",
        'header {"token": "9f3b9f3b9f3b"}',
        "credential " + "9f3b" * 10 + " is unknown",
        "Token " + "9F3B-x_" * 5,
    ],
)
def test_no_key_is_repeated(text: str) -> None:
    """Vendors like to quote what they do not accept."""
    for error in (
        FAILURES.of_status(401, {}, text.encode()),
        FAILURES.of_close(1008, text),
    ):
        shown = f"{error} {error!r}"
        assert "***" in shown
        assert not any(part in shown for part in ("made-up", "9f3b", "9F3B", "9XyZ"))


@pytest.mark.parametrize(
    "text",
    [
        "model 'nova-3' does not exist",
        "Unexpected token: expected a string",
        "keyterm: too many terms for language de-DE",
        "eleven_multilingual_v2 takes no language_code",
        "concurrency limit of 5 reached, retry in 30 seconds",
        "Donaudampfschifffahrtsgesellschaft is no voice",
    ],
)
def test_harmless_words_stay(text: str) -> None:
    assert FAILURES.tidy(text) == text


@given(st.text(max_size=5000))
def test_a_secret_never_survives(text: str) -> None:
    assert "made-up-key" not in FAILURES.tidy(f"{text}made-up-key{text}")


def caused(exc: BaseException, cause: BaseException) -> BaseException:
    exc.__cause__ = cause
    return exc


def test_network_faults_are_told_by_their_deepest_reason() -> None:
    refused = ExceptionGroup("all", [ConnectionRefusedError(111, "Connection refused")])
    untrusted = ssl.SSLCertVerificationError(1, "CERTIFICATE_VERIFY_FAILED")
    untrusted.verify_message = "self-signed certificate"
    version = ssl.SSLError(1, "x")
    version.reason = "WRONG_VERSION_NUMBER"
    table: dict[BaseException, str] = {
        caused(OSError("all attempts to connect to 10.0.0.1:443 failed"), refused): (
            "cannot be reached: Connection refused"
        ),
        socket.gaierror(-2, "Name or service not known"): "its host name is not known",
        caused(trio.BrokenResourceError(), untrusted): (
            "its certificate is not trusted: self-signed certificate"
        ),
        caused(trio.BrokenResourceError(), version): "TLS failed: wrong version number",
        caused(trio.BrokenResourceError(), ConnectionResetError(104, "x")): (
            "cannot be reached: Connection reset by peer"
        ),
        trio.BrokenResourceError(): "cannot be reached: the connection broke",
    }
    for exc, message in table.items():
        error = FAILURES.of_network(exc)
        assert type(error) is ProviderUnavailable
        assert error.message == message
