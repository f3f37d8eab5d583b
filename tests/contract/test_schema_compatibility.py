"""The gate: every version of a message reads every other, and the gate refuses what breaks that."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schemas import avro, compatibility
from schemas.avro import SCHEMAS
from schemas.compatibility import check_all, check_pair, undocumented

FILL: dict[str, Any] = json.loads((SCHEMAS / "routing/FillBooked.v1.avsc").read_text())
Change = Callable[[dict[str, Any]], Any]


def field(schema: dict[str, Any], name: str) -> dict[str, Any]:
    return next(f for f in schema["fields"] if f["name"] == name)


def changed(change: Change) -> dict[str, Any]:
    schema = copy.deepcopy(FILL)
    change(schema)
    return schema


def without(name: str) -> Change:
    return lambda s: s["fields"].remove(field(s, name))


def with_field(**content: Any) -> Change:
    return lambda s: s["fields"].append({"name": "added", "doc": "Added, no unit"} | content)


def test_the_schemas_of_this_repository_pass_the_gate() -> None:
    assert check_all() == []


GOOD: dict[str, Change] = {
    "nothing": lambda s: None,
    "a doc": lambda s: field(s, "quantity").update(doc="Other words, smallest units"),
    "a new field with a default": with_field(type="long", default=0),
    "a new nullable field": with_field(type=["null", "long"], default=None),
    "a new symbol of an enum with a default": lambda s: field(s, "side")["type"]["symbols"].append(
        "SELL_SHORT"
    ),
    "a removed symbol of an enum with a default": lambda s: field(s, "liquidity")["type"][
        "symbols"
    ].remove("HIDDEN"),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_compatible_change_passes(name: str) -> None:
    assert check_pair(FILL, changed(GOOD[name])) == []


def _enum_without_default(schema: dict[str, Any]) -> None:
    enum = field(schema, "side")["type"]
    del enum["default"]
    enum["symbols"].remove("SELL")


BAD: dict[str, tuple[Change, str]] = {
    "a removed field that has no default": (without("price_e9"), "old reads new: price_e9"),
    "a new field without a default": (with_field(type="long"), "new reads old: added"),
    "another type": (lambda s: field(s, "quantity").update(type="string"), "quantity: long was"),
    "a wider number": (lambda s: field(s, "epoch").update(type="long"), "epoch: int was written"),
    "another scale of cash": (lambda s: field(s, "cash_e9")["type"].update(scale=2), "scale 9"),
    "another precision": (lambda s: field(s, "fee_e9")["type"].update(precision=20), "precision"),
    "a logical type dropped": (
        lambda s: field(s, "cash_e9")["type"].pop("logicalType"),
        "logicalType decimal was written, None is read",
    ),
    "a renamed field": (lambda s: field(s, "epoch").update(name="era"), "new reads old: era"),
    "a removed enum symbol without default": (_enum_without_default, "symbols ['SELL']"),
    "null no longer allowed": (
        lambda s: field(s, "midpoint_e9").update(type="long"),
        "midpoint_e9: union was written, long is read",
    ),
    "a branch taken from a union": (
        lambda s: field(s, "midpoint_e9").update(type=["null"]),
        "branch long has no reading",
    ),
    "another size of a fixed": (
        lambda s: field(s["fields"][0]["type"], "event_id")["type"].update(size=8),
        "envelope.event_id: 16 bytes were written, 8 are read",
    ),
    "another name of the record": (lambda s: s.update(name="FillDone"), "FillBooked was written"),
}


@pytest.mark.parametrize("name", BAD)
def test_an_incompatible_change_is_refused(name: str) -> None:
    change, expected = BAD[name]
    assert any(expected in reason for reason in check_pair(FILL, changed(change)))


def test_a_released_version_may_not_change_nor_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen = tmp_path / "routing.FillBooked.v1.avsc"
    monkeypatch.setattr(compatibility, "RELEASED", tmp_path)
    frozen.write_text(json.dumps(changed(GOOD["a doc"])))
    assert check_all() == []
    frozen.write_text(json.dumps(changed(with_field(type="long", default=0))))
    assert check_all() == ["routing.FillBooked.v1: is released and was changed; add a version"]
    frozen.rename(tmp_path / "routing.FillLost.v1.avsc")
    assert check_all() == ["routing.FillLost.v1: is released and was removed"]


def test_fields_without_a_doc_and_enums_without_a_default_are_named() -> None:
    bare = changed(lambda s: field(s, "epoch").pop("doc"))
    assert undocumented(bare, "x") == ["x.epoch: no doc"]
    enum = changed(lambda s: field(s, "side")["type"].pop("default"))
    assert undocumented(enum, "x") == ["x.side: enum Side has no default UNKNOWN"]


def test_the_registry_must_agree_with_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = {name: 7 for name in list(avro.registry())[1:]} | {"intake.Gone.v1": 8}
    monkeypatch.setattr(compatibility, "registry", lambda: ids)
    assert compatibility.check_registry() == [
        "intake.NewOrder.v1: not in registry.json",
        "intake.Gone.v1: registered without a file",
        "id 7: registered twice",
    ]
