"""parameters: what each strategy may be told, defined once, with its ranges and presets."""

from streams.parameters.check import Problem, frozen_changes, problem
from streams.parameters.definition import Parameter, Preset, Unit
from streams.parameters.resolve import PRESETS, Resolved, given, normal, resolved
from streams.parameters.strategies import DEFINITIONS, Definition
from streams.parameters.table import AIMS, Row, names, rows

__all__ = [
    "AIMS",
    "DEFINITIONS",
    "PRESETS",
    "Definition",
    "Parameter",
    "Preset",
    "Problem",
    "Resolved",
    "Row",
    "Unit",
    "frozen_changes",
    "given",
    "names",
    "normal",
    "problem",
    "resolved",
    "rows",
]
