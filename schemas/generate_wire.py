"""Generate schemas/messages/wire.py: one reader and one writer per record, straight-line code.

A schema says at generation time what a general codec asks at every field, so this is about three
times as fast as fastavro. fastavro stays the reference that tests compare byte for byte.
"""

from typing import Any

from schemas.avro import NOTICE, Named, short, snake

HEAD = '''"""Readers and writers of every message. {notice}"""

from schemas.messages.core import (
{core})
{contexts}
from schemas.primitives import (
    BOOLEANS,
    SIZES,
    TEXTS,
    TIMES,
    UNION_BRANCHES,
    WIRE_INTS,
    WIRE_LONGS,
    WIRE_TEXTS,
    encode_cash,
    encode_fixed,
    encode_int,
    encode_long,
    read_block,
    read_cash,
    read_int,
    read_long,
    read_size,
    read_time,
)

'''


# Strings that come back in record after record, and are looked up instead of converted. Ids of
# orders, children and fills are not among them: each is new and would only fill the table.
REPEATED_TEXTS = frozenset(
    {
        "account_id",
        "actor",
        "bound",
        "client_id",
        "currency",
        "desk_id",
        "field",
        "group_id",
        "instrument_id",
        "source",
        "tenant",
        "topic",
        "venue_id",
    }
)
TIMES = frozenset({"accepted_ns", "end_ns", "source_ns", "start_ns", "transact_ns"})
REPEATED_NUMBERS = frozenset({"seq", "trade_date"})
ONE_BYTE_MAX = 64  # symbols of an enum whose ordinal always takes one byte


def is_time(name: str) -> bool:
    """Whether a long holds an instant, which a batch repeats."""
    return name.endswith("at_ns") or name in TIMES


def is_repeated(name: str) -> bool:
    """Whether an int or long is mostly one of few values that take many bytes."""
    return is_time(name) or name.endswith("price_e9") or name in REPEATED_NUMBERS


def branch(kind: Any) -> Any:
    """Return the branch of a union that is not null; unions are ["null", X] only."""
    (inner,) = [b for b in kind if b != "null"]
    return inner


def writer_parts(  # noqa: PLR0911 one answer per kind of type
    kind: Any, value: str, name: str, named: Named
) -> list[str]:
    """Return expressions whose bytes in a row are the encoding of `value`."""
    match kind:
        case "string" if name in REPEATED_TEXTS:
            return [f"WIRE_TEXTS[{value}]"]
        case "string" | "bytes":
            raw = f"{value}.encode()" if kind == "string" else value
            return [f"(SIZES[n] if (n := len(s := {raw})) < 8192 else encode_long(n))", "s"]
        case "boolean":
            return [f'(b"\\x01" if {value} else b"\\x00")']
        case "int" | "long" if is_repeated(name):
            return [f"WIRE_{kind.upper()}S[{value}]"]
        case "int" | "long":
            return [f"(SIZES[n] if 0 <= (n := {value}) < 8192 else encode_{kind}(n))"]
        case [*_]:
            some = " + ".join(writer_parts(branch(kind), f"o_{name}", name, named))
            return [f'(b"\\x00" if (o_{name} := {value}) is None else b"\\x02" + {some})']
        case {"type": "array", "items": items}:
            item = " + ".join(writer_parts(items, "x", name, named))
            size, end = f"encode_long(len({value}))", 'b"\\x00"'
            return [f'({size} + b"".join([{item} for x in {value}]) if {value} else b"")', end]
        case {"type": "bytes"}:
            return [f"encode_cash({value})"]
    bare = short(kind["name"] if isinstance(kind, dict) else kind)
    if bare in named.fixed:
        return [f"encode_fixed({value}, {named.fixed[bare]})"]
    if bare in named.enums:
        return [f"{snake(bare).upper()}_BYTES[{value}]"]
    fields = named.records[bare]["fields"]
    return [
        part
        for f in fields
        for part in writer_parts(f["type"], f"{value}.{f['name']}", f["name"], named)
    ]


def read_text(kind: str, target: str, name: str) -> list[str]:
    """Return statements that read a string or bytes; most have a length of one byte."""
    read = "b[i : i + n]"
    if kind == "string":
        read = f"TEXTS[{read}]" if name in REPEATED_TEXTS else f"{read}.decode()"
    return [
        "n = b[i]",
        "if n & 129:",
        "    n, i = read_size(b, i)",
        "else:",
        "    n >>= 1",
        "    i += 1",
        f"{target} = {read}",
        "i += n",
    ]


