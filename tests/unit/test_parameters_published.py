"""What people and counterparties read of parameters agrees with the definitions."""

import csv
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest
import typer
from typer.testing import CliRunner

from schemas.messages.core import Aim, StrategyKind, StrategyParameters, Urgency
from services.cli.main import app
from services.orders.parameters import parameters_of
from services.orders.rows import COLUMNS, DEFAULTS, entries
from services.orders.terms import TermsError
from services.parameters.__main__ import WRITTEN
from services.parameters.fixatdl import CORE, LAYOUT, VALIDATION, XSI, fixatdl
from services.parameters.terms import TERMS
from services.parameters.texts import column, every_row, option
from streams.parameters import DEFINITIONS, Row, Unit, names, rows
from streams.shard.reference import ReferenceView
from tests.support.builders import ACME, OPEN_NS, instrument_defined

# FIXatdl 1.1: types of parameters and controls, and operators of an Edit.
TYPES = {"Percentage_t", "Int_t", "Float_t", "String_t", "UTCTimestamp_t", "Qty_t", "Price_t"}
CONTROLS = {"lay:SingleSpinner_t", "lay:DropDownList_t", "lay:Clock_t"}
OPERATORS = {"EX", "NX", "EQ", "NE", "LT", "GT", "LE", "GE"}
ROOT = Xml.fromstring(fixatdl())
STRATEGIES = {each.get("name", ""): each for each in ROOT.findall(f"{{{CORE}}}Strategy")}


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.name)
def test_what_is_generated_is_current(path: Path) -> None:
    assert path.read_text() == WRITTEN[path](), "run python -m services.parameters"


def test_the_ticket_file_names_every_strategy_by_its_fix_value() -> None:
    assert (ROOT.tag, ROOT.get("strategyIdentifierTag")) == (f"{{{CORE}}}Strategies", "847")
    assert ROOT.get("tag957Support") == "true"
    told = {name: each.get("wireValue") for name, each in STRATEGIES.items()}
    assert told == {kind.value: str(d.fix_value) for kind, d in DEFINITIONS.items()}
    for each in STRATEGIES.values():
        assert each.get("providerID") and each.get("version") and each.get("uiRep")


@pytest.mark.parametrize("strategy", DEFINITIONS)
def test_the_ticket_file_has_each_parameter_with_type_range_and_whether_it_may_change(
    strategy: StrategyKind,
) -> None:
    found = {p.get("name"): p for p in STRATEGIES[strategy].findall(f"{{{CORE}}}Parameter")}
    own = {row.about.fix_name: row for row in rows(strategy)}
    assert list(found) == [*(term.fix_name for term in TERMS), *own]
    tags = [p.get("fixTag") for p in found.values() if p.get("fixTag")]
    assert len(tags) == len(set(tags))
    for name, element in found.items():
        assert element.get(f"{{{XSI}}}type") in TYPES
        assert element.get("use") == "optional"
        if name in own:
            _agrees(element, own[name])


def _agrees(element: Any, row: Row) -> None:
    about = row.about
    assert element.get("mutableOnCxlRpl") == str(about.is_amendable).lower()
    assert element.get("fixTag") == (str(about.fix_tag) if about.fix_tag else None)
    assert element.findtext(f"{{{CORE}}}Description") == about.meaning
    scales = {Unit.BPS: 10_000, Unit.NS: 10**9, Unit.E9: 10**9}
    if about.unit is Unit.WORD:
        words = [pair.get("wireValue") for pair in element.findall(f"{{{CORE}}}EnumPair")]
        assert words == [aim.value for aim in Aim if aim is not Aim.UNKNOWN]
        return
    for bound, value in (("minValue", row.low), ("maxValue", row.high)):
        assert round(float(element.get(bound)) * scales[about.unit]) == value


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_parameter_has_one_control_that_fits_it(name: str) -> None:
    strategy = STRATEGIES[name]
    parameters = {p.get("name"): p for p in strategy.findall(f"{{{CORE}}}Parameter")}
    controls = list(strategy.iter(f"{{{LAYOUT}}}Control"))
    assert [c.get("parameterRef") for c in controls] == list(parameters)
    assert len({c.get("ID") for c in controls}) == len(controls)
    for control in controls:
        assert control.get(f"{{{XSI}}}type") in CONTROLS
        assert control.get("label") and control.get("tooltip")
        parameter = parameters[control.get("parameterRef")]
        pairs = [pair.get("enumID") for pair in parameter.findall(f"{{{CORE}}}EnumPair")]
        items = [item.get("enumID") for item in control.findall(f"{{{LAYOUT}}}ListItem")]
        assert items == pairs
        assert bool(pairs) is (control.get(f"{{{XSI}}}type") == "lay:DropDownList_t")


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_layout_and_the_rules_keep_the_shape_of_the_standard(name: str) -> None:
    strategy = STRATEGIES[name]
    kinds = [child.tag for child in strategy]
    order = [f"{{{CORE}}}Description", f"{{{CORE}}}Parameter"]
    order += [f"{{{LAYOUT}}}StrategyLayout", f"{{{VALIDATION}}}StrategyEdit"]
    assert kinds == sorted(kinds, key=order.index)
    for panel in strategy.iter(f"{{{LAYOUT}}}StrategyPanel"):
        assert len({child.tag for child in panel}) == 1, "panels hold panels or controls, not both"
        assert panel.get("orientation") in ("HORIZONTAL", "VERTICAL")
    known = {p.get("name") for p in strategy.findall(f"{{{CORE}}}Parameter")}
    rules = strategy.findall(f"{{{VALIDATION}}}StrategyEdit")
    assert all(rule.get("errorMessage") for rule in rules)
    for edit in strategy.iter(f"{{{VALIDATION}}}Edit"):
        if edit.get("logicOperator") is None:
            assert edit.get("operator") in OPERATORS
            assert {edit.get("field"), edit.get("field2") or edit.get("field")} <= known


