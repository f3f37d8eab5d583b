"""Derive our data dictionaries from QuickFIX's: `python -m services.fix.dictionaries.derive SPEC`.

SPEC is the folder with QuickFIX's FIX42.xml and so on; the wheel installs it as share/quickfix.
What is added, and why, is all in this file: counterparties send it, and validation would refuse it.
"""

import sys
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from services.fix.dictionaries import FOLDER

__all__ = ["derive"]

NAMES: Final = ("FIX42", "FIX44", "FIXT11", "FIX50SP2")
ORDERS: Final = ("D", "G")
ANSWERS: Final = ("8",)

# Fields that a version lacks: number, name, type (as 5.0SP2 has them; 4.2 has no NUMINGROUP).
FIELDS: Final = (
    (528, "OrderCapacity", "CHAR"),
    (553, "Username", "STRING"),
    (554, "Password", "STRING"),
    (797, "CopyMsgIndicator", "BOOLEAN"),
    (847, "TargetStrategy", "INT"),
    (848, "TargetStrategyParameters", "STRING"),
    (849, "ParticipationRate", "FLOAT"),
    (851, "LastLiquidityInd", "INT"),
    (957, "NoStrategyParameters", "INT"),
    (958, "StrategyParameterName", "STRING"),
    (959, "StrategyParameterType", "INT"),
    (960, "StrategyParameterValue", "STRING"),
)
# Which messages take them as well: algorithms on orders and echoed in answers, passwords at Logon
# (in use long before 4.3 had them), liquidity and capacity of fills, copies marked as such, and the
# trade date of an order, where it is not the day on which it is sent.
TAKEN_BY: Final = {
    "OrderCapacity": ORDERS,
    "Username": ("A",),
    "Password": ("A",),
    "CopyMsgIndicator": ("8", "9", "D", "G"),
    "TargetStrategy": (*ORDERS, *ANSWERS),
    "TargetStrategyParameters": (*ORDERS, *ANSWERS),
    "ParticipationRate": (*ORDERS, *ANSWERS),
    "LastLiquidityInd": ANSWERS,
    "TradeDate": ("D",),
}
# Enumerations that parties extend by agreement, so that any value passes: strategies above 1000.
OPEN: Final = ("TargetStrategy",)
# Values that later versions have and that are in use in all.
VALUES: Final = {
    "TimeInForce": (("7", "AT_THE_CLOSE"),),
    "LastLiquidityInd": (("4", "AUCTION"),),
    "BusinessRejectReason": (
        ("8", "THROTTLE_LIMIT_EXCEEDED_MESSAGES_REJECTED"),
        ("9", "THROTTLE_LIMIT_EXCEEDED_SESSION_WILL_BE_DISCONNECTED"),
    ),
}
LIST_ORDERS: Final = "NoOrders"  # the group of E that holds orders


def derive(specification: Path, name: str) -> str:
    """Return one of our dictionaries as XML, from QuickFIX's of the same name."""
    root = ElementTree.parse(specification / f"{name}.xml").getroot()
    _add_fields(root, is_transport=name == "FIXT11")
    _open_enumerations(root)
    for msg_type in (*ORDERS, *ANSWERS, "E", "A", "9"):
        message = root.find(f"messages/message[@msgtype='{msg_type}']")
        if message is not None:
            _complete(root, message, msg_type)
    ElementTree.indent(root, " ")
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _section(root: ElementTree.Element, name: str) -> ElementTree.Element:
    found = root.find(name)
    return ElementTree.SubElement(root, name) if found is None else found


def _add_fields(root: ElementTree.Element, *, is_transport: bool) -> None:
    fields = _section(root, "fields")
    known = {each.get("number") for each in fields}
    for number, name, kind in FIELDS:
        if str(number) not in known and (not is_transport or name in ("Username", "Password")):
            attributes = {"number": str(number), "name": name, "type": kind}
            ElementTree.SubElement(fields, "field", attributes)


def _open_enumerations(root: ElementTree.Element) -> None:
    for field in _section(root, "fields"):
        name = field.get("name", "")
        if name in OPEN:
            for value in list(field):
                field.remove(value)
        known = {each.get("enum") for each in field}
        for enum, description in VALUES.get(name, ()):
            if known and enum not in known:
                attributes = {"enum": enum, "description": description}
                ElementTree.SubElement(field, "value", attributes)


def _complete(root: ElementTree.Element, message: ElementTree.Element, msg_type: str) -> None:
    holder = message
    if msg_type == "E":
        holder = _list_orders(root, message)
        msg_type = "D"
    names = _names(root, holder)
    for name, takers in TAKEN_BY.items():
        is_new = name not in names and (name != "CopyMsgIndicator" or holder is message)
        if msg_type in takers and is_new:
            ElementTree.SubElement(holder, "field", {"name": name, "required": "N"})
    if msg_type in (*ORDERS, *ANSWERS) and "NoStrategyParameters" not in names:
        group = ElementTree.SubElement(
            holder, "group", {"name": "NoStrategyParameters", "required": "N"}
        )
        for name, required in (
            ("StrategyParameterName", "Y"),
            ("StrategyParameterType", "N"),
            ("StrategyParameterValue", "N"),
        ):
            ElementTree.SubElement(group, "field", {"name": name, "required": required})


def _list_orders(root: ElementTree.Element, message: ElementTree.Element) -> ElementTree.Element:
    found = message.find(f"group[@name='{LIST_ORDERS}']")
    for component in () if found is not None else message.findall("component"):
        path = f"components/component[@name='{component.get('name')}']/group[@name='{LIST_ORDERS}']"
        found = root.find(path) if found is None else found
    assert found is not None, "a NewOrderList without orders"
    return found


def _names(root: ElementTree.Element, holder: ElementTree.Element) -> set[str]:
    """Return what a message or group names, components resolved."""
    names: set[str] = set()
    for each in holder:
        names.add(each.get("name", ""))
        if each.tag == "component":
            component = root.find(f"components/component[@name='{each.get('name')}']")
            if component is not None:
                names |= _names(root, component)
    return names


if __name__ == "__main__":
    for each in NAMES:
        (FOLDER / f"{each}.xml").write_text(derive(Path(sys.argv[1]), each))
