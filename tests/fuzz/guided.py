"""Fuzz the decoder guided by its coverage: `python -m tests.fuzz.guided SECONDS [SEED]`.

Needs atheris (`pip install atheris`), which is no dependency of the project.
"""

import importlib
import sys
import tempfile
from pathlib import Path
from typing import Any


def main() -> None:
    seconds, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    atheris: Any = importlib.import_module("atheris")
    parts = ["schemas.messages.wire", "schemas.primitives", "streams.adapters.codec"]
    with atheris.instrument_imports(include=parts):
        decoder = importlib.import_module("tests.fuzz.decoder")
    with tempfile.TemporaryDirectory() as corpus:
        for number, value in enumerate(decoder.seeds()):
            Path(corpus, str(number)).write_bytes(value)
        limits = [f"-max_total_time={seconds}", f"-seed={seed}", "-timeout=5", "-rss_limit_mb=1024"]
        options = ["-max_len=4096", "-verbosity=1", *limits]
        atheris.Setup([sys.argv[0], corpus, *options], lambda data: decoder.check(data) and None)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
