"""Generate schemas/messages/*.py (frozen msgspec Structs and converters) from the .avsc files.

Run: python -m schemas.generate          writes the files
     python -m schemas.generate --check  exits 1 when they are stale
"""

import sys
from pathlib import Path
from typing import Any

from schemas.avro import NOTICE, SCHEMAS, Named, load, registry, short, snake
from schemas.generate_wire import wire_module

MESSAGES = SCHEMAS / "messages"
PRIMITIVES = {"string": "str", "int": "int", "long": "int", "boolean": "bool", "bytes": "bytes"}


def annotation(kind: Any, named: Named) -> str:
    """Return the Python type of an Avro type."""
    if isinstance(kind, list):
        (inner,) = [branch for branch in kind if branch != "null"]
        return f"{annotation(inner, named)} | None"
    if isinstance(kind, dict):
        match kind["type"]:
            case "array":
                return f"tuple[{annotation(kind['items'], named)}, ...]"
            case "bytes":
                return "int"  # the one logical type: decimal(38, 9) is cash
            case "fixed":
                return "bytes"
            case _:
                return str(kind["name"])
    name = short(kind)
    return "bytes" if name in named.fixed else PRIMITIVES.get(name, name)


def conversion(kind: Any, value: str, named: Named, direction: str) -> str:
    """Return the expression that converts `value`; `value` itself where nothing is to do."""
    if isinstance(kind, list):
        (inner,) = [branch for branch in kind if branch != "null"]
        converted = conversion(inner, value, named, direction)
        return value if converted == value else f"None if {value} is None else {converted}"
    if isinstance(kind, dict) and kind["type"] == "array":
        inner = conversion(kind["items"], "x", named, direction)
        made = value if inner == "x" else f"[{inner} for x in {value}]"
        return made if direction == "to" else f"tuple({made})"
    if isinstance(kind, dict) and kind["type"] == "bytes":
        return f"bytes_from_cash({value})" if direction == "to" else f"cash_from_bytes({value})"
    name = short(kind["name"] if isinstance(kind, dict) else kind)
    if name in named.records:
        return f"{snake(name)}_{direction}_datum({value})"
    if name in named.enums and direction == "from":
        return f"{name}({value})"
    return value


def default(field: dict[str, Any], named: Named) -> str:
    """Return ` = value` for a field with a default; empty for one that must be given."""
    if "default" not in field:
        return ""
    kind, value = field["type"], field["default"]
    if isinstance(kind, dict):
        match kind["type"]:
            case "array":
                return " = ()"
            case "bytes":
                return " = 0"  # cash; its Avro default is the byte of zero
            case "enum":
                return f" = {kind['name']}.{value}"
            case _:
                return f" = {value!r}"
    return f" = {short(kind)}.{value}" if short(str(kind)) in named.enums else f" = {value!r}"


def struct(schema: dict[str, Any], named: Named) -> str:
    """Return the class of a record and its two converters; the envelope stands apart."""
    name = schema["name"]
    fields = [f for f in schema["fields"] if f["name"] != "envelope"]
    lines = [f"class {name}(msgspec.Struct, frozen=True, kw_only=True, gc=False):"]
    lines.append(f'    """{schema["doc"]}."""\n')
    lines += [
        f"    {f['name']}: {annotation(f['type'], named)}{default(f, named)}  # {f['doc']}"
        for f in fields
    ]
    to_pairs = [
        f'"{f["name"]}": {conversion(f["type"], "m." + f["name"], named, "to")}' for f in fields
    ]
    get = 'd["{}"]'
    from_pairs = [
        f"{f['name']}={conversion(f['type'], get.format(f['name']), named, 'from')}" for f in fields
    ]
    lines.append(f"\n\ndef {snake(name)}_to_datum(m: {name}) -> dict[str, Any]:")
    lines.append("    return {\n        " + ",\n        ".join(to_pairs) + ",\n    }")
    lines.append(f"\n\ndef {snake(name)}_from_datum(d: dict[str, Any]) -> {name}:")
    lines.append(f"    return {name}(\n        " + ",\n        ".join(from_pairs) + ",\n    )")
    return "\n".join(lines) + "\n"


