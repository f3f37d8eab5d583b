"""Derive the data files from QuickFIX's XML: `python -m services.fix.dictionary.derive FOLDER`.

FOLDER holds FIX42.xml and so on, as in QuickFIX's `spec` (or `share/quickfix` of an environment
that has it installed).
"""

import json
import sys
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, parse

__all__ = ["derived"]

HERE = Path(__file__).parent
# Each file and what it is made of: FIX 5.0 keeps its session's messages in FIXT 1.1.
SOURCES = {"FIX42": ("FIX42",), "FIX44": ("FIX44",), "FIX50SP2": ("FIXT11", "FIX50SP2")}
SESSION = ("0", "1", "2", "3", "4", "5", "A")
ORDERS = ("D", "E", "F", "G", "H", "K", "L", "M", "N", "q", "r", "8", "9", "Q", "AF", "CA", "BZ")
AFTER_TRADE = ("J", "P", "AS", "AT", "AK", "AU", "AD", "AQ", "AE", "AR")
MESSAGES = (*SESSION, "j", "B", *ORDERS, *AFTER_TRADE)
# FIX 5.0 SP2 grew to 6000 fields, most for swaps: those parts are left out.
TAGS_END = 2_000
SWAPS = ("Und", "Leg", "InstrmtLeg", "Complex", "Stream", "Payment", "Stipulations", "Yield")


def derived(roots: list[Element]) -> dict[str, Any]:
    """Return fields, header and messages of one version."""
    names: dict[str, int] = {}
    fields: dict[int, list[Any]] = {}
    for root in roots:
        for field in root.iterfind("fields/field"):
            tag = int(field.attrib["number"])
            names[field.attrib["name"]] = tag
            values = {v.attrib["enum"]: v.attrib["description"] for v in field.iterfind("value")}
            entry = [field.attrib["name"], field.attrib["type"]]
            if tag < TAGS_END:
                fields.setdefault(tag, [*entry, values] if values else entry)
    components = {c.attrib["name"]: c for root in roots for c in root.iterfind("components/*")}
    header = next(h for root in roots for h in root.iterfind("header") if len(h))
    messages: dict[str, list[str]] = {}
    for root in roots:
        for message in root.iterfind("messages/message"):
            kind = message.attrib["msgtype"]
            if kind in MESSAGES:
                layout = _layout(message, names, components)
                messages.setdefault(kind, [message.attrib["name"], layout])
    used = {_tag(word) for _, layout in messages.values() for word in layout.split()}
    header_layout = _layout(header, names, components)
    used |= {_tag(word) for word in header_layout.split()}
    for number, entry in fields.items():
        # Names of all tags, so that a stranger's field is named; values of those in use.
        if number not in used:
            del entry[2:]
    return {
        "fields": dict(sorted(fields.items())),
        "header": header_layout,
        "messages": {kind: messages[kind] for kind in MESSAGES if kind in messages},
    }


def _layout(of: Element, names: dict[str, int], components: dict[str, Element]) -> str:
    """Return tags in order: `11! 38 453 ( 448! 447 )`; ! is required."""
    words: list[str] = []
    for child in of:
        if child.attrib["name"].startswith(SWAPS) or names.get(child.attrib["name"], 0) >= TAGS_END:
            continue
        if child.tag == "component":
            inner = _layout(components[child.attrib["name"]], names, components)
            # A field is required only where its component is.
            words.append(inner if child.attrib["required"] == "Y" else _all_optional(inner))
            continue
        mark = "!" if child.attrib["required"] == "Y" else ""
        words.append(f"{names[child.attrib['name']]}{mark}")
        if child.tag == "group":
            words.append(f"( {_layout(child, names, components)} )")
    return " ".join(word for word in words if word)


def _all_optional(layout: str) -> str:
    """Return the layout without the marks outside of its groups."""
    depth, words = 0, []
    for word in layout.split():
        depth += (word == "(") - (word == ")")
        words.append(word if depth else word.rstrip("!"))
    return " ".join(words)


def _tag(word: str) -> int:
    return int(word.rstrip("!")) if word not in "()" else 0


def main() -> None:
    folder = Path(sys.argv[1])
    for name, sources in SOURCES.items():
        # Files of an installed package of ours to read: no hostile XML.
        made = derived([parse(folder / f"{source}.xml").getroot() for source in sources])
        lines = [f'"header": {json.dumps(made["header"])}']
        for part in ("fields", "messages"):
            rows = (f"{json.dumps(str(k))}: {json.dumps(v)}" for k, v in made[part].items())
            lines.append(f'"{part}": {{\n' + ",\n".join(rows) + "\n}")
        text = "{\n" + ",\n".join(lines) + "\n}\n"
        (HERE / f"{name}.json").write_text(text)
        sys.stdout.write(f"{name}.json: {len(made['messages'])} messages, {len(text)} bytes\n")


if __name__ == "__main__":
    main()
