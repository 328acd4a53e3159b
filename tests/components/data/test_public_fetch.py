"""Downloads from a real server on this machine that breaks off, refuses and changes its mind."""

import hashlib
import threading
import zipfile
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from tenacity import wait_none

from recloop.data.public.fetch import Line, fetch
from recloop.data.public.sets import Download, Form, Need, PublicSet, Tables
from recloop.errors import BadData, Busy, Unavailable

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


@pytest.fixture
def site():
    found = Site({"/big.bin": BODY})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(found))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_port}"
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def client():
    with httpx.Client(timeout=5, trust_env=False) as found:
        yield found


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


def test_a_connection_that_drops_midway_is_gone_on_with_where_it_broke(site, client, tmp_path):
    site.drops = 3
    fetch(plain(site), tmp_path, line(client))
    assert (tmp_path / "shop/big.bin").read_bytes() == BODY
    starts = [None if r is None else int(r[6:-1]) for _, r in site.asked]
    assert len(starts) == 4
    assert starts[0] is None
    assert starts[1:] == sorted(set(starts[1:]))
    assert names(tmp_path / "shop") == ["big.bin"]


def test_a_later_process_goes_on_with_what_an_earlier_one_left(site, client, tmp_path):
    site.drops = 10
    site.cut = 50_000
    with pytest.raises(Unavailable, match="run the same command"):
        fetch(plain(site), tmp_path, line(client))
    assert names(tmp_path / "shop") == ["big.bin.mark", "big.bin.part"]
    here = (tmp_path / "shop/big.bin.part").stat().st_size
    site.asked.clear()
    fetch(plain(site), tmp_path, line(client))
    assert site.asked == [("/big.bin", f"bytes={here}-")]
    assert (tmp_path / "shop/big.bin").read_bytes() == BODY


def test_a_file_that_changed_meanwhile_is_taken_anew(site, client, tmp_path):
    site.drops, site.cut = 10, 50_000
    with pytest.raises(Unavailable):
        fetch(plain(site, digest=None), tmp_path, line(client))
    site.tag, site.files["/big.bin"] = '"v2"', BODY[::-1]
    fetch(plain(site, digest=None), tmp_path, line(client))
    assert (tmp_path / "shop/big.bin").read_bytes() == BODY[::-1]


def test_a_server_without_ranges_is_asked_for_all_again(site, client, tmp_path):
    site.drops, site.ranges = 1, False
    fetch(plain(site), tmp_path, line(client))
    assert (tmp_path / "shop/big.bin").read_bytes() == BODY


