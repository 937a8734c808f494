"""The load's process: ``python -m waav.bench.load``. A line of JSON is an order, and one is its answer.

First it says where its far end listens, which is there all the time. It ends when its input does.
"""

import json
import os
import select
import sys
from collections.abc import Callable, Mapping
from typing import Any

from waav.bench import idle, overload, relay, speak, start
from waav.bench.framing import BadFrame
from waav.bench.process import BenchFailed
from waav.bench.stage import Stage

ORDERS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "talk": relay.talk,
    "start": start.begin_and_end,
    "idle": idle.stay,
    "overload": overload.besiege,
    "speak": speak.say,
}
"""What can be ordered, and who does it, given the stage and the other keys of the order."""
_INPUT = 0
_READ = 1 << 16


def obey(stage: Stage, order: dict[str, Any]) -> dict[str, Any]:
    """Carry out one order; a failure is an answer too."""
    try:
        return ORDERS[order.pop("do")](stage, **order)
    except (BenchFailed, BadFrame) as exc:
        return {"failed": str(exc)}
    finally:
        stage.loop.beats.clear()


def main(port: int) -> None:
    """Carry out orders until there are no more."""
    stage, said, over = Stage.set_up(port), bytearray(), False

    def listen(_events: int) -> None:
        nonlocal over
        data = os.read(_INPUT, _READ)
        said.extend(data)
        over = over or not data

    stage.loop.add(_INPUT, select.EPOLLIN, listen)
    _tell({"far_end": stage.far_end.address})
    while not over:
        stage.loop.run(3600.0, lambda: over or b"\n" in said)
        line, _, rest = bytes(said).partition(b"\n")
        said[:] = rest
        if line:
            _tell(obey(stage, json.loads(line)))


def _tell(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]))
