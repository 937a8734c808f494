"""The status at the end of a call tells the caller what to do next."""

from base64 import b64encode
from math import inf

import pytest

from capabilities import (
    ProviderBusy,
    ProviderClosed,
    ProviderError,
    ProviderRefused,
    ProviderUnavailable,
)
from providers._common.failures import Failures
from providers._common.grpc.status import Code, Status, failure, read_status, reset_status

ACME = Failures("acme", ("open-sesame",))

NEXT = {
    Code.CANCELLED: (ProviderUnavailable, ProviderClosed),
    Code.UNKNOWN: (ProviderUnavailable, ProviderClosed),
    Code.INVALID_ARGUMENT: (ProviderRefused, ProviderRefused),
    Code.DEADLINE_EXCEEDED: (ProviderUnavailable, ProviderUnavailable),
    Code.NOT_FOUND: (ProviderRefused, ProviderRefused),
    Code.ALREADY_EXISTS: (ProviderRefused, ProviderRefused),
    Code.PERMISSION_DENIED: (ProviderRefused, ProviderRefused),
    Code.RESOURCE_EXHAUSTED: (ProviderBusy, ProviderBusy),
    Code.FAILED_PRECONDITION: (ProviderRefused, ProviderRefused),
    Code.ABORTED: (ProviderUnavailable, ProviderClosed),
    Code.OUT_OF_RANGE: (ProviderRefused, ProviderClosed),
    Code.UNIMPLEMENTED: (ProviderRefused, ProviderRefused),
    Code.INTERNAL: (ProviderUnavailable, ProviderClosed),
    Code.UNAVAILABLE: (ProviderUnavailable, ProviderClosed),
    Code.DATA_LOSS: (ProviderUnavailable, ProviderClosed),
    Code.UNAUTHENTICATED: (ProviderRefused, ProviderRefused),
}


@pytest.mark.parametrize("code", [code for code in Code if code is not Code.OK])
def test_each_code_has_its_error(code: Code) -> None:
    before, amid = NEXT[code]
    assert type(failure(ACME, Status(code), answered=False)) is before
    assert type(failure(ACME, Status(code), answered=True)) is amid


def test_the_message_is_the_server_s_own_words_made_harmless() -> None:
    words = "bad\r\nmodel for open-sesame " + "x" * 500
    error = failure(ACME, Status(Code.INVALID_ARGUMENT, words), answered=False)
    assert error.message.startswith("INVALID_ARGUMENT: bad model for ***")
    assert len(error.message) < 230


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        pytest.param({b"grpc-status": b"0"}, Status(Code.OK), id="ok"),
        pytest.param(
            {b"grpc-status": b"3", b"grpc-message": b"gr%C3%BC%C3%9Fe"},
            Status(Code.INVALID_ARGUMENT, "gr\u00fc\u00dfe"),
            id="message",
        ),
        pytest.param({b"grpc-status": b"99"}, Status(Code.UNKNOWN), id="not-yet-known"),
        pytest.param({b"grpc-status": b"-1"}, Status(Code.UNKNOWN), id="negative"),
        pytest.param({b"grpc-status": "²".encode("latin-1")}, Status(Code.UNKNOWN), id="sign"),
        pytest.param({b"grpc-status": b""}, Status(Code.UNKNOWN), id="empty"),
        pytest.param({b":status": b"200"}, None, id="none"),
        pytest.param(
            {b"grpc-status": b"8", b"grpc-retry-pushback-ms": b"1500"},
            Status(Code.RESOURCE_EXHAUSTED, pause=1.5),
            id="pushback",
        ),
        pytest.param(
            {b"grpc-status": b"8", b"grpc-retry-pushback-ms": b"-1"},
            Status(Code.RESOURCE_EXHAUSTED, pause=inf),
            id="pushback-never",
        ),
        pytest.param(
            {b"grpc-status": b"8", b"grpc-retry-pushback-ms": b"9" * 30},
            Status(Code.RESOURCE_EXHAUSTED, pause=3600),
            id="pushback-for-ever",
        ),
        pytest.param(
            {
                b"grpc-status": b"8",
                b"grpc-status-details-bin": b64encode(
                    b"\x1a\x24\x0a\x1cexample/google.rpc.RetryInfo\x12\x04\x0a\x02\x08\x07"
                ).rstrip(b"="),
            },
            Status(Code.RESOURCE_EXHAUSTED, pause=7),
            id="retry-info",
        ),
    ],
)
def test_a_status_is_read(fields: dict[bytes, bytes], status: Status | None) -> None:
    assert read_status(fields) == status


@pytest.mark.parametrize(
    ("code", "pause", "kind", "after"),
    [
        (Code.RESOURCE_EXHAUSTED, None, ProviderBusy, 1.0),
        (Code.RESOURCE_EXHAUSTED, 0.0, ProviderBusy, 0.0),
        (Code.UNAVAILABLE, 2.5, ProviderBusy, 2.5),
        (Code.UNAVAILABLE, inf, ProviderRefused, None),
        (Code.RESOURCE_EXHAUSTED, inf, ProviderRefused, None),
        (Code.UNAUTHENTICATED, 2.5, ProviderRefused, None),
    ],
)
def test_a_pause_is_passed_on(
    code: Code, pause: float | None, kind: type[ProviderError], after: float | None
) -> None:
    error = failure(ACME, Status(code, pause=pause), answered=False)
    assert type(error) is kind
    assert getattr(error, "retry_after", None) == after


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (0x2, Code.INTERNAL),
        (0x7, Code.UNAVAILABLE),
        (0x8, Code.CANCELLED),
        (0xB, Code.RESOURCE_EXHAUSTED),
        (0xC, Code.PERMISSION_DENIED),
        (0xFFFF, Code.INTERNAL),
    ],
)
def test_a_reset_stands_for_a_status(code: int, status: Code) -> None:
    assert reset_status(code).code is status
