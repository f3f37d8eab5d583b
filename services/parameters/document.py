"""docs/strategy-parameters.md out of the definitions."""

from typing import Final

from schemas.messages.core import StrategyKind, Urgency
from services.parameters.terms import TERMS
from services.parameters.texts import option, range_text, shown, unit_text
from streams.parameters import DEFINITIONS, PRESETS, Row, rows

__all__ = ["document"]

URGENCIES: Final = (Urgency.PASSIVE, Urgency.NEUTRAL, Urgency.URGENT)
BPS: Final = 10_000
INTRODUCTION: Final = """# Parameters of the strategies

Written by `python -m services.parameters` out of `streams/parameters`; a test holds it against
them, and `penstock strategies` shows the same. What an order leaves out follows from strategy and
urgency. All parameters are part of the grouping key.

*Amend*: yes, a replace may change it while a parent works the order: the order leaves its parent as
for a change of limit and joins the parent of its new parameters. no, that is refused
(REPLACE_NOT_ALLOWED); while the order waits in a window or is done for the day every parameter may
change. A replace names all parameters, or none to keep them. FIX: a tag, or the name in
StrategyParametersGrp (957 to 960); shares travel as ratios, times as seconds.
"""
RULES: Final = """## What goes together

- half_life_ns excludes risk_aversion_e9.
- opening_auction_bps and closing_auction_bps come to 10000 together at most.
- participation_floor_bps is at most participation_rate_bps, and both at most the order's
  participation_cap_bps.

The first field of the record that breaks a rule is told: PARAMETER_UNKNOWN (not one of the
strategy) or PARAMETER_OUT_OF_RANGE, with the field, its value and the bound.
"""


def document() -> str:
    """Return the page."""
    parts = [INTRODUCTION, _strategies(), _presets(), _terms()]
    parts += [_parameters(strategy) for strategy in DEFINITIONS]
    return "\n".join([*parts, RULES])


def _table(*lines: tuple[str, ...]) -> str:
    head, *rest = lines
    ruler = ("---",) * len(head)
    return "".join(f"| {' | '.join(line)} |\n" for line in (head, ruler, *rest))


def _strategies() -> str:
    return _table(
        ("strategy", "FIX 847", "what it does"),
        *((kind.value, str(d.fix_value), d.meaning) for kind, d in DEFINITIONS.items()),
    )


def _presets() -> str:
    lines = [
        (
            urgency.value,
            f"{PRESETS[urgency].half_life_bps / BPS:g} x horizon",
            str(PRESETS[urgency].participation_max_bps),
        )
        for urgency in URGENCIES
    ]
    head = ("urgency", "half-life", "most of a plan's bin where the cap is wider, bp")
    return "## Urgency\n\n" + _table(head, *lines)


def _terms() -> str:
    lines = [
        (t.name, t.meaning, t.default, _fix(t.fix_tag, t.fix_name), _yes(is_true=t.is_amendable))
        for t in TERMS
    ]
    head = ("term of every order", "meaning", "default", "FIX", "amend")
    return "## Every strategy\n\n" + _table(head, *lines)


def _parameters(strategy: StrategyKind) -> str:
    head = ("parameter", "option", "meaning", "unit", "range", "passive", "neutral", "urgent")
    lines = [_line(row) for row in rows(strategy)]
    return f"## {strategy}\n\n" + _table((*head, "FIX", "amend"), *lines)


def _line(row: Row) -> tuple[str, ...]:
    return (
        row.name,
        f"`{option(row)}`",
        row.about.meaning,
        unit_text(row),
        range_text(row),
        *(_preset(row, urgency) for urgency in URGENCIES),
        _fix(row.about.fix_tag, row.about.fix_name),
        _yes(is_true=row.about.is_amendable),
    )


def _preset(row: Row, urgency: Urgency) -> str:
    value = row.preset.of(urgency)
    if value is None:
        return _own_words(row, urgency)
    note = f" ({row.preset.text})" if row.preset.text else ""
    return shown(row, value) + note


def _own_words(row: Row, urgency: Urgency) -> str:
    if row.name == "half_life_ns":
        return f"{PRESETS[urgency].half_life_bps / BPS:g} x horizon"
    return row.preset.text


def _fix(tag: int, name: str) -> str:
    return f"{tag} {name}" if tag else name


def _yes(*, is_true: bool) -> str:
    return "yes" if is_true else "no"
