"""The gateways of `penstock demo --fix`: their files fit each other; what is said without FIX."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from services.demo.gateways import GatewayFleet
from services.fix.kinds import make_gateway

ROOT = Path(__file__).parents[2]
# As if QuickFIX had never been installed: a module that is None in sys.modules is not found.
WITHOUT = (
    "import sys; sys.modules['quickfix'] = None; sys.argv = ['penstock', 'demo', '--fix']; "
    "from services.cli.main import app; app()"
)


def test_every_session_has_its_counterpart(tmp_path: Path) -> None:
    fleet = GatewayFleet("nowhere:1", tmp_path)
    ends: Counter[tuple[str, ...]] = Counter()
    ports: dict[str, set[str]] = {}
    for file in fleet.files:
        make_gateway(file)
        port = file.quickfix.get("SocketAcceptPort") or file.quickfix["SocketConnectPort"]
        ports.setdefault(port, set()).add(file.quickfix["ConnectionType"])
        for each in file.session:
            names = sorted((each.quickfix["SenderCompID"], each.quickfix["TargetCompID"]))
            ends[each.quickfix["BeginString"], *names] += 1
    assert set(ends.values()) == {2}
    assert len(ends) == 7
    assert [*ports.values()] == [{"acceptor", "initiator"}] * 2
    assert len({file.number for file in fleet.files}) == len(fleet.files) == 4
    assert [file.name for file in fleet.files if file.is_simulator] == ["market"]
    versions = {each.quickfix["BeginString"] for file in fleet.files for each in file.session}
    assert versions == {"FIX.4.2", "FIX.4.4", "FIXT.1.1"}


def test_without_quickfix_the_demo_says_what_is_missing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    said = " ".join((done.stdout + done.stderr).split())
    assert "QuickFIX is missing" in said
    assert "pip install -e '.[fix]'" in said
