"""How many may use an engine at one time: an exact count, and no queue."""

from collections.abc import Iterator
from contextlib import contextmanager

import attrs

from capabilities import ProviderBusy


@attrs.define
class Slots:
    """The places of one engine. Who finds none is told at once, so that it can go elsewhere."""

    provider: str
    limit: int = attrs.field(validator=attrs.validators.ge(1))
    retry_after: float = 1.0
    """Seconds after which a second try makes sense."""
    taken: int = 0

    @contextmanager
    def take(self) -> Iterator[None]:
        """Hold one place for as long as the block lasts.

        Raises:
            ProviderBusy: all places are taken.
        """
        if self.taken >= self.limit:
            raise ProviderBusy(
                self.provider,
                f"all {self.limit} places are taken; try again later",
                retry_after=self.retry_after,
            )
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1
