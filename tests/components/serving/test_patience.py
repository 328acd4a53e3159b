import socket
import threading
from contextlib import contextmanager

import pytest
import uvicorn

from recloop.serving.patience import impatient


async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 204, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


@contextmanager
def served(seconds):
    """A server that waits so long for a head -> its address."""
    door = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, http=impatient(seconds), lifespan="off", log_level="error", timeout_keep_alive=60)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
    thread.start()
    try:
        yield door.getsockname()
    finally:
        server.should_exit = True
        thread.join()
        door.close()


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "])
def test_a_connection_whose_request_does_not_arrive_is_closed(sent):
    with served(0.05) as address, socket.create_connection(address) as line:
        line.sendall(sent)
        assert line.recv(100) == b""


def test_a_request_that_arrives_in_time_is_answered_and_the_next_one_too():
    with served(30) as address, socket.create_connection(address) as line:
        for _ in range(2):
            line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert line.recv(1000).startswith(b"HTTP/1.1 204")


def test_a_second_request_that_stops_in_the_middle_is_closed_too():
    with served(0.05) as address, socket.create_connection(address) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HT")
        received = b""
        while part := line.recv(1000):
            received += part
        assert received.count(b"204") == 1
