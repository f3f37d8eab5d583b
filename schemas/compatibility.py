"""The compatibility gate: FULL_TRANSITIVE between all versions of every message.

Run: python -m schemas.compatibility     exits 1 and names every breach
"""

import json
import sys
from itertools import combinations
from typing import Any

from schemas.avro import SCHEMAS, registry, resolved, short, versions

__all__ = ["can_read", "check_all", "check_pair", "check_registry", "undocumented"]

RELEASED = SCHEMAS / "golden"


def can_read(reader: Any, writer: Any, at: str = "") -> list[str]:  # noqa: PLR0911 one per kind
    """Return why data of `writer` cannot be read as `reader`; [] when it can.

    Stricter than Avro: no promotion of numbers, since it works in one direction only.
    """
    reader_kind, writer_kind = _kind(reader), _kind(writer)
    if reader_kind != writer_kind:
        return [f"{at}: {writer_kind} was written, {reader_kind} is read"]
    match reader_kind:
        case "record":
            return _record(reader, writer, at)
        case "enum":
            lost = [s for s in writer["symbols"] if s not in reader["symbols"]]
            if lost and "default" not in reader:
                return [f"{at}: symbols {lost} have no reading, the enum has no default"]
            return _names(reader, writer, at)
        case "array":
            return can_read(reader["items"], writer["items"], f"{at}[]")
        case "union":
            return _union(reader, writer, at)
        case "fixed" if reader["size"] != writer["size"]:
            return [f"{at}: {writer['size']} bytes were written, {reader['size']} are read"]
        case "bytes":
            return [
                f"{at}: {key} {_get(writer, key)} was written, {_get(reader, key)} is read"
                for key in ("logicalType", "precision", "scale")
                if _get(reader, key) != _get(writer, key)
            ]
    return []


def _kind(schema: Any) -> str:
    if isinstance(schema, list):
        return "union"
    return str(schema["type"] if isinstance(schema, dict) else schema)


def _get(schema: Any, key: str) -> Any:
    return schema.get(key) if isinstance(schema, dict) else None


def _names(reader: Any, writer: Any, at: str) -> list[str]:
    if short(reader["name"]) == short(writer["name"]):
        return []
    return [f"{at}: {writer['name']} was written, {reader['name']} is read"]


def _record(reader: Any, writer: Any, at: str) -> list[str]:
    written = {f["name"]: f["type"] for f in writer["fields"]}
    reasons = _names(reader, writer, at)
    for f in reader["fields"]:
        place = f"{at}.{f['name']}" if at else f["name"]
        if f["name"] in written:
            reasons += can_read(f["type"], written[f["name"]], place)
        elif "default" not in f:
            reasons.append(f"{place}: was not written and has no default")
    return reasons


def _union(reader: list[Any], writer: list[Any], at: str) -> list[str]:
    return [
        f"{at}: branch {_kind(branch)} has no reading"
        for branch in writer
        if all(can_read(candidate, branch, at) for candidate in reader)
    ]


def check_pair(old: Any, new: Any) -> list[str]:
    """Return why `old` and `new` cannot be read as each other; [] when both ways work."""
    named_old, named_new = resolved(old), resolved(new)
    backward = [f"new reads old: {r}" for r in can_read(named_new, named_old)]
    forward = [f"old reads new: {r}" for r in can_read(named_old, named_new)]
    return backward + forward


def undocumented(schema: Any, at: str) -> list[str]:
    """Return the fields and named types without a doc, and the enums without default UNKNOWN."""
    if isinstance(schema, list):
        return [reason for branch in schema for reason in undocumented(branch, at)]
    if not isinstance(schema, dict):
        return []
    reasons = []
    if schema["type"] in ("record", "enum") and not schema.get("doc"):
        reasons.append(f"{at}: {schema['name']} has no doc")
    if schema["type"] == "enum" and schema.get("default") != "UNKNOWN":
        reasons.append(f"{at}: enum {schema['name']} has no default UNKNOWN")
    for f in schema.get("fields", []):
        if not f.get("doc"):
            reasons.append(f"{at}.{f['name']}: no doc")
        reasons += undocumented(f["type"], f"{at}.{f['name']}")
    return reasons + undocumented(schema.get("items"), f"{at}[]")


def check_registry() -> list[str]:
    """Return where registry.json and the files disagree, and ids that are not unique."""
    ids = registry()
    files = {f"{name}.v{v}" for name, paths in versions().items() for v in paths}
    twice = sorted({i for i in ids.values() if list(ids.values()).count(i) > 1})
    return [
        *[f"{name}: not in registry.json" for name in sorted(files - set(ids))],
        *[f"{name}: registered without a file" for name in sorted(set(ids) - files)],
        *[f"id {schema_id}: registered twice" for schema_id in twice],
    ]


def _without_docs(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_docs(item) for item in schema]
    if isinstance(schema, dict):
        return {key: _without_docs(value) for key, value in schema.items() if key != "doc"}
    return schema


def check_all() -> list[str]:
    """Return every breach of the rules of schemas/README.md; [] when there is none."""
    reasons = check_registry()
    for name, paths in versions().items():
        schemas = {v: json.loads(path.read_text()) for v, path in sorted(paths.items())}
        for version, schema in schemas.items():
            reasons += undocumented(schema, f"{name}.v{version}")
            released = RELEASED / f"{name}.v{version}.avsc"
            if released.exists() and _without_docs(schema) != _without_docs(
                json.loads(released.read_text())
            ):
                reasons.append(f"{name}.v{version}: is released and was changed; add a version")
        for (old, a), (new, b) in combinations(schemas.items(), 2):
            reasons += [f"{name} v{old} and v{new}: {r}" for r in check_pair(a, b)]
    known = set(registry())
    gone = sorted(p.stem for p in RELEASED.glob("*.avsc") if p.stem not in known)
    return reasons + [f"{name}: is released and was removed" for name in gone]


if __name__ == "__main__":
    found = check_all()
    sys.stderr.write("".join(f"{reason}\n" for reason in found))
    sys.exit(1 if found else 0)
