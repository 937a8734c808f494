"""What is sent, made from a seed and a number alone: whatever goes wrong can be done again."""

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Literal, TypeAlias, get_args

import attrs

from fuzz import bodies, frames, heads, messages

PER_ROUND = 50
"""Cases of one kind, done by one attacker one after the other."""

Kind: TypeAlias = Literal["text", "sound", "first", "frames", "head", "body"]
_KINDS: tuple[Kind, ...] = get_args(Kind)
_SHARES = (64, 8, 6, 6, 8, 8)
"""Of the rounds, in the order of the kinds. Those that cost a connection for each case are fewer."""

MAKERS: Mapping[Kind, Callable[[Random], bytes]] = {
    "text": messages.text,
    "sound": messages.sound,
    "first": messages.first,
    "frames": frames.raw,
    "head": heads.head,
    "body": bodies.request,
}


@attrs.frozen
class Case:
    """One malformed thing."""

    number: int
    data: bytes = attrs.field(repr=False)


@attrs.frozen
class Round:
    """Cases of one kind."""

    seed: int
    number: int

    @property
    def dice(self) -> Random:
        """For what is done with the cases: the same numbers each time."""
        return Random(f"{self.seed}/{self.number}")

    @property
    def kind(self) -> Kind:
        """Of all its cases."""
        return Random(f"{self.seed}/{self.number}/kind").choices(_KINDS, _SHARES)[0]

    def cases(self) -> Iterator[Case]:
        """Make them, one at a time."""
        make = MAKERS[self.kind]
        for number in range(self.number * PER_ROUND, (self.number + 1) * PER_ROUND):
            yield Case(number, make(Random(f"{self.seed}/case/{number}")))
