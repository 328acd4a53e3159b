import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest

from recloop.artifacts.pointer import Pointer
from recloop.errors import Unavailable
from recloop.serving.bundle import Bundle
from recloop.serving.engine import Engine
from recloop.serving.journal import ACTIVE, Journal, read_segment
from recloop.serving.schemas import Ask
from recloop.serving.state import State
from recloop.serving.watcher import Watcher

COPY = Path(__file__).with_name("server_copy.py")


@pytest.fixture
def process(bundle_folder, tmp_path):
    """Function: -> a server in a process of its own, with its client; each start goes on with the same journal."""
    started = []

    def start():
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [sys.executable, str(COPY), str(bundle_folder), str(tmp_path / "journal"), str(port)]
        child = subprocess.Popen(command)
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20)
        started.append((child, client))
        while child.poll() is None:
            try:
                client.get("/health")
                return child, client
            except httpx.TransportError:
                continue
        raise AssertionError(f"the server ended with {child.returncode}")

    yield start
    for child, client in started:
        client.close()
        child.kill()
        child.wait()


def event(name, user="new"):
    return {"event_id": name, "user_id": user, "item_id": "l", "event": "purchase"}


def test_what_was_acknowledged_survives_a_kill_and_is_taken_once(process, tmp_path):
    child, client = process()
    acknowledged = []
    enough = threading.Event()

    def send(worker):
        with httpx.Client(base_url=client.base_url, timeout=20) as own:
            for n in range(100_000):
                name = f"{worker}-{n}"
                try:
                    response = own.post("/v1/events", json=event(name))
                except httpx.TransportError:
                    return
                assert response.status_code == 202
                acknowledged.append(name)
                if len(acknowledged) > 50:
                    enough.set()

    workers = [threading.Thread(target=send, args=(n,)) for n in range(4)]
    for worker in workers:
        worker.start()
    assert enough.wait(60)
    child.send_signal(signal.SIGKILL)
    child.wait()
    for worker in workers:
        worker.join()

    _, again = process()
    kept = {record["event_id"] for record in read_segment(tmp_path / "journal" / ACTIVE)}
    assert set(acknowledged) <= kept
    sent = again.post("/v1/events", json={"events": [event(name) for name in acknowledged]}).json()["results"]
    assert {result["status"] for result in sent} == {"duplicate"}
    assert again.get("/v1/users/new/history", params={"limit": 1}).json()["events"] == len(kept)


def test_a_server_that_is_stopped_leaves_a_whole_journal(process, tmp_path):
    child, client = process()
    client.post("/v1/recommendations", json={"user_id": "u0"})
    child.terminate()
    child.wait()
    assert [record["kind"] for record in read_segment(tmp_path / "journal" / ACTIVE)] == ["answer"]


class Pointers:
    """A pointer that tests move, and the folders of its releases."""

    def __init__(self, folders):
        self.folders, self.generation, self.down = folders, 1, False

    def poll(self):
        if self.down:
            raise Unavailable("no answer")
        name = f"release-{self.generation % len(self.folders)}"
        return Pointer(generation=self.generation, release=name, digest=name)

    def fetch(self, pointer):
        return self.folders[int(pointer.release[-1])]


@pytest.fixture
def pointers(bundle_folder, other_folder):
    return Pointers([bundle_folder, other_folder])


@pytest.fixture
def watching(pointers, tmp_path):
    def make():
        engine = Engine(State(), k=5, max_k=20)
        remembered = tmp_path / "pointer.json"
        return Watcher(engine, poll=pointers.poll, fetch=pointers.fetch, seconds=600, remembered=remembered)

    return make


def test_swaps_under_load_fail_no_answer_and_mix_none(served, watching, pointers, bundle, other_folder):
    expected = {}
    for n, release in enumerate((bundle, Bundle.load(other_folder))):
        alone = Engine(State(), k=5, max_k=20)
        alone.swap(release, digest=f"release-{n}", generation=1)
        answer = alone.recommend(Ask(user_id="u0"), now=bundle.end + 100.0)
        expected[f"release-{n}"] = [item["item_id"] for item in answer["items"]]
    assert expected["release-0"] != expected["release-1"]
    answers, stop = [], threading.Event()

    watcher = watching()
    with served(watcher.engine, watcher=watcher) as server:

        def ask():
            with httpx.Client(base_url=server.url, timeout=20) as client:
                while not stop.is_set():
                    answers.append(client.post("/v1/recommendations", json={"user_id": "u0"}))

        askers = [threading.Thread(target=ask) for _ in range(3)]
        for asker in askers:
            asker.start()
        for generation in range(2, 12):
            pointers.generation = generation
            assert server.client.post("/v1/releases/reload").json()["generation"] == generation
        stop.set()
        for asker in askers:
            asker.join()

    assert {answer.status_code for answer in answers} == {200}
    for answer in map(httpx.Response.json, answers):
        assert answer["release"] == f"release-{answer['generation'] % 2}"
        assert [item["item_id"] for item in answer["items"]] == expected[answer["release"]]
    assert len({answer.json()["release"] for answer in answers}) == 2


def test_a_restart_with_the_store_down_serves_and_says_so(served, watching, pointers, tmp_path):
    pointers.generation = 3
    first = watching()
    with served(first.engine, watcher=first):
        pass
    pointers.down = True
    second = watching()
    with served(second.engine, watcher=second, journal=Journal(tmp_path / "journal")) as server:
        health = server.client.get("/health").json()
        assert (health["ready"], health["generation"]) == (True, 3)
        assert "no answer" in health["degraded"]["pointer"]
        assert server.client.post("/v1/recommendations", json={"user_id": "u0"}).status_code == 200
