"""The frontier as plain SVG: cost against risk, colored by how sure completion is."""

import itertools
from collections.abc import Sequence
from html import escape
from typing import Final, NamedTuple

from services.frontier.shown import Mark, Shown

__all__ = ["page", "svg"]

WIDTHS: Final = (620, 860)  # without and with an outcome
HEIGHT: Final = 480
LEFT, TOP, RIGHT, BOTTOM = 70, 56, 590, 410  # of the left panel
STRIP_LEFT, STRIP_RIGHT = 680, 830  # of the outcome's
TICKS: Final = 5
MARGIN: Final = 0.08
CHOSEN: Final = "chosen"
NEAR: Final = 9  # pixels within which two dots are one place
LETTER, LINE = 6.8, 14  # pixels of a label
INK: Final = "#222222"
PALE: Final = "#dddddd"
# From red, hardly ever done, over yellow to green, surely done; the eye's order of warning.
COLORS: Final = (
    (0.0, (178, 24, 43)),
    (0.5, (244, 165, 66)),
    (0.9, (150, 190, 70)),
    (1.0, (26, 120, 70)),
)
ROUND: Final = (1, 2, 2.5, 5, 10)


class Scale(NamedTuple):
    """A linear axis from values to pixels."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        part = (value - self.low) / (self.high - self.low)
        return self.start + part * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Return round values within the axis."""
        step = round_up((self.high - self.low) / TICKS)
        first = -(-self.low // step)
        count = int((self.high - first * step) // step) + 1
        return [(first + n) * step for n in range(count)]


def round_up(value: float) -> float:
    """Return the next of 1, 2, 2.5, 5 times a power of ten."""
    power = 10.0 ** int(f"{value:e}".partition("e")[2])
    return next(each * power for each in ROUND if each * power >= value * 0.999)


def svg(what: Shown) -> str:
    """Return the picture of one choice; of the outcome too where there is one."""
    marks = (what.chosen, *what.marks)
    x = _scale([m.risk for m in (*what.curve, *marks)], LEFT, RIGHT)
    y = _scale([m.cost for m in (*what.curve, *marks)], BOTTOM, TOP)
    width = WIDTHS[what.outcome is not None]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT}" '
        f'viewBox="0 0 {width} {HEIGHT}" font-family="sans-serif" font-size="12" fill="{INK}">',
        f'<rect width="{width}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="24" font-size="15" font-weight="bold">{escape(what.title)}</text>',
        f'<text x="{LEFT}" y="42" fill="#666666">{escape(_subtitle(what))}</text>',
        *_axes(x, y),
        *_curve(what.curve, x, y),
        *_marks(marks, x, y),
        *_legend(),
    ]
    if what.outcome is not None:
        parts += _outcome(what)
    return "\n".join([*parts, "</svg>", ""])


def page(what: Shown, table: Sequence[Sequence[str]]) -> str:
    """Return the picture with its table as one HTML page without scripts."""
    head, *rows = table
    cells = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    style = (
        "body{font-family:sans-serif;color:#222}table{border-collapse:collapse;font-size:13px}"
        "td,th{padding:3px 10px;text-align:right;border-bottom:1px solid #ddd}"
        "td:first-child,th:first-child{text-align:left}"
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(what.title)}</title>'
        f"<style>{style}</style><body>{svg(what)}<table><thead><tr>{cells}</tr></thead>"
        f"<tbody>{body}</tbody></table></body></html>\n"
    )


def _subtitle(what: Shown) -> str:
    inputs = what.inputs
    cap = inputs.participation_cap_bps
    return (
        f"{inputs.quantity - inputs.filled_quantity:,} to do, {inputs.expected_volume:,} of others "
        f"expected, {inputs.volatility_bps_e9 / 1e9:.0f} bp a day, "
        f"cap {'none' if cap >= 10_000 else f'{cap / 100:.0f} %'}, "
        f"floor {inputs.completion_floor_bps / 100:.0f} %"
    )


def _scale(values: Sequence[float], start: float, end: float) -> Scale:
    low, high = min(values), max(values)
    room = (high - low or max(abs(high), 1.0)) * MARGIN
    return Scale(low - room, high + room, start, end)


def _axes(x: Scale, y: Scale) -> list[str]:
    parts = []
    for value in x.ticks():
        at = x.at(value)
        parts.append(_line(at, TOP, at, BOTTOM, PALE))
        parts.append(_text(at, BOTTOM + 18, f"{value:g}", "middle"))
    for value in y.ticks():
        at = y.at(value)
        parts.append(_line(LEFT, at, RIGHT, at, PALE))
        parts.append(_text(LEFT - 8, at + 4, f"{value:g}", "end"))
    middle = (LEFT + RIGHT) / 2
    parts.append(_text(middle, BOTTOM + 38, "risk: standard deviation of the cost, bp", "middle"))
    half = (TOP + BOTTOM) / 2
    parts.append(
        f'<text x="18" y="{half:.1f}" text-anchor="middle" '
        f'transform="rotate(-90 18 {half:.1f})">expected cost, bp</text>'
    )
    return parts