def test_a_part_that_is_whole_already_is_only_renamed(site, client, tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/big.bin.part").write_bytes(BODY)
    (tmp_path / "shop/big.bin.mark").write_text(site.tag)
    fetch(plain(site), tmp_path, line(client))
    assert names(tmp_path / "shop") == ["big.bin"]


def test_an_overloaded_server_is_asked_again(site, client, tmp_path):
    site.refusals = 2
    fetch(plain(site), tmp_path, line(client))
    assert len(site.asked) == 3


@pytest.mark.parametrize(
    ("wrong", "said"), [({"digest": "md5:" + 32 * "0"}, "another version"), ({"size": 7}, "7 were published")]
)
def test_other_bytes_than_were_published_are_thrown_away(site, client, tmp_path, wrong, said):
    with pytest.raises(BadData, match=said):
        fetch(plain(site, **wrong), tmp_path, line(client))
    assert "big.bin" not in names(tmp_path / "shop")
    assert "big.bin.part" not in names(tmp_path / "shop")


def test_what_the_publisher_does_not_have_is_said_with_the_page(site, client, tmp_path):
    with pytest.raises(BadData, match=r"404.*http://page"):
        fetch(plain(site, path="/none"), tmp_path, line(client))


def test_what_is_there_is_not_fetched_again(site, client, tmp_path):
    for _ in range(2):
        fetch(plain(site), tmp_path, line(client))
    assert len(site.asked) == 1


def test_progress_is_told_as_a_share(site, client, tmp_path):
    told = []
    fetch(plain(site), tmp_path, line(client, told=told))
    assert told[-1] == ("big.bin: 1.0 MB", 1.0)


def test_a_folder_as_mirror_is_asked_first(site, client, tmp_path):
    (tmp_path / "mirror/shop").mkdir(parents=True)
    (tmp_path / "mirror/shop/big.bin").write_bytes(BODY)
    fetch(plain(site), tmp_path, line(client, str(tmp_path / "mirror")))
    assert (tmp_path / "shop/big.bin").read_bytes() == BODY
    assert site.asked == []


def test_a_url_as_mirror_is_asked_first_and_then_the_publisher(site, client, tmp_path):
    fetch(plain(site), tmp_path, line(client, f"{site.url}/mirror"))
    assert [path for path, _ in site.asked] == ["/mirror/shop/big.bin", "/mirror/shop/big.bin", "/big.bin"]


def test_a_mirror_with_other_bytes_is_refused(site, client, tmp_path):
    (tmp_path / "mirror/shop").mkdir(parents=True)
    (tmp_path / "mirror/shop/big.bin").write_bytes(b"else")
    with pytest.raises(BadData, match="was published"):
        fetch(plain(site), tmp_path, line(client, str(tmp_path / "mirror")))


def test_an_archive_is_unpacked_and_goes(site, client, tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as packed:
        packed.writestr("shop-1/ratings.csv", "a,b\n")
        packed.writestr("shop-1/other.csv", "c\n")
    site.files["/all.zip"] = (tmp_path / "all.zip").read_bytes()
    download = Download(f"{site.url}/all.zip", "all.zip", unpacked=(("*/ratings.csv", "ratings.csv"),))
    fetch(shop(Form((Need("ratings.csv"),), nothing, True, (download,))), tmp_path, line(client))
    assert names(tmp_path / "shop") == ["ratings.csv"]


def test_a_second_form_is_taken_where_the_mirror_has_only_that(site, client, tmp_path):
    (tmp_path / "mirror/old").mkdir(parents=True)
    (tmp_path / "mirror/old/b.txt").write_text("b")
    first = Form((Need("a.txt"),), nothing, True, (Download(f"{site.url}/a.txt", "a.txt"),))
    second = Form((Need("b.txt", at="old/b.txt"),), nothing, True)
    assert fetch(shop(first, second), tmp_path, line(client, str(tmp_path / "mirror"))) == second


def test_a_set_behind_a_login_says_what_to_do(client, tmp_path):
    found = shop(Form((Need("a.csv"), Need("b.csv")), nothing, False), by_hand="Sign in at http://page.")
    with pytest.raises(BadData, match=r"Sign in at http://page\. Then put a\.csv and b\.csv into"):
        fetch(found, tmp_path, line(client))


def test_a_wheel_is_asked_of_the_package_index(client, tmp_path):
    def wheel(requirement, folder):
        assert requirement == "shop==1.0"
        with zipfile.ZipFile(folder / "shop-1.0.whl", "w") as packed:
            packed.writestr("shop/data/a.csv", "a\n")
        return folder / "shop-1.0.whl"

    download = Download("pypi:shop==1.0", "shop.whl", unpacked=(("shop/data/a.csv", "a.csv"),))
    found = shop(Form((Need("a.csv"),), nothing, True, (download,)))
    fetch(found, tmp_path, Line(client, wheel, lambda *_: None))
    assert names(tmp_path / "shop") == ["a.csv"]


def test_other_bytes_in_an_archive_than_are_known_are_dropped(client, tmp_path):
    def wheel(_, folder):
        with zipfile.ZipFile(folder / "shop-1.0.whl", "w") as packed:
            packed.writestr("a.csv", "other\n")
        return folder / "shop-1.0.whl"

    download = Download("pypi:shop==1.0", "shop.whl", unpacked=(("a.csv", "a.csv"),))
    found = shop(Form((Need("a.csv", SHA),), nothing, True, (download,)))
    with pytest.raises(BadData, match="another version"):
        fetch(found, tmp_path, Line(client, wheel, lambda *_: None))
    assert names(tmp_path / "shop") == []


def test_two_processes_do_not_fetch_one_set_at_once(site, client, tmp_path):
    def second(*_):
        with pytest.raises(Busy, match="Another process"):
            fetch(plain(site), tmp_path, line(client))

    fetch(plain(site), tmp_path, Line(client, second, second, wait=wait_none()))


def archived(tmp_path, **members):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as packed:
        for name, text in members.items():
            packed.writestr(f"{name}.csv", text)
    return (tmp_path / "all.zip").read_bytes()


class Killed(BaseException):
    """Ends a fetch where nothing may tidy up."""


def killed(*_):
    raise Killed


def test_a_member_has_no_name_before_its_digest_is_known_to_fit(site, client, tmp_path, monkeypatch):
    site.files["/all.zip"] = archived(tmp_path, a="other")
    download = Download(f"{site.url}/all.zip", "all.zip", unpacked=(("a.csv", "a.csv"),))
    monkeypatch.setattr(hashlib, "file_digest", killed)
    found = shop(Form((Need("a.csv", SHA),), nothing, True, (download,)))
    with pytest.raises(Killed):
        fetch(found, tmp_path, line(client))
    assert found.ready(tmp_path / "shop") is None


def test_a_served_file_is_compared_with_what_is_known_of_the_file_that_is_read(site, client, tmp_path):
    download = Download(f"{site.url}/big.bin", "big.bin")
    with pytest.raises(BadData, match="another version"):
        fetch(shop(Form((Need("big.bin", 64 * "0"),), nothing, True, (download,))), tmp_path, line(client))
    assert names(tmp_path / "shop") == ["big.bin.mark"]


def two(site, tmp_path, second="big.bin"):
    """An archive, and then a plain file."""
    site.files["/all.zip"] = archived(tmp_path, a="one", b="two")
    first = Download(f"{site.url}/all.zip", "all.zip", unpacked=(("a.csv", "a.csv"), ("b.csv", "b.csv")))
    needs = (Need("a.csv", hashlib.sha256(b"one").hexdigest()), Need("b.csv"), Need("big.bin"))
    return shop(Form(needs, nothing, True, (first, Download(f"{site.url}/{second}", "big.bin"))))


def test_what_an_earlier_run_brought_is_not_fetched_again(site, client, tmp_path):
    found = two(site, tmp_path)
    site.drops, site.cut = 10, 50_000
    with pytest.raises(Unavailable):
        fetch(found, tmp_path, line(client))
    site.asked.clear()
    fetch(found, tmp_path, line(client))
    assert {path for path, _ in site.asked} == {"/big.bin"}
    assert names(tmp_path / "shop") == ["a.csv", "b.csv", "big.bin"]


def test_what_an_earlier_run_brought_needs_no_archive_of_the_mirror(site, client, tmp_path):
    found = two(site, tmp_path, "served.bin")
    (tmp_path / "mirror/shop").mkdir(parents=True)
    (tmp_path / "mirror/shop/served.bin").write_bytes(BODY)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/a.csv").write_text("one")
    (tmp_path / "shop/b.csv").write_text("two")
    fetch(found, tmp_path, line(client, str(tmp_path / "mirror")))
    assert site.asked == []
    assert (tmp_path / "shop/big.bin").read_bytes() == BODY


def test_a_file_that_is_there_but_is_another_is_fetched(site, client, tmp_path):
    found = two(site, tmp_path)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/a.csv").write_text("ONE")
    (tmp_path / "shop/b.csv").write_text("two")
    fetch(found, tmp_path, line(client))
    assert (tmp_path / "shop/a.csv").read_text() == "one"


def test_an_archive_that_fits_its_digest_is_only_unpacked_after_a_kill(site, client, tmp_path):
    body = archived(tmp_path, a="one")
    site.files["/all.zip"] = body
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    download = Download(f"{site.url}/all.zip", "all.zip", digest=digest, unpacked=(("a.csv", "a.csv"),))
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/all.zip").write_bytes(body)
    fetch(shop(Form((Need("a.csv"),), nothing, True, (download,))), tmp_path, line(client))
    assert site.asked == []
    assert names(tmp_path / "shop") == ["a.csv"]


def test_a_kill_at_the_new_mark_leaves_no_bytes_of_the_old_version(site, client, tmp_path, monkeypatch):
    site.drops, site.cut = 10, 50_000
    with pytest.raises(Unavailable):
        fetch(plain(site, digest=None), tmp_path, line(client))
    site.tag, site.files["/big.bin"] = '"v2"', BODY[::-1]
    write = Path.write_text
    monkeypatch.setattr(Path, "write_text", lambda *what: killed(write(*what)))
    with pytest.raises(Killed):
        fetch(plain(site, digest=None), tmp_path, line(client))
    monkeypatch.undo()
    fetch(plain(site, digest=None), tmp_path, line(client))
    assert (tmp_path / "shop/big.bin").read_bytes() == BODY[::-1]


def test_a_range_that_begins_elsewhere_than_asked_is_not_appended(site, client, tmp_path):
    site.drops, site.early = 1, 1_000
    fetch(plain(site, digest=None, size=None), tmp_path, line(client))
    assert (tmp_path / "shop/big.bin").read_bytes() == BODY
    assert [wanted is None for _, wanted in site.asked] == [True, False, True]


def test_a_file_that_is_there_but_is_another_is_taken_from_the_mirror(site, client, tmp_path):
    (tmp_path / "mirror/shop").mkdir(parents=True)
    (tmp_path / "mirror/shop/a.csv").write_text("one")
    (tmp_path / "mirror/shop/b.csv").write_text("two")
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/a.csv").write_text("ONE")
    needs = (Need("a.csv", hashlib.sha256(b"one").hexdigest()), Need("b.csv"))
    fetch(shop(Form(needs, nothing, True)), tmp_path, line(client, str(tmp_path / "mirror")))
    assert (tmp_path / "shop/a.csv").read_text() == "one"
