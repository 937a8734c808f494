"""Defaults, and what the classes work out."""

import pytest

from capabilities import Secret
from waav.config import Config
from waav.config.auth import ApiSecret, Auth
from waav.config.credentials import Providers
from waav.config.pending import Recording, SipHook
from waav.config.security import Security
from waav.config.turn_taking import SpeechFinal, SpeechFinalTimes


@pytest.mark.pins("D268")
def test_plugins_default_on() -> None:
    """One default, in one place: the class that both the file and the environment fill."""
    assert Config().plugins.enabled


@pytest.mark.pins("D275")
def test_rate_limit_off_threshold() -> None:
    """From 100000 requests a second on the limiter is off, as the manual says."""
    assert Security(rate_limit_requests_per_second=99_999).rate_limited
    assert not Security(rate_limit_requests_per_second=100_000).rate_limited


def test_the_wait_of_a_provider_is_its_own_or_that_of_all() -> None:
    times = SpeechFinal(
        wait_ms=1500,
        providers={"Play.HT": SpeechFinalTimes(wait_ms=250), "other": SpeechFinalTimes()},
    )
    assert (times.wait("play-ht"), times.wait("other"), times.wait("none")) == (0.25, 1.5, 1.5)


def test_the_single_secret_counts_only_without_a_list() -> None:
    one = Auth(api_secret=Secret("x"))
    assert one.secrets == (ApiSecret("default", Secret("x")),)
    many = Auth(api_secret=Secret("x"), api_secrets=(ApiSecret(" a ", Secret(" y ")),))
    assert many.secrets == (ApiSecret("a", Secret("y")),)
    assert Auth().secrets == ()


def test_small_repairs() -> None:
    assert Recording(s3_prefix="/calls/").s3_prefix == "calls"
    assert SipHook(" SIP.Example.com ", "https://x").host == "sip.example.com"


def test_credentials_that_are_set_and_those_that_are_missing() -> None:
    """Regions come along, google works without, an unknown name is missing."""
    providers = Providers(deepgram_api_key=Secret("k"), google_credentials=None)
    names = ["deepgram_api_key", "azure_speech_region", "playht_user_id", "google_credentials", "?"]
    assert providers.credentials(names) == {
        "deepgram_api_key": Secret("k"),
        "azure_speech_region": Secret("eastus"),
    }
    assert providers.missing(names) == ("playht_user_id", "?")
