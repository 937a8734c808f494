"""Draws the table of the lifecycle into its page: ``python -m waav.plugins.drawing PAGE``."""

import re
import sys
from pathlib import Path

from waav.plugins.lifecycle import TRANSITIONS, State, Step

_DRAWN = re.compile(r"(<!-- drawn by waav\.plugins\.drawing -->\n).*?(<!-- end -->\n)", re.DOTALL)


def draw() -> str:
    """Return the diagram (Mermaid) and the table (Markdown) of the whole lifecycle."""
    return f"```mermaid\n{_diagram()}\n```\n\n{_table()}\n"


def redraw(page: str) -> str:
    """Return the page with what stands between its two marks drawn again.

    Raises:
        ValueError: the page does not have the marks.
    """
    drawn, count = _DRAWN.subn(lambda found: found[1] + "\n" + draw() + "\n" + found[2], page)
    if count != 1:
        raise ValueError("the page needs the marks of waav.plugins.drawing exactly once")
    return drawn


def _diagram() -> str:
    arrows = [
        f"    {state} --> {target}: {step}"
        for state, steps in TRANSITIONS.items()
        for step, target in steps.items()
    ]
    ends = [f"    {state} --> [*]" for state, steps in TRANSITIONS.items() if not steps]
    first = next(iter(TRANSITIONS))
    return "\n".join(["stateDiagram-v2", f"    [*] --> {first}", *arrows, *ends])


def _table() -> str:
    rows = [["state", *Step], ["---"] * (len(Step) + 1)]
    rows += [[state, *(TRANSITIONS[state].get(step, "") for step in Step)] for state in State]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(redraw(target.read_text(encoding="utf-8")), encoding="utf-8")