@pytest.mark.parametrize("command", ["new", "replace"])
def test_the_command_line_has_an_option_for_every_parameter(command: str) -> None:
    group: Any = typer.main.get_command(app)
    order = group.commands["order"].commands[command]
    helps = {name: each.help for each in order.params for name in each.opts}
    for row in every_row():
        assert row.about.meaning in helps[option(row)]
    assert len(every_row()) == len(names())


def test_a_basket_has_a_column_for_every_parameter() -> None:
    assert {column(row) for row in every_row()} == set(COLUMNS[3 + len(DEFAULTS) :])


def test_texts_of_people_become_the_units_of_messages() -> None:
    texts = {
        "aim": "completion",
        "participation_rate_bps": "750",
        "half_life": "1.5h",
        "risk_aversion": "0.0015",
        "pre_close": "20m",
        "time_jitter_bps": "",
    }
    assert parameters_of(texts) == StrategyParameters(
        aim=Aim.COMPLETION,
        participation_rate_bps=750,
        half_life_ns=5_400 * 10**9,
        risk_aversion_e9=1_500_000,
        pre_close_ns=1_200 * 10**9,
    )
    assert parameters_of({"aim": ""}) is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("aim", "luck"),
        ("aim", "unknown"),
        ("participation_rate_bps", "7.5"),
        ("participation_rate_bps", "-1"),
        ("participation_rate_bps", "9" * 30),
        ("half_life", "20"),
        ("half_life", "-20m"),
        ("half_life", "0.0000000001s"),
        ("half_life", "9999999999999d"),
        ("risk_aversion", "1e-3"),
        ("risk_aversion", "0.0000000001"),
    ],
)
def test_a_text_that_can_not_be_told_exactly_names_its_column(name: str, text: str) -> None:
    with pytest.raises(TermsError, match=f"^{name} {text} is not "):
        parameters_of({name: text})


def test_a_row_of_a_basket_file_brings_its_parameters(tmp_path: Path) -> None:
    view = ReferenceView()
    view.apply(instrument_defined(), OPEN_NS, OPEN_NS)
    view.advance(OPEN_NS)
    file = tmp_path / "basket.csv"
    first = {"client_order_id": "c1", "instrument_id": ACME, "side": "buy", "quantity": "100"}
    lines = [
        first | {"strategy": "pov", "participation_rate_bps": "700"},
        first | {"client_order_id": "c2", "strategy": "implementation-shortfall"},
        first | {"client_order_id": "c3", "strategy": "close", "pre_close": "30m"},
    ]
    with file.open("w", newline="") as out:
        writer = csv.DictWriter(out, sorted({name for line in lines for name in line}))
        writer.writeheader()
        writer.writerows(lines)
    found = {e.client_order_id: (e.strategy, e.parameters) for e in entries(file, view, OPEN_NS)}
    assert found == {
        "c1": (StrategyKind.POV, StrategyParameters(participation_rate_bps=700)),
        "c2": (StrategyKind.IMPLEMENTATION_SHORTFALL, None),
        "c3": (StrategyKind.CLOSE, StrategyParameters(pre_close_ns=1_800 * 10**9)),
    }


def test_penstock_strategies_lists_them_as_a_table_and_as_json() -> None:
    run = CliRunner()
    told = json.loads(run.invoke(app, ["strategies", "--json"]).stdout)
    assert list(told) == [kind.value for kind in DEFINITIONS]
    for kind in DEFINITIONS:
        assert list(told[kind]["parameters"]) == [row.name for row in rows(kind)]
    rate = told["POV"]["parameters"]["participation_rate_bps"]
    assert rate["presets"] == {Urgency.PASSIVE: 500, Urgency.NEUTRAL: 1_000, Urgency.URGENT: 2_000}
    assert (rate["low"], rate["high"], rate["fix_tag"]) == (1, 9_000, 849)
    shown = run.invoke(app, ["strategies", "implementation-shortfall"])
    assert shown.exit_code == 0 and "--half-life" in shown.stdout and "POV" not in shown.stdout
    assert run.invoke(app, ["strategies", "luck"]).exit_code == 2
