"""How far a download is: a bar on a terminal, else a line now and then."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import attrs
import click

_MEGABYTE = 1 << 20


@contextmanager
def shown(name: str, there: int, whole: int | None) -> Iterator[Callable[[int], object]]:
    """Show on standard error how a file comes; give what is to be told of each chunk's bytes."""
    if whole is None or not sys.stderr.isatty():
        yield _Lines(name, whole, there).advance
        return
    with click.progressbar(length=whole, label=name, file=sys.stderr) as bar:
        bar.update(there)
        yield bar.update


@attrs.define
class _Lines:
    """A line for each tenth, or for each megabyte if that is more."""

    name: str
    whole: int | None
    there: int
    _told: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._told = self.there

    def advance(self, size: int) -> None:
        self.there += size
        step = max(_MEGABYTE, (self.whole or 0) // 10)
        if self.there - self._told >= step:
            self._told = self.there
            whole = "" if self.whole is None else f" of {self.whole / _MEGABYTE:.1f}"
            click.echo(f"{self.name}: {self.there / _MEGABYTE:.1f}{whole} MB", err=True)
