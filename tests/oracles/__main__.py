"""``make oracles``: runs each vendor's SDK again, and fails if it says something new.

``--record`` keeps what it says. Names of vendors choose some of them.
"""

import argparse
import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import trio

from oracles.environments import python_of
from oracles.program import Program
from oracles.recordings import changes, keep

VENDORS = sorted(path.stem for path in (Path(__file__).parent / "requirements").glob("*.txt"))


async def ask(vendor: str) -> Any:
    """Let a vendor's SDK do its tasks; return what it said, and what it made of the answers."""
    start = trio.current_time()
    python = await python_of(vendor)
    built = trio.current_time()
    record = importlib.import_module(f"oracles.record.{vendor}").record
    told = await record(Program(python, vendor))
    tell(f"  environment {built - start:.1f} s, tasks {trio.current_time() - built:.1f} s")
    return told


async def check(vendor: str, *, record: bool) -> bool:
    """Compare a vendor's SDK with its recording, or record it; return whether all is well."""
    tell(f"{vendor}:")
    try:
        told = await ask(vendor)
    except (subprocess.CalledProcessError, trio.TooSlowError) as failure:
        tell(f"  failed: {failure!r}")
        return False
    found = changes(vendor, told)
    if record:
        keep(vendor, told)
    elif found:
        tell("  says something new:", found, "Follow it, and then: make oracles RECORD=1")
    return record or not found


def tell(*lines: str) -> None:
    """Print at once, as building an environment takes its time."""
    print(*lines, sep="\n", flush=True)  # noqa: T201 - it is what the program is for


async def main(vendors: list[str], *, record: bool) -> bool:
    """Check one vendor after the other; return whether one failed."""
    return not all([await check(vendor, record=record) for vendor in vendors])


if __name__ == "__main__":
    options = argparse.ArgumentParser(prog="make oracles", description=__doc__)
    options.add_argument("vendors", nargs="*", metavar="vendor", default=VENDORS)
    options.add_argument("--record", action="store_true", help="keep what they say now")
    given = options.parse_args()
    if strangers := sorted({*given.vendors} - {*VENDORS}):
        options.error(
            f"there is no oracle for {', '.join(strangers)}, but for {', '.join(VENDORS)}"
        )
    sys.exit(trio.run(lambda: main(given.vendors, record=given.record)))
