"""House rules that a linter cannot state, as functions of a source text; each says what to do."""

import ast
import re
from collections.abc import Iterator

FUNCTION_LINES_MAX = 60
FILE_LINES_MAX = 400
PURE = tuple(
    f"streams/{name}/"
    for name in ("core", "intake", "netting", "strategy", "routing", "allocation", "scorecard")
)
BANNED_IN_PURE = {
    "float": "an integer in the unit of its name",
    "hash": "a field (str hashes differ between processes)",
    "id": "a field (object identity is not recorded)",
    "open": "a port of streams/runtime/ports.py",
    "print": "an event",
    "input": "a command",
    "round": "// and a line that says how it rounds",
}
BAD_SUFFIXES = ("Manager", "Helper", "Utils")
BAD_DOMAIN_SUFFIXES = (*BAD_SUFFIXES, "Event", "Command", "Data", "Info")
ALLOWED_CLASSES = {"RecordedEvent"}  # a recorded event read back, no message of its own
BAD_MODULES = {"common", "utils", "util", "helpers", "helper", "types", "base", "misc", "manager"}
TODO = re.compile(r"\b(TODO|FIXME|XXX)\b(?!\(#\d+\): \S)")
NOQA = re.compile(r"# noqa(?!: [A-Z]+\d+(?:, ?[A-Z]+\d+)* (?: ?# )?\S)")
IGNORE = re.compile(r"# type: ignore(?!\[)")
BRITISH = re.compile(r"cancell(?:ed|ing)\b", re.IGNORECASE)


def problems(name: str, text: str) -> list[str]:
    """Return every breach in the file of that path from the repository's root."""
    tree = ast.parse(text)
    return [f"{name}{problem}" for problem in _all(name, text, tree)]


def _all(name: str, text: str, tree: ast.Module) -> Iterator[str]:
    yield from _file(name, text, tree)
    if name != "tests/support/house_rules.py":  # which names what it looks for
        yield from _lines(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _function(node)
        if isinstance(node, ast.ClassDef):
            yield from _class(name, node)
        if name.startswith(PURE):
            yield from _pure(node)
        if name.startswith("tests/"):
            yield from _test(name, node)


def _file(name: str, text: str, tree: ast.Module) -> Iterator[str]:
    doc = ast.get_docstring(tree)
    if doc is None:
        yield ": no module docstring; say what it is for in one line"
    elif len(doc.splitlines()) > 1 and doc.splitlines()[1].strip():
        yield ": the module docstring's first line is not alone; one line, then a blank one"
    if text.count("\n") > FILE_LINES_MAX:
        yield f": over {FILE_LINES_MAX} lines; split it by noun, not by layer"
    if name.rpartition("/")[2].removesuffix(".py") in BAD_MODULES:
        yield ": modules are nouns of the domain"


def _lines(text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), 1):
        if TODO.search(line):
            yield f":{number}: an open end without an issue; TODO(#123): what, or do it now"
        if NOQA.search(line) or IGNORE.search(line):
            yield f":{number}: suppression without code and reason; # noqa: CODE why"
        if BRITISH.search(line):
            yield f":{number}: FIX spells it canceled, canceling"


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    if (node.end_lineno or node.lineno) - node.lineno >= FUNCTION_LINES_MAX:
        yield f":{node.lineno}: {node.name} has over {FUNCTION_LINES_MAX} lines; split it"
    positional = [a for a in node.args.args if a.arg not in ("self", "cls")]
    if len(positional) > 6 and not node.name.startswith("test_"):
        yield f":{node.lineno}: {node.name} takes {len(positional)} by position; keyword-only"


def _class(name: str, node: ast.ClassDef) -> Iterator[str]:
    suffixes = BAD_DOMAIN_SUFFIXES if name.startswith("streams/") else BAD_SUFFIXES
    if node.name.endswith(suffixes) and node.name not in ALLOWED_CLASSES:
        yield f":{node.lineno}: class {node.name}; name the thing itself"
    bases = [ast.unparse(base).rpartition(".")[2] for base in node.bases]
    is_error = any(b == "Exception" or b.endswith("Error") for b in bases)
    if is_error and not node.name.endswith("Error") and not name.startswith("tests/"):
        yield f":{node.lineno}: class {node.name}; errors end in Error"


def _pure(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        instead = BANNED_IN_PURE.get(node.func.id)
        if instead:
            yield f":{node.lineno}: {node.func.id}() in a decider; use {instead}"
    if isinstance(node, ast.Constant) and isinstance(node.value, float):
        yield f":{node.lineno}: float {node.value} in a decider; use an integer and its unit"
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        yield f":{node.lineno}: / in a decider makes a float; use // and say how it rounds"
    loops = [node.iter] if isinstance(node, ast.For | ast.comprehension) else []
    for source in loops:
        call = isinstance(source, ast.Call) and isinstance(source.func, ast.Name)
        is_set_call = call and source.func.id in ("set", "frozenset")  # type: ignore[attr-defined]
        if isinstance(source, ast.Set | ast.SetComp) or is_set_call:
            yield f":{source.lineno}: iterates a set; sort it, or use a dict or tuple"


def _test(name: str, node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.ImportFrom | ast.Import):
        names = [getattr(node, "module", None) or "", *[alias.name for alias in node.names]]
        if "unittest.mock" in names or ("unittest" in names and "mock" in names):
            yield f":{node.lineno}: a mock; use a fake adapter such as MemoryLog"
    if isinstance(node, ast.Call) and not name.startswith("tests/support/"):
        called = ast.unparse(node.func)
        if called in ("time.sleep", "sleep"):
            yield f":{node.lineno}: sleeps; poll with a deadline (tests/support)"
