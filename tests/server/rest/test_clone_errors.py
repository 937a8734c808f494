"""From exceptions to the codes that clients of voice cloning know."""

from http import HTTPStatus

import pytest
from werkzeug.exceptions import RequestTimeout

from capabilities import (
    CredentialMissing,
    ProviderBusy,
    ProviderClosed,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderUnavailable,
)
from waav.errors import ClientKeyRefused, InvalidRequest, PluginFailed, PluginNotRunning
from waav.errors import UnknownProvider as Unknown
from waav.server.refusal import Refused
from waav.server.rest.clone_errors import as_clone_refusal

V = "elevenlabs"


@pytest.mark.parametrize(
    ("exc", "expected"),
    [
        (CredentialMissing(V, "no key"), "400 MISSING_API_KEY"),
        (ProviderRefused(V, "no", status=401), "502 ELEVENLABS_401"),
        (ProviderRefused("my-voices", "no", status=422), "502 MY_VOICES_422"),
        (ProviderUnavailable(V, "down", status=500), "502 ELEVENLABS_500"),
        (ProviderUnavailable(V, "no network"), "502 REQUEST_FAILED"),
        (ProviderClosed(V, "hung up"), "502 REQUEST_FAILED"),
        (ProviderError(V, "odd"), "502 REQUEST_FAILED"),
        (ProviderProtocolError(V, "no JSON", status=200), "502 PARSE_ERROR"),
        (ProviderBusy(V, "later", status=429), "429 ELEVENLABS_429"),
        (ProviderBusy(V, "later"), "429 PROVIDER_BUSY"),
        (PluginFailed(V, "broke"), "502 PLUGIN_FAILED"),
        (PluginNotRunning(V, "failed"), "503 PROVIDER_UNAVAILABLE"),
        (Unknown("cloning", "x", ()), "400 UNSUPPORTED_PROVIDER"),
        (ClientKeyRefused(), "403 CLIENT_KEYS_NOT_ALLOWED"),
        (InvalidRequest("no", code="invalid_name"), "400 INVALID_NAME"),
        (InvalidRequest("no", code="audio_too_large"), "413 AUDIO_TOO_LARGE"),
        (InvalidRequest("no", code="body_too_large"), "413 BODY_TOO_LARGE"),
        (Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_schema", "no"), "400 INVALID_SCHEMA"),
        (RequestTimeout(), "408 REQUEST_TIMEOUT"),
        (RuntimeError("/etc/passwd"), "500 INTERNAL_ERROR"),
    ],
    ids=lambda each: each if isinstance(each, str) else type(each).__name__,
)
@pytest.mark.pins("D221", "D222")
def test_each_exception_has_its_code(exc: Exception, expected: str) -> None:
    refused = as_clone_refusal(exc)
    assert f"{refused.status.value} {refused.code}" == expected
    assert "passwd" not in refused.message


def test_who_is_busy_says_when_to_come_again() -> None:
    refused = as_clone_refusal(ProviderBusy(V, "later", retry_after=7, status=429))
    assert refused.headers == {"Retry-After": "7"}
