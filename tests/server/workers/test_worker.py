"""What a worker makes of what it gets from its supervisor."""

import pytest

from waav.config import Config
from waav.config.security import Security
from waav.server.workers.worker import Inherited, share_of


def test_what_is_handed_down_is_read_again() -> None:
    inherited = Inherited(workers=4, place=2, shares=7, link=9, listening=(3, 5))
    assert Inherited.read(str(inherited)) == inherited


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        Inherited.read("a,b")


@pytest.mark.parametrize(
    ("whole", "share"), [((60, 10), (15, 3)), ((1, 1), (1, 1)), ((100_000, 10), (100_000, 10))]
)
def test_each_worker_lets_a_client_ask_a_share_as_often(
    whole: tuple[int, int], share: tuple[int, int]
) -> None:
    """But never so seldom that it could not ask at all; and a limiter that is off stays off."""
    security = share_of(Config(security=Security(**_rates(*whole))), 4).security
    assert security == Security(**_rates(*share))


def test_each_worker_has_a_share_of_the_memory() -> None:
    """Four that each take a quarter take all of it."""
    whole, share = Config().overload, share_of(Config(), 4).overload
    for name in ("refuse", "shed", "evict"):
        lag, memory = whole.begins(name)
        assert share.begins(name) == (lag, memory / 4)


def _rates(rate: int, burst: int) -> dict[str, int]:
    return {"rate_limit_requests_per_second": rate, "rate_limit_burst_size": burst}
