"""Write enums.json from our dictionaries: `python -m services.fix.codes.extract`.

Run when they or FIELDS change: the result is a hundredth of them, and read at every start.
"""

import json
from pathlib import Path
from xml.etree import ElementTree as Xml

from services.fix.codes.enums import FIELDS, TABLES
from services.fix.codes.versions import Version
from services.fix.dictionaries import dictionary_path

__all__ = ["tables_text"]


def tables_text() -> str:
    """Return the tables as JSON with one line for each field."""
    versions = []
    for version in Version:
        values = _values(dictionary_path(version))
        lines = [f'  "{tag}": {json.dumps(values[tag])}' for tag in FIELDS if values.get(tag)]
        versions.append(f' "{version}": {{\n' + ",\n".join(lines) + "\n }")
    return "{\n" + ",\n".join(versions) + "\n}\n"


def _values(path: Path) -> dict[int, dict[str, str]]:
    fields = Xml.parse(path).getroot().find("fields")
    assert fields is not None, f"{path} has no fields"
    return {
        int(field.attrib["number"]): {
            value.attrib["enum"]: value.attrib["description"] for value in field
        }
        for field in fields
    }


if __name__ == "__main__":
    TABLES.write_text(tables_text())
