"""A name server of our own: what it says of a host, time after time."""

from collections.abc import Sequence
from ipaddress import ip_address

import attrs
import trio

from waav.security.ssrf_addresses import Address


@attrs.define(eq=False)
class Names:
    """Answers each question with the next answer about that host, and the last one forever."""

    answers: dict[str, list[tuple[str, ...]]]
    asked: list[str] = attrs.Factory(list)

    @classmethod
    def of(cls, *answers: tuple[str, ...], host: str = "hooks.example.com") -> "Names":
        return cls({host: list(answers)})

    async def __call__(self, host: str) -> Sequence[Address]:
        await trio.lowlevel.checkpoint()
        self.asked.append(host)
        if host not in self.answers:
            raise OSError(f"no such host: {host}")
        known = self.answers[host]
        return [ip_address(each) for each in (known.pop(0) if len(known) > 1 else known[0])]