def read_number(kind: str, target: str, name: str) -> list[str]:
    """Return statements that read an int or long; an instant is looked up by its nine bytes."""
    if is_time(name):
        return [
            "n = b[i]",
            "if n < 128:",
            f"    {target} = n >> 1 ^ -(n & 1)",
            "    i += 1",
            "else:",
            "    t = TIMES.get(b[i : i + 9])",
            "    if t is None:",
            f"        {target}, i = read_time(b, i)",
            "    else:",
            f"        {target} = t",
            "        i += 9",
        ]
    return [
        "n = b[i]",
        "i += 1",
        "if n > 127:",
        f"    {target}, i = read_{kind}(b, i, n)",
        "else:",
        f"    {target} = n >> 1 ^ -(n & 1)",
    ]


def reader_lines(  # noqa: PLR0911 one answer per kind of type
    kind: Any, target: str, name: str, named: Named
) -> list[str]:
    """Return statements that read `target` at position i of b."""
    match kind:
        case "string" | "bytes":
            return read_text(kind, target, name)
        case "boolean":
            return [f"{target} = BOOLEANS[b[i]]", "i += 1"]
        case "int" | "long":
            return read_number(kind, target, name)
        case [*_]:
            some = reader_lines(branch(kind), target, name, named)
            return [
                "is_some = UNION_BRANCHES[b[i]]",
                "i += 1",
                "if is_some:",
                *[f"    {line}" for line in some],
                "else:",
                f"    {target} = None",
            ]
        case {"type": "array", "items": items}:
            some = reader_lines(items, f"x_{target}", name, named)
            return [
                f"a_{target} = []",
                "count, i = read_block(b, i)",
                "while count:",
                "    for _ in range(count):",
                *[f"        {line}" for line in some],
                f"        a_{target}.append(x_{target})",
                "    count, i = read_block(b, i)",
                f"{target} = tuple(a_{target})",
            ]
        case {"type": "bytes"}:
            return [f"{target}, i = read_cash(b, i)"]
    bare = short(kind["name"] if isinstance(kind, dict) else kind)
    if bare in named.fixed:
        size = named.fixed[bare]
        return [f"{target} = b[i : i + {size}]", f"i += {size}"]
    if bare in named.enums:
        of = f"{snake(bare).upper()}_OF"
        if len(named.enums[bare]["symbols"]) <= ONE_BYTE_MAX:
            return [f"{target} = {of}[b[i]]", "i += 1"]
        return [*read_number("int", "n", ""), f"{target} = {of}[2 * n]"]
    fields = named.records[bare]["fields"]
    lines = []
    for f in fields:
        lines += reader_lines(f["type"], f"{target}_{f['name']}", f["name"], named)
    made = ", ".join(f"{f['name']}={target}_{f['name']}" for f in fields)
    return [*lines, f"{target} = {bare}({made})"]


def record_code(schema: dict[str, Any], named: Named) -> str:
    """Return the writer and the reader of a record; the envelope of a message stands apart."""
    name = schema["name"]
    fields = [f for f in schema["fields"] if f["name"] != "envelope"]
    parts = [p for f in fields for p in writer_parts(f["type"], f"m.{f['name']}", f["name"], named)]
    lines = [f"def write_{snake(name)}(m: {name}) -> bytes:", '    return b"".join(', "        ("]
    lines += [f"            {part}," for part in parts]
    lines += ["        )", "    )", "", ""]
    lines += [f"def read_{snake(name)}(b: bytes, i: int) -> tuple[{name}, int]:"]
    for f in fields:
        read = reader_lines(f["type"], f"f_{f['name']}", f["name"], named)
        lines += [f"    {line}" for line in read]
    made = ", ".join(f"{f['name']}=f_{f['name']}" for f in fields)
    lines += [f"    return {name}({made}), i", "", ""]
    return "\n".join(lines)


def wire_module(contexts: dict[str, list[dict[str, Any]]], named: Named) -> str:
    """Return readers and writers of the envelope and of everything; nested records are inlined.

    Raises: AssertionError when a message does not begin with its envelope.
    """
    messages = [schema for schemas in contexts.values() for schema in schemas]
    assert all(schema["fields"][0]["name"] == "envelope" for schema in messages)
    body = []
    for name in sorted(named.enums):
        table = f"{snake(name).upper()}"
        body.append(f"{table}_OF = {{2 * n: member for n, member in enumerate({name})}}")
        body.append(f"{table}_BYTES = {{member: SIZES[n] for n, member in enumerate({name})}}")
    body.append("\n")
    body += [record_code(schema, named) for schema in [named.records["Envelope"], *messages]]
    core = "".join(f"    {name},\n" for name in sorted([*named.enums, *named.records]))
    imports = "".join(
        f"from schemas.messages.{context} import {', '.join(sorted(s['name'] for s in schemas))}\n"
        for context, schemas in sorted(contexts.items())
    )
    return HEAD.format(notice=NOTICE, core=core, contexts=imports.rstrip()) + "\n".join(body)
