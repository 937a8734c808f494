"""What the outside hears of an exception. (The table serves REST as well.)"""

import inspect
import time

import pytest

import capabilities.errors
import waav.errors
from capabilities import (
    CredentialMissing,
    ProviderBusy,
    ProviderClosed,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderUnavailable,
)
from waav.errors import (
    AddressRefused,
    ConfigError,
    Forbidden,
    InvalidRequest,
    Overloaded,
    PluginFailed,
    PluginNotRunning,
    Problem,
    SlowClient,
    UnknownProvider,
    WaavError,
)
from waav.server.errors import (
    TABLE,
    NotAvailable,
    close_code,
    describe,
    details,
    http_status,
    is_known,
    retry_after,
)
from waav.session.failures import shorten

INTERNAL = ("internal_error", "Internal error")


@pytest.mark.parametrize(
    ("exc", "status", "close", "code", "text"),
    [
        (InvalidRequest("no"), 400, 1008, "invalid_request", "no"),
        (InvalidRequest("no", code="odd"), 400, 1008, "odd", "no"),
        (
            AddressRefused("private network"),
            400,
            1008,
            "address_refused",
            "This address cannot be called: private network",
        ),
        (
            UnknownProvider("stt", "x", ["b", "a"]),
            400,
            1008,
            "unsupported_provider",
            "Unsupported provider: x (known for stt: a, b)",
        ),
        (NotAvailable("livekit", "none"), 501, 1008, "not_available", "none"),
        (CredentialMissing("p", "no key"), 400, 1008, "missing_api_key", "no key"),
        (Forbidden("not yours"), 403, 1008, "forbidden", "not yours"),
        (PluginFailed("p", "broke"), 502, 1011, "plugin_failed", "p: broke"),
        (PluginNotRunning("p", "stopped"), 503, 1013, "provider_unavailable", "p: stopped"),
        (SlowClient("slow"), 503, 1013, "slow_client", "slow"),
        (
            Overloaded(5.0),
            503,
            1013,
            "overloaded",
            "The server has too much to do. Please try again later.",
        ),
        (ProviderError("p", "x"), 502, 1011, "provider_error", "p: x"),
        (
            ProviderUnavailable("p", "x"),
            502,
            1011,
            "provider_unavailable",
            "Connection failed: p: x",
        ),
        (ProviderBusy("p", "x"), 429, 1013, "provider_busy", "Provider busy: p: x"),
        (ProviderClosed("p", "x"), 502, 1011, "provider_closed", "Network error: p: x"),
        (ProviderRefused("p", "x"), 502, 1011, "provider_refused", "Configuration error: p: x"),
        (
            ProviderProtocolError("p", "x"),
            502,
            1011,
            "provider_protocol_error",
            "Network error: p: x",
        ),
        (KeyError("api_key"), 500, 1011, *INTERNAL),
        (WaavError("a class that nobody explained"), 500, 1011, *INTERNAL),
        (ConfigError([Problem("f:1", "k", "m")]), 500, 1011, *INTERNAL),
    ],
)
def test_every_exception_has_a_face(
    exc: Exception, status: int, close: int, code: str, text: str
) -> None:
    assert http_status(exc) == status
    assert close_code(exc) == close
    assert describe(exc) == (code, text)
    assert is_known(exc) is ((code, text) != INTERNAL)


def test_no_class_was_forgotten() -> None:
    """A configuration is read before there is a client, so its mistakes have no face."""
    classes = {
        kind
        for module in (capabilities.errors, waav.errors)
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, Exception)
    }
    assert classes - set(TABLE) == {WaavError, ConfigError}


def test_a_class_that_is_not_in_the_table_counts_as_its_parent() -> None:
    class Refused(ProviderRefused):
        pass

    assert http_status(Refused("p", "x")) == 502


def test_one_exception_of_a_group_decides_and_a_bug_before_all_others() -> None:
    busy = ProviderBusy("p", "full")
    assert http_status(ExceptionGroup("", [ExceptionGroup("", [busy])])) == 429
    assert retry_after(ExceptionGroup("", [busy, SlowClient("x")])) == 1.0
    assert describe(ExceptionGroup("", [busy, KeyError("secret")])) == INTERNAL


def test_a_client_learns_when_to_try_again() -> None:
    busy = ProviderBusy("p", "full", retry_after=7)
    assert retry_after(busy) == 7
    assert details(busy) == {"retry_after": 7}
    assert retry_after(ProviderUnavailable("p", "x")) is None


def test_details_name_the_missing_feature() -> None:
    assert details(NotAvailable("dag", "none")) == {"feature": "dag"}
    assert details(InvalidRequest("no")) == {}


def test_texts_are_bounded() -> None:
    code, text = describe(ProviderRefused("p", "x" * 10_000))
    assert code == "provider_refused"
    assert len(text) == 500
    assert shorten("short") == "short"
    assert shorten("x" * 500) == "x" * 500


def test_a_huge_text_costs_no_more_than_its_begin() -> None:
    """A client may ask for a provider with a name of a MiB; to look through it all takes 2 s."""
    began = time.process_time()
    assert len(describe(UnknownProvider("stt", "'a-key', " * 110_000, []))[1]) <= 500
    assert time.process_time() - began < 0.07
