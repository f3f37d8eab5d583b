"""`python -m services.metrics.probe [URL]`: a container's health check; exit 0 when it is ready."""

import os
import sys
import urllib.error
import urllib.request

TIMEOUT_S = 3.0
URL = "http://127.0.0.1:{port}/readyz"


def main(url: str) -> int:
    """Return 0 when the address answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
            answer.read()
    except urllib.error.HTTPError as error:
        sys.stderr.write(f"{url}: {error.code} {error.read().decode(errors='replace')}")
        return 1
    except OSError as error:
        sys.stderr.write(f"{url}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    default = URL.format(port=os.environ.get("PENSTOCK_METRICS_PORT", "9464"))
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else default))
