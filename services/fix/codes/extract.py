"""Write enums.json from QuickFIX's dictionaries: `python -m services.fix.codes.extract SPEC_DIR`.

Run when a version or a field is added; gateways read the result and need no QuickFIX.
"""

import json
import sys
from pathlib import Path
from xml.etree import ElementTree as Xml

from services.fix.codes.enums import FIELDS, TABLES
from services.fix.codes.versions import Version

__all__ = ["tables_text"]


def tables_text(directory: Path) -> str:
    """Return the tables as JSON with one line for each field."""
    versions = []
    for version in Version:
        values = _values(directory / f"{version}.xml")
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
    TABLES.write_text(tables_text(Path(sys.argv[1])))
