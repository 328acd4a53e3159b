import threading
from http.server import ThreadingHTTPServer

import httpx
import pytest

from sites import BODY, Site, handler


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
