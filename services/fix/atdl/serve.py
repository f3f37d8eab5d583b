"""Serve the FIXatdl file by HTTP, so that order systems fetch the newest ticket themselves."""

import hashlib
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

__all__ = ["PATH", "serve"]

PATH: Final = "/fixatdl/penstock.xml"
HOST: Final = "127.0.0.1"
TIMEOUT_S: Final = 10  # of a client that connects and says nothing


def serve(text: str, port: int) -> ThreadingHTTPServer:
    """Return a server on the loopback interface, not yet running; port 0 takes a free one.

    Raises: OSError when the port is taken.
    """
    body = text.encode()
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version = "penstock"
        sys_version = ""
        timeout = TIMEOUT_S

        def do_GET(self) -> None:
            self._answer(is_head=False)

        def do_HEAD(self) -> None:
            self._answer(is_head=True)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: what is asked for is no fact of ours."""

        def _answer(self, *, is_head: bool) -> None:
            if self.path.partition("?")[0] not in ("/", PATH):
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            known = self.headers.get("If-None-Match", "")
            is_known = known == "*" or tag in (each.strip() for each in known.split(","))
            self.send_response(HTTPStatus.NOT_MODIFIED if is_known else HTTPStatus.OK)
            self.send_header("ETag", tag)
            self.send_header("Cache-Control", "no-cache")  # ask again each time, by ETag
            if not is_known:
                self.send_header("Content-Type", "application/xml; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if not is_head and not is_known:
                self.wfile.write(body)

    return ThreadingHTTPServer((HOST, port), Handler)
