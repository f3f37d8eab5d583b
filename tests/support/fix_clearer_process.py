"""A FIX clearer to try a gateway with: `python -m tests.support.fix_clearer_process --help`.

penstock fix run infra/fix/clearers.toml --bootstrap HOST:PORT
PENSTOCK_FIX_CLEARER=secret python -m tests.support.fix_clearer_process --port 9879 --name CLEARER
"""

import argparse
import logging
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from services.clearing.clearer import Rule
from tests.support.fix_clearer import FixClearer, Reply
from tests.support.fix_peer import FixPeer

__all__ = ["ClearerPeer", "main"]

VERSIONS = {"FIX.4.2": "FIX42", "FIX.4.4": "FIX44", "FIXT.1.1": "FIX50SP2"}
HEARD = ("J", "AS", "AE", "AK", "P", "j")
log = logging.getLogger("penstock.fix-clearer")


class ClearerPeer:
    """A session of QuickFIX with a clearer behind it."""

    def __init__(self, peer: FixPeer, clearer: FixClearer) -> None:
        self.peer = peer
        self.clearer = clearer
        self._heard = 0

    def work(self) -> bool:
        """Read what came and answer it; whether anything was new."""
        is_new = False
        while self._heard < len(self.peer.seen):
            fields = self.peer.seen[self._heard]
            self._heard += 1
            kind = fields.get(35)
            if kind in HEARD:
                is_new = True
                self._reply(self.clearer.feed(kind, fields, 97 in fields))
        return is_new

    def flush(self) -> None:
        """Give the answers that are late, the last one first."""
        self._reply(self.clearer.flush())

    def _reply(self, replies: Iterator[Reply]) -> None:
        for reply in replies:
            self.peer.send(reply.message_type, reply.fields)


def main() -> None:
    """Answer until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--name", required=True, help="its CompID (FIX 49)")
    parser.add_argument("--target", default="PENSTOCK")
    parser.add_argument("--begin", choices=VERSIONS, default="FIX.4.4")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rejected-ppm", type=int, default=0)
    parser.add_argument("--late-ppm", type=int, default=50_000)
    parser.add_argument("--twice-ppm", type=int, default=50_000)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    rule = Rule(
        seed=given.seed,
        rejected_ppm=given.rejected_ppm,
        late_ppm=given.late_ppm,
        twice_ppm=given.twice_ppm,
    )
    clearer = FixClearer(VERSIONS[given.begin], rule)
    with (
        tempfile.TemporaryDirectory() as folder,
        FixPeer(
            Path(folder),
            given.port,
            sender=given.name,
            target=given.target,
            begin=given.begin,
            password=os.environ.get(f"PENSTOCK_FIX_{given.name}", ""),
        ) as peer,
    ):
        run = ClearerPeer(peer, clearer)
        while True:
            if run.work():
                counts = (len(clearer.verdicts), len(clearer.books), len(clearer.faults))
                log.info("%d reports, %d stand, %d faults", *counts)
            else:
                run.flush()
                time.sleep(0.1)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        log.info("stopped")
