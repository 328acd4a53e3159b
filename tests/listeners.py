"""Real servers of this machine that keep what they are sent: HTTP and SMTP."""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@contextmanager
def webhook(status: int = 200) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """URL of a server, and the JSON that it was sent."""
    got: list[dict[str, Any]] = []

    class Post(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *words: object) -> None:
            """Say nothing."""

    with _serving(ThreadingHTTPServer(("127.0.0.1", 0), Post)) as port:
        yield f"http://127.0.0.1:{port}/hook", got


@contextmanager
def mailbox() -> Iterator[tuple[str, list[str]]]:
    """smtp:// URL of a server, and the letters that it was sent."""
    got: list[str] = []

    class Mail(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 here")
            while line := self.rfile.readline():
                word = line[:4].decode().strip().upper()
                if word == "DATA":
                    self._say("354 go on")
                    got.append(b"".join(iter(self.rfile.readline, b".\r\n")).decode())
                self._say("221 bye" if word == "QUIT" else "250 yes")

        def _say(self, words: str) -> None:
            self.wfile.write(f"{words}\r\n".encode())

    with _serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail)) as port:
        yield f"smtp://127.0.0.1:{port}", got


@contextmanager
def _serving(server: socketserver.TCPServer) -> Iterator[int]:
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
