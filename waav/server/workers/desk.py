"""What the supervisor knows of all workers together: slots that are taken, and reports. No I/O."""

import attrs

from waav.observe.fleet import News, Report
from waav.observe.metrics import Sample, together, totals
from waav.security.limits import Counts, Key
from waav.server.workers.messages import (
    AskOthers,
    FromSupervisor,
    Others,
    Release,
    Reported,
    Take,
    Taken,
)

ENDED = "waav_workers_ended_total"


@attrs.define
class _Entry:
    slots: dict[int, tuple[Key, ...]] = attrs.Factory(dict)
    """What the worker holds, by the number under which it took it."""
    report: Report | None = None
    serves: bool = False


@attrs.define
class Desk:
    """Answers workers, one message after the other: so the counts are exact."""

    counts: Counts
    _entries: dict[int, _Entry] = attrs.Factory(dict)
    _past: tuple[Sample, ...] = (Sample(ENDED, 0),)

    @property
    def serving(self) -> int:
        """How many workers take in connections."""
        return sum(entry.serves for entry in self._entries.values())

    def open(self, worker: int) -> None:
        """Know a worker, by a number of its own."""
        self._entries[worker] = _Entry()

    def begin(self, worker: int) -> bool:
        """Note that a worker takes in connections from now on; False if it does so already."""
        entry = self._entries[worker]
        began, entry.serves = not entry.serves, True
        return began

    def close(self, worker: int) -> None:
        """Forget a worker that is gone, but for the fact; what it held is free, what it counted is kept."""
        entry = self._entries.pop(worker)
        for keys in entry.slots.values():
            self.counts.release(keys)
        counted = totals(entry.report.samples) if entry.report is not None else ()
        self._past = tuple(together([*self._past, Sample(ENDED, 1), *counted]))

    def answer(
        self, worker: int, message: Take | Release | AskOthers | Reported
    ) -> FromSupervisor | None:
        """Do what a worker asks for; return what it is told, if anything."""
        entry = self._entries[worker]
        match message:
            case Take(number, keys):
                return self._take(entry, number, keys)
            case Release(number):
                self.counts.release(entry.slots.pop(number, ()))
                return None
            case Reported(report):
                entry.report = report
                return None
            case AskOthers(number):
                return Others(number, News(self._others(entry), self._past))

    def _take(self, entry: _Entry, number: int, keys: tuple[Key, ...]) -> Taken:
        full = self.counts.take(keys)
        if full is not None:
            return Taken(number, full[0])
        entry.slots[number] = keys
        return Taken(number, None)

    def _others(self, entry: _Entry) -> tuple[Report, ...]:
        return tuple(
            each.report
            for each in self._entries.values()
            if each is not entry and each.serves and each.report is not None
        )