def core_module(named: Named) -> str:
    """Return enums, nested records and the cash conversion, shared by all contexts."""
    parts = [f'"""Enums and nested records. {NOTICE}"""\n']
    parts.append("from enum import StrEnum\nfrom typing import Any\n")
    parts.append("import msgspec\n")
    parts.append("from schemas.primitives import bytes_from_cash, cash_from_bytes\n")
    for name, schema in sorted(named.enums.items()):
        members = "\n".join(f'    {symbol} = "{symbol}"' for symbol in schema["symbols"])
        parts.append(f'\nclass {name}(StrEnum):\n    """{schema["doc"]}."""\n\n{members}\n')
    parts += ["\n" + struct(schema, named) for schema in named.records.values()]
    return "\n".join(parts)


def context_module(context: str, schemas: list[dict[str, Any]], named: Named) -> str:
    """Return one context's messages."""
    body = "\n\n".join(struct(schema, named) for schema in schemas)
    imported = sorted(
        name
        for name in [*named.enums, *named.records]
        + [f"{snake(r)}_{d}_datum" for r in named.records for d in ("to", "from")]
        if f"{name}(" in body or f": {name} " in body or f"[{name}," in body
    )
    head = f'"""Messages of {context}. {NOTICE}"""\n\nfrom typing import Any\n\nimport msgspec\n'
    if imported:
        names = "".join(f"    {name},\n" for name in imported)
        head += f"\nfrom schemas.messages.core import (\n{names})\n"
    if "_cash(" in body or "cash_from" in body:
        head += "from schemas.primitives import bytes_from_cash, cash_from_bytes\n"
    return f"{head}\n\n{body}"


INDEX_HEAD = f'''"""Every message, newest version, and its converters. {NOTICE}"""

from collections.abc import Callable
from typing import Any, NamedTuple

from schemas.messages import %s, wire


class MessageType(NamedTuple):
    """A datum is what fastavro reads with `schemas.avro.plain`: cash is its unscaled bytes."""

    schema_id: int
    name: str  # context.Name.vN
    struct: type[Any]
    to_datum: Callable[[Any], dict[str, Any]]
    from_datum: Callable[[dict[str, Any]], Any]
    write: Callable[[Any], bytes]  # the body without the envelope
    read: Callable[[bytes, int], tuple[Any, int]]  # from behind the envelope: message, position


MESSAGE_TYPES: tuple[MessageType, ...] = (
'''


def index_module(loaded: list[tuple[int, dict[str, Any]]], ids: dict[str, int]) -> str:
    """Return the table of all messages."""
    entries = []
    for version, schema in loaded:
        context, name = short(schema["namespace"]), schema["name"]
        full = f"{context}.{name}.v{version}"
        function = f"{context}.{snake(name)}"
        entries.append(
            f"    MessageType(\n        {ids[full]},\n"
            f'        "{full}",\n        {context}.{name},\n'
            f"        {function}_to_datum,\n        {function}_from_datum,\n"
            f"        wire.write_{snake(name)},\n        wire.read_{snake(name)},\n    ),\n"
        )
    contexts = ", ".join(sorted({short(schema["namespace"]) for _, schema in loaded}))
    return INDEX_HEAD % contexts + "".join(entries) + ")\n"


def generate() -> dict[Path, str]:
    """Return the content of every generated file by path."""
    named = Named()
    loaded = load()
    contexts: dict[str, list[dict[str, Any]]] = {}
    for _, schema in loaded:
        contexts.setdefault(short(schema["namespace"]), []).append(schema)
        for f in schema["fields"]:
            named.learn(f["type"])
    files = {MESSAGES / "core.py": core_module(named)}
    for context, schemas in contexts.items():
        files[MESSAGES / f"{context}.py"] = context_module(context, schemas, named)
    files[MESSAGES / "wire.py"] = wire_module(contexts, named)
    files[MESSAGES / "index.py"] = index_module(loaded, registry())
    files[MESSAGES / "__init__.py"] = f'"""Structs of every message. {NOTICE}"""\n'
    return files


def main() -> int:
    """Write what is stale, or with --check only say so."""
    stale = [p for p, text in generate().items() if not p.exists() or p.read_text() != text]
    if "--check" in sys.argv:
        for path in stale:
            sys.stderr.write(f"{path.name} is stale: run python -m schemas.generate\n")
        return 1 if stale else 0
    MESSAGES.mkdir(exist_ok=True)
    for path, text in generate().items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
