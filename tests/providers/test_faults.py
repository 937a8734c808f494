"""Every client in every fault of its vendor, in every state, through a relay on real sockets."""

import h11
import pytest
from support.fault_subjects import HTTP2, SUBJECTS, hasty
from support.fault_table import EXPECTED, UNMET, fits
from support.servers import loopback

from capabilities import (
    ProviderBusy,
)
from providers.google import stt as google_stt
from waav.testing import (
    Cell,
    Fault,
    Outcome,
    State,
    why_not,
)
from waav.testing.relay_wire import RETRY_AFTER


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may sit behind a proxy."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(autouse=True)
def clients_may_leave_in_mid_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """As those do that are cancelled, or cut off, while they send; no server fails for that."""
    monkeypatch.setattr(loopback, "GONE", (*loopback.GONE, h11.RemoteProtocolError))


@pytest.fixture
def hasty_google(monkeypatch: pytest.MonkeyPatch) -> None:
    # Its recogniser does not take a policy from outside.
    monkeypatch.setattr(google_stt, "POLICY", hasty(google_stt.POLICY))


@pytest.mark.parametrize("name", sorted(SUBJECTS))
async def test_every_fault_in_every_state_is_survived_or_told_once(
    name: str, hasty_google: None
) -> None:
    matrix = await SUBJECTS[name].try_faults()
    matrix.check()
    assert len(matrix.cells) == len(Fault) * len(State)
    unmet = {cell.name for cell in matrix.of(Outcome.NOT_APPLICABLE) if is_there(name, cell)}
    assert unmet <= UNMET.get(name, set())
    unexpected = {
        cell.name: repr(cell.error) for cell in matrix.cells if not fits(cell, EXPECTED[name])
    }
    assert unexpected == {}


def is_there(name: str, cell: Cell) -> bool:
    """Whether the relay could do it to this client, so that it must have met it."""
    subject = SUBJECTS[name]
    return not why_not(subject.transport, cell.fault, cell.state, once=subject.once)


@pytest.mark.parametrize("name", sorted(SUBJECTS))
async def test_who_is_too_busy_says_when_to_come_again(name: str) -> None:
    """In the answer to a request that is not made again by itself."""
    if SUBJECTS[name].transport is HTTP2 or name == "openai-file":
        pytest.skip("the relay does not look into HTTP/2, and a file is sent again")
    error = (
        (await SUBJECTS[name].try_faults(Fault.HTTP_429))
        .cell(Fault.HTTP_429, State.CONNECTING)
        .error
    )
    assert isinstance(error, ProviderBusy)
    assert error.retry_after == RETRY_AFTER
    assert error.status == 429
