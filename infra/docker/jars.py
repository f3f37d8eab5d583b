"""Put Kafka's jars into an image's folder: `python -m infra.docker.jars FOLDER`.

The embedded broker's own locked jars, and the tools beside them, which only the image needs.
"""

import shutil
import sys
from pathlib import Path

from infra.broker.jars import LOCK, provide_jars, read_lock
from infra.broker.settings import BrokerSettings

__all__ = ["TOOLS_LOCK", "main"]

TOOLS_LOCK = Path(__file__).parent / "kafka" / LOCK.name.replace("lock", "tools.lock")


def main(folder: Path) -> int:
    """Fill the folder. Raises: DownloadError, ChecksumError."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = BrokerSettings()
    settings.cache.mkdir(parents=True, exist_ok=True)
    broker = provide_jars(settings, read_lock())
    beside = settings.model_copy(update={"cache": settings.cache / "tools"})
    beside.cache.mkdir(exist_ok=True)
    tools = provide_jars(beside, read_lock(TOOLS_LOCK))
    for path in (*broker.paths, *tools.paths):
        shutil.copyfile(path, folder / path.name)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
