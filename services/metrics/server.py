"""/metrics, /livez and /readyz of one process, on a thread beside its loop."""

import logging
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CollectorRegistry, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from services.metrics.health import Health

__all__ = ["MetricsServer", "serve"]

TEXT = "text/plain; charset=utf-8"
# A second series for each counter, that nobody asks for.
disable_created_metrics()  # type: ignore[no-untyped-call]  # of a library without the type
log = logging.getLogger("penstock.metrics")


class MetricsServer:
    """Answers until closed. Port 0 takes any free one; see `port`."""

    def __init__(self, registry: CollectorRegistry, health: Health, host: str, port: int) -> None:
        routes: dict[str, Callable[[], tuple[int, str, bytes]]] = {
            "/metrics": lambda: (200, CONTENT_TYPE_PLAIN_0_0_4, generate_latest(registry)),
            "/livez": lambda: _verdict(health.dead()),
            "/readyz": lambda: _verdict(health.unready()),
        }

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer = routes.get(self.path.partition("?")[0])
                code, kind, body = answer() if answer else (404, TEXT, b"not found\n")
                self.send_response(code)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing: a probe a second would be all that the log holds."""

        self._server = ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="metrics", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def serve(registry: CollectorRegistry, health: Health, host: str, port: int) -> None:
    """Serve until the process ends; nothing for port 0.

    A port that cannot be had is logged and passed over: trading does not wait for its metrics.
    """
    if not port:
        return
    try:
        MetricsServer(registry, health, host, port)
    except OSError as error:
        log.error("no metrics on %s:%d: %s", host, port, error)


def _verdict(reason: str) -> tuple[int, str, bytes]:
    return (503, TEXT, f"{reason}\n".encode()) if reason else (200, TEXT, b"ok\n")