def _curve(curve: Sequence[Mark], x: Scale, y: Scale) -> list[str]:
    return [
        f'<line x1="{x.at(a.risk):.1f}" y1="{y.at(a.cost):.1f}" x2="{x.at(b.risk):.1f}" '
        f'y2="{y.at(b.cost):.1f}" stroke="{color((a.completion + b.completion) / 2)}" '
        'stroke-width="4" stroke-linecap="round"/>'
        for a, b in itertools.pairwise(curve)
    ]


def _marks(marks: Sequence[Mark], x: Scale, y: Scale) -> list[str]:
    """Draw the dots, and over them their names; ways at one place share a label."""
    parts, labels = [], dict[tuple[float, float], list[Mark]]()
    for mark in marks:
        at = x.at(mark.risk), y.at(mark.cost)
        radius, stroke = (8, 3) if mark.name == CHOSEN else (5, 1.5)
        parts.append(
            f'<circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="{radius}" stroke="{INK}" '
            f'stroke-width="{stroke}" fill="{color(mark.completion)}"/>'
        )
        near = (each for each in labels if abs(each[0] - at[0]) < NEAR > abs(each[1] - at[1]))
        labels.setdefault(next(near, at), []).append(mark)
    rows: list[tuple[float, float]] = []  # right end and height of the labels so far
    for (at_x, at_y), here in sorted(labels.items()):
        text = f"{', '.join(mark.name for mark in here)} {here[0].participation:.1%}"
        length = len(text) * LETTER
        left = min(at_x + 11, RIGHT - length)
        top = at_y - 12
        while any(left < end and abs(top - row) < LINE for end, row in rows):
            top -= LINE
        rows.append((left + length, top))
        weight = ' font-weight="bold"' if here[0].name == CHOSEN else ""
        parts.append(f'<text x="{left:.1f}" y="{top:.1f}"{weight}>{escape(text)}</text>')
    return parts


def _legend() -> list[str]:
    parts = [_text(LEFT, HEIGHT - 12, "done by the end:", "start")]
    for n, probability in enumerate((0.0, 0.25, 0.5, 0.75, 0.9, 1.0)):
        at = LEFT + 110 + n * 62
        parts.append(
            f'<rect x="{at}" y="{HEIGHT - 23}" width="14" height="14" fill="{color(probability)}"/>'
        )
        parts.append(_text(at + 18, HEIGHT - 12, f"{probability:.0%}", "start"))
    return parts


def _outcome(what: Shown) -> list[str]:
    found = what.outcome
    assert found is not None
    low, high = found.expected - found.band, found.expected + found.band
    y = _scale([low, high, found.cost, 0.0], BOTTOM, TOP)
    middle = (STRIP_LEFT + STRIP_RIGHT) / 2
    parts = []
    for value in y.ticks():
        at = y.at(value)
        parts.append(_line(STRIP_LEFT, at, STRIP_RIGHT, at, PALE))
        parts.append(_text(STRIP_LEFT - 8, at + 4, f"{value:g}", "end"))
    top, bottom = y.at(high), y.at(low)
    sigma = f"{found.deviations:+.1f} sd"
    return [
        *parts,
        f'<rect x="{middle - 22}" y="{top:.1f}" width="44" height="{bottom - top:.1f}" '
        'fill="#9ecae1" fill-opacity="0.6" stroke="#3182bd"/>',
        _line(middle - 22, y.at(found.expected), middle + 22, y.at(found.expected), "#3182bd"),
        f'<circle cx="{middle}" cy="{y.at(found.cost):.1f}" r="7" fill="{INK}"/>',
        _text(middle + 28, y.at(found.cost) + 4, f"{found.cost:.1f}", "start"),
        _text(middle, BOTTOM + 18, "realised cost, bp", "middle"),
        _text(middle, BOTTOM + 36, f"expected {found.expected:.1f}, {sigma}", "middle"),
    ]


def color(probability: float) -> str:
    """Return the color of a completion probability."""
    for (low, one), (high, two) in itertools.pairwise(COLORS):
        if probability <= high:
            part = max(0.0, (probability - low) / (high - low))
            mixed = (round(a + part * (b - a)) for a, b in zip(one, two, strict=True))
            return "#" + "".join(f"{each:02x}" for each in mixed)
    return "#" + "".join(f"{each:02x}" for each in COLORS[-1][1])


def _line(x1: float, y1: float, x2: float, y2: float, stroke: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{stroke}"/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
