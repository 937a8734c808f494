"""The program of a worker: a gateway on sockets that it has from its supervisor."""

import socket
from functools import partial
from math import ceil

import attrs
import trio

from waav.config import Config
from waav.gateway import Gateway, open_gateway
from waav.observe.fleet import Report
from waav.observe.stages import Stage
from waav.server.garbage import short_searches
from waav.server.rest.health import is_ready
from waav.server.samples import samples_of
from waav.server.service import serve_gateway
from waav.server.signals import reload_on_hangup, stop_on_signals
from waav.server.workers.link import open_link
from waav.server.workers.listener import SharedListener
from waav.server.workers.shares import Shares
from waav.tasks import open_scoped_nursery


@attrs.frozen
class Inherited:
    """What a worker gets from its supervisor, as an argument of its command line."""

    workers: int
    """How many share the load."""
    place: int
    """Which one of them it is."""
    shares: int
    """The descriptor of the memory that they share."""
    link: int
    """The descriptor of its end of the line."""
    listening: tuple[int, ...]
    """The descriptors of the sockets that all workers accept from."""

    @classmethod
    def read(cls, text: str) -> "Inherited":
        """Read what :meth:`__str__` wrote.

        Raises:
            ValueError: somebody else wrote it.
        """
        workers, place, shares, link, *listening = map(int, text.split(","))
        return cls(workers, place, shares, link, tuple(listening))

    def __str__(self) -> str:
        told = (self.workers, self.place, self.shares, self.link, *self.listening)
        return ",".join(map(str, told))


async def work(config: Config, inherited: Inherited) -> None:
    """Serve until the supervisor says so, or is gone.

    Raises:
        OSError: the descriptors are not what a supervisor hands down.
    """
    config = share_of(config, inherited.workers)
    stream = trio.SocketStream(_own(inherited.link))
    async with (
        stop_on_signals(config.server.shutdown_grace_seconds, once=True) as stopping,
        reload_on_hangup() as reloads,
        open_link(stream) as link,
        open_gateway(config, limiter=link) as gateway,
        short_searches(lambda: not gateway.sessions),
        open_scoped_nursery("the worker ends") as reporting,
        trio.open_nursery() as nursery,
    ):
        gateway.fleet = link
        place, shares = inherited.place, Shares.over(inherited.shares)
        listeners = [
            SharedListener(
                trio.SocketListener(_own(each)),
                link.may_begin,
                shares,
                place,
                lambda: gateway.sessions if gateway.load.stage is Stage.NORMAL else None,
            )
            for each in inherited.listening
        ]
        reporting.start_soon(link.report, lambda: describe(gateway), name="workers/report")
        serve = partial(serve_gateway, gateway, stopping, listeners=listeners, reloads=reloads)
        await nursery.start(serve, name="server")
        link.ready()


def share_of(config: Config, workers: int) -> Config:
    """Return the configuration of one of so many: they share the memory, and a client's requests."""
    security, overload = config.security, config.overload
    if security.rate_limited:
        security = attrs.evolve(
            security,
            rate_limit_requests_per_second=ceil(security.rate_limit_requests_per_second / workers),
            rate_limit_burst_size=ceil(security.rate_limit_burst_size / workers),
        )
    overload = attrs.evolve(
        overload,
        refuse_memory_percent=overload.refuse_memory_percent / workers,
        shed_memory_percent=overload.shed_memory_percent / workers,
        evict_memory_percent=overload.evict_memory_percent / workers,
    )
    return attrs.evolve(config, security=security, overload=overload)


def describe(gateway: Gateway) -> Report:
    """Return what the other workers may know of this one."""
    return Report(gateway.sessions, gateway.uptime, is_ready(gateway), tuple(samples_of(gateway)))


def _own(descriptor: int) -> trio.socket.SocketType:
    """Take a descriptor over; processes that plugins start do not get it."""
    inherited = socket.socket(fileno=descriptor)
    inherited.set_inheritable(False)
    return trio.socket.from_stdlib_socket(inherited)
