"""The snippet in a real browser: Debian's Chromium, driven by playwright."""

import json
import shutil
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from recloop.config import EdgeConfig
from recloop.serving.journal import ACTIVE, read_segment
from recloop.serving.keys import Keys, hashed

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright (the extra dev)")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs Chromium: apt-get install chromium")


FILL = """localStorage.room = '';
for (let n = 1 << 23; n; n >>= 1) try { localStorage.room += 'x'.repeat(n) } catch {}
localStorage.room = localStorage.room.slice(60)"""
"""leaves room for an empty queue, and for no event"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Nothing."""


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield found
        found.close()


@pytest.fixture
def shop(tmp_path):
    """Function: service's url -> address of a shop's page with the snippet, on an origin of its own."""
    folder = tmp_path / "shop"
    folder.mkdir()
    site = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = Thread(target=site.serve_forever)
    thread.start()
    site.url = f"http://127.0.0.1:{site.server_address[1]}"
    site.folder = folder
    yield site
    site.shutdown()
    thread.join()
    site.server_close()


@pytest.fixture
def serving(served, engine, tmp_path, shop):
    """A service that lets the shop's pages in, with a page's key."""
    path = tmp_path / "keys.json"
    path.write_text(json.dumps([hashed("page", "page", ("write",), public=True)]))
    with served(engine, keys=Keys.load(path), around=EdgeConfig(origins=(shop.url,))) as server:
        script = f'<script src="{server.url}/recloop.js" data-key="page"></script>'
        (shop.folder / "index.html").write_text(f"<!doctype html>{script}<a href='other.html'>other</a>")
        (shop.folder / "other.html").write_text("<!doctype html>nothing here")
        yield server


def events(server):
    server.journal.append([]).result()
    found = [record for record in read_segment(server.journal.folder / ACTIVE) if record["kind"] == "event"]
    return [(record["user_id"], record["item_id"], record["event"]) for record in found]


def test_a_page_tells_what_its_visitor_does_and_the_next_answer_knows_it(browser, serving, shop):
    page = browser.new_page()
    page.goto(shop.url)
    session = page.evaluate("recloop.session")
    page.evaluate("recloop.track('view', 'l', {price: 2.5}), recloop.flush()")
    page.wait_for_function("!JSON.parse(localStorage['recloop.queue']).length")
    answer = page.evaluate("recloop.recommend({k: 3})")
    assert events(serving) == [(session, "l", "view")]
    assert answer["items"][0]["item_id"] == "l"
    page.reload()
    assert page.evaluate("recloop.session") == session
    page.close()


def test_events_of_a_page_without_a_network_are_sent_when_it_is_back_and_once(browser, serving, shop):
    page = browser.new_page()
    page.goto(shop.url)
    page.context.set_offline(True)
    page.evaluate("recloop.identify('u9'), recloop.track('click', 'a'), recloop.flush()")
    assert page.evaluate("JSON.parse(localStorage['recloop.queue']).length") == 1
    page.context.set_offline(False)
    page.evaluate("recloop.flush()")
    page.wait_for_function("!JSON.parse(localStorage['recloop.queue']).length")
    page.evaluate("recloop.flush()")
    assert events(serving) == [("u9", "a", "click")]
    page.close()


def test_a_page_that_is_left_at_once_still_sends(browser, serving, shop):
    page = browser.new_page()
    page.goto(shop.url)
    page.evaluate("recloop.track('cart', 'b'); location.href = 'other.html'")
    page.wait_for_url("**/other.html")
    # the browser sends on after the page is gone
    assert any(events(serving) for _ in range(5_000))
    assert [found[1:] for found in events(serving)] == [("b", "cart")]
    page.close()


def test_a_browser_whose_storage_was_full_sends_what_it_held_once(browser, serving, shop):
    page = browser.new_page()
    page.goto(shop.url)
    page.evaluate(FILL)
    page.evaluate("recloop.track('view', 'c'), recloop.flush()")
    page.evaluate("recloop.flush()")
    page.wait_for_function("localStorage['recloop.queue'] === '[]'", timeout=5_000)
    with page.expect_request("**/v1/events") as sent:
        page.evaluate("recloop.track('view', 'd'), recloop.flush()")
    assert [event["item_id"] for event in sent.value.post_data_json["events"]] == ["d"]
    page.close()
