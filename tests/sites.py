"""A real server on this machine that breaks off, refuses and changes its mind, and public sets that it has."""

import hashlib
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

import pytest
from tenacity import wait_none

from recloop.data.public.fetch import Line
from recloop.data.public.sets import Download, Form, Need, PublicSet, Tables

BODY = bytes(range(256)) * 4000
SIZE = len(BODY)
SHA = hashlib.sha256(BODY).hexdigest()


@dataclass
class Site:
    """What the server has and does: it drops the connection after `cut` bytes, `drops` times, and resumes `early`."""

    files: dict[str, bytes]
    drops: int = 0
    cut: int = 300_000
    tag: str = '"v1"'
    refusals: int = 0
    ranges: bool = True
    early: int = 0
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    url: str = ""


def handler(site):
    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            wanted = self.headers.get("Range")
            site.asked.append((self.path, wanted))
            body = site.files.get(self.path)
            if site.refusals:
                site.refusals -= 1
                return self.said(503, b"")
            if body is None:
                return self.said(404, b"")
            start = 0
            if wanted and site.ranges and self.headers.get("If-Range") == site.tag:
                start = int(wanted.removeprefix("bytes=").rstrip("-"))
                if start >= len(body):
                    return self.said(416, b"", {"Content-Range": f"bytes */{len(body)}"})
                start -= site.early
            place = {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"} if start else {}
            return self.said(206 if start else 200, body[start:], {"ETag": site.tag, **place})

        def said(self, code, body, headers=None):
            self.send_response(code)
            for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            if site.drops and len(body) > site.cut:
                site.drops -= 1
                self.wfile.write(body[: site.cut])
                self.close_connection = True
                return
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    return Answers


def nothing(folder):
    return Tables(folder)


def shop(*forms, **more):
    return PublicSet("shop", "A shop", 1, 1, 1, "order", "free", "us", "http://page", forms, **more)


def plain(site, *, digest=f"sha256:{SHA}", size=SIZE, path="/big.bin"):
    download = Download(f"{site.url}{path}", "big.bin", size, digest)
    return shop(Form((Need("big.bin", SHA if digest else None),), nothing, True, (download,)))


def line(client, mirror=None, told=None):
    heard = [] if told is None else told
    return Line(client, lambda *_: pytest.fail("no wheel"), lambda *w: heard.append(w), mirror=mirror, wait=wait_none())


def names(folder):
    return sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))
