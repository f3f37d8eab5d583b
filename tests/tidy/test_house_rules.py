"""The house rules catch what they name."""

import pytest

from tests.support.house_rules import problems

DOC = '"""Say it."""\n'
PURE = "streams/netting/decider.py"
LONG = "def f() -> None:\n" + "    g()\n" * 60
BAD = {
    "no docstring": ("services/x.py", "A = 1\n", "no module docstring"),
    "ragged docstring": ("services/x.py", '"""One\ntwo."""\n', "first line is not alone"),
    "long file": ("services/x.py", DOC + "\n" * 400, "over 400 lines"),
    "long function": ("services/x.py", DOC + LONG, "f has over 60 lines"),
    "open end": ("services/x.py", DOC + "# TO" + "DO later\n", "without an issue"),
    "bare suppression": ("services/x.py", DOC + "A = 1  # no" + "qa\n", "suppression"),
    "suppression without reason": ("services/x.py", DOC + "A = 1  # no" + "qa: E501\n", "why"),
    "bare ignore": ("services/x.py", DOC + "A = 1  # type: " + "ignore\n", "suppression"),
    "spelling": ("services/x.py", DOC + "# cancel" + "led\n", "canceled"),
    "bad class": ("services/x.py", DOC + "class OrderManager: ...\n", "name the thing"),
    "message suffix": (PURE, DOC + "class OrderEvent: ...\n", "name the thing"),
    "bad error": ("services/x.py", DOC + "class Oops(ValueError): ...\n", "end in Error"),
    "bad module": ("services/utils.py", DOC, "nouns of the domain"),
    "many arguments": ("services/x.py", DOC + "def f(a, b, c, d, e, g, h): ...\n", "keyword-only"),
    "float literal": (PURE, DOC + "A = 0.5\n", "float 0.5"),
    "float call": (PURE, DOC + "A = float(1)\n", "float() in a decider"),
    "division": (PURE, DOC + "A = 1 / 2\n", "makes a float"),
    "hash": (PURE, DOC + "A = hash('x')\n", "hash() in a decider"),
    "set loop": (PURE, DOC + "for a in {1, 2}:\n    g(a)\n", "iterates a set"),
    "set call loop": (PURE, DOC + "A = [a for a in set(b)]\n", "iterates a set"),
    "mock": ("tests/unit/x.py", DOC + "from unittest import mock\n", "a mock"),
    "sleep": ("tests/unit/x.py", DOC + "import time\ntime.sleep(1)\n", "sleeps"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_breach_is_named(name: str) -> None:
    path, text, expected = BAD[name]
    (found,) = problems(path, text)
    assert expected in found


def test_what_is_allowed_passes() -> None:
    text = DOC + "# TO" + "DO(#12): later\nA = 1  # no" + "qa: E501 a table\nB = 1 // 2\n"
    assert problems(PURE, text) == []
    assert problems("services/x.py", DOC + "A = 1 / 2\nB = 1  # no" + "qa: E501  # a table\n") == []
