"""Figures for people and for machines: a table, JSON, and a picture that any browser shows."""

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from math import ceil, floor, log10
from pathlib import Path
from typing import Any, TypeAlias

import attrs

from waav.version import __version__

Cell: TypeAlias = str | float | None
"""None: not known."""

_WIDTH, _HEIGHT, _MARGIN = 720, 400, 60
_COLOURS = ("#0b6e4f", "#7a7a7a", "#c0392b", "#1f4e9c")


def table(heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Return lines of text; the first column is for names, the others are for figures."""
    texts = [list(heads), *([_text(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in texts) for column in range(len(heads))]
    lines = []
    for row in texts:
        first, *others = zip(row, widths, strict=True)
        cells = [first[0].ljust(first[1]), *(text.rjust(width) for text, width in others)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _text(cell: Cell) -> str:
    match cell:
        case None:
            return "-"
        case str():
            return cell
        case int():
            return str(cell)
        case float() if cell and abs(cell) < 1:
            return f"{cell:.2g}"
        case float() if abs(cell) < 10:
            return f"{cell:.2f}"
        case _:
            return f"{cell:.0f}"


def machine() -> dict[str, Any]:
    """Say where something was measured, and when."""
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "waav": __version__,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "load_average": os.getloadavg(),
    }


@attrs.frozen
class Report:
    """What a benchmark found."""

    text: str
    """For people."""
    data: Mapping[str, Any]
    """For machines: units are in the names."""
    picture: str = ""
    """An SVG, if there is something to draw."""


@attrs.frozen
class Curve:
    """One line of a picture."""

    name: str
    points: Sequence[tuple[float, float]]
    """From left to right."""


def picture(
    title: str, across: str, up: str, curves: Sequence[Curve], mark: Mapping[str, float]
) -> str:
    """Return an SVG of curves whose heights are on a scale of powers of ten.

    Args:
        across: what the horizontal axis tells.
        up: what the vertical one tells.
        mark: heights that get a line of their own, by name.
    """
    places = [point for curve in curves for point in curve.points if point[1] > 0]
    if not places:
        places = [(1.0, 1.0)]
    frame = _Frame.around(places)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}">',
        "<style>text { font: 12px sans-serif }</style>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        _label(_WIDTH / 2, 20, title, "middle"),
        _label(_WIDTH / 2, _HEIGHT - 12, across, "middle"),
        _label(8, 36, up),
    ]
    for power in range(frame.lowest, frame.highest + 1):
        parts += _rule(frame.y(10.0**power), f"{10.0**power:g}", "#dddddd")
    for name, height in mark.items():
        if frame.lowest <= _power(height) <= frame.highest:
            parts += _rule(frame.y(height), name, "#c9a227")
    for x in sorted({x for x, _ in places}):
        parts.append(_label(frame.x(x), _HEIGHT - _MARGIN + 18, f"{x:g}", "middle"))
    for number, curve in enumerate(curves):
        colour = _COLOURS[number % len(_COLOURS)]
        points = [(frame.x(x), frame.y(y)) for x, y in curve.points if y > 0]
        way = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
        parts.append(_label(_MARGIN + 12, 56 + 16 * number, curve.name, colour=colour))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _power(height: float) -> float:
    return log10(height)


@attrs.frozen
class _Frame:
    """Where a point lies in the picture."""

    left: float
    right: float
    lowest: int
    highest: int

    @classmethod
    def around(cls, places: Sequence[tuple[float, float]]) -> "_Frame":
        across = [x for x, _ in places]
        powers = [_power(y) for _, y in places]
        lowest, highest = floor(min(powers)), ceil(max(powers))
        return cls(min(across), max(across), lowest, max(highest, lowest + 1))

    def x(self, value: float) -> float:
        share = (value - self.left) / ((self.right - self.left) or 1.0)
        return _MARGIN + share * (_WIDTH - 2 * _MARGIN)

    def y(self, value: float) -> float:
        share = (_power(value) - self.lowest) / (self.highest - self.lowest)
        return _HEIGHT - _MARGIN - share * (_HEIGHT - 2 * _MARGIN)


def _rule(y: float, name: str, colour: str) -> list[str]:
    line = f'<line x1="{_MARGIN}" y1="{y:.1f}" x2="{_WIDTH - _MARGIN}" y2="{y:.1f}" stroke="{colour}"/>'
    return [line, _label(_MARGIN - 6, y + 4, name, "end")]


def _label(x: float, y: float, text: str, anchor: str = "start", colour: str = "#222222") -> str:
    safe = text.replace("&", "&amp;").replace("<", "&lt;")
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{safe}</text>'
