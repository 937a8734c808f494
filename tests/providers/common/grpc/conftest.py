"""A server in memory, and a network that leads nowhere else."""

import ssl

import pytest
from support.h2_peer import Vendor

from providers._common.network import Network


@pytest.fixture
def network() -> Network:
    return Network("acme", "http://acme.test:443", ssl.create_default_context())


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()
