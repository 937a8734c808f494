"""What a session goes without while the gateway has too much to do: asked for each frame, told once."""

from collections.abc import Mapping

import attrs

from capabilities import AudioFormat, ProcessorStream
from waav.observe.load import Load
from waav.session.events import Failed
from waav.session.outbox import Outbox

WORK_SHED = Failed(
    "work_shed",
    "The server has too much to do: for as long as that lasts voices are not told from silence, and"
    " noise is not lowered",
)


@attrs.define(eq=False)
class Shedding:
    """One session's way of asking whether it has to do without what it can do without."""

    load: Load = attrs.Factory(Load)
    outbox: Outbox | None = None
    """None: there is no session, and nobody is told."""
    processors: frozenset[str] = frozenset()
    """Ids of those that it can do without."""
    _told: bool = False

    def now(self) -> bool:
        """Say whether to do without, as one who would do the work; the first time the client is told."""
        if not self.load.sheds:
            return False
        if not self._told:
            self._told = True
            self.load.shed += 1
            if self.outbox is not None:
                self.outbox.put_now(WORK_SHED)
        return True


@attrs.define(eq=False)
class Sheddable:
    """A stream that is worked on, but for the times of too much to do. The format stays the same."""

    stream: ProcessorStream
    shedding: Shedding
    _passed_by: bool = False

    @property
    def format(self) -> AudioFormat:
        """As that of the stream."""
        return self.stream.format

    @property
    def delay(self) -> float:
        """As that of the stream."""
        return self.stream.delay

    @property
    def readings(self) -> Mapping[str, float]:
        """As those of the stream."""
        return self.stream.readings

    async def feed(self, data: bytes) -> bytes:
        """Return what is ready; the sound as it came, behind what was held back, while others wait."""
        before, self._passed_by = self._passed_by, self.shedding.now()
        if not self._passed_by:
            return await self.stream.feed(data)
        return data if before else await self.stream.flush() + data

    async def flush(self) -> bytes:
        """As that of the stream."""
        return await self.stream.flush()

    def reset(self) -> None:
        """As that of the stream."""
        self.stream.reset()
