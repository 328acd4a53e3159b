"""The real service as a process of its own, on loopback: started, watched until it is ready, asked, ended."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from recloop.artifacts import Pointer, open_store, promote, publishing

HERE = Path(__file__).parent
SCENARIO = "made-up"


@dataclass
class Running:
    """A service that is ready."""

    url: str
    process: psutil.Process
    seconds: float
    """from its start to ready"""
    folder: Path

    @property
    def memory_mb(self) -> float:
        """Resident memory."""
        return self.process.memory_info().rss / 1e6

    @property
    def cpu_seconds(self) -> float:
        """Processor time so far."""
        spent = self.process.cpu_times()
        return spent.user + spent.system


@contextmanager
def serving(folder: Path, config: Path, bundle: Path | None = None) -> Iterator[Running]:
    """`recloop serve` with its home in `folder`: of a bundle, or following the pointer of its store."""
    port = _free_port()
    command = [sys.executable, "-m", "recloop_pipelines", "serve", "--scenario", str(config), "--port", str(port)]
    command += ["--bundle", str(bundle)] if bundle else []
    with _process(command, port, folder, ready=lambda found: bool(found.json().get("ready"))) as running:
        yield running


@contextmanager
def trivial(folder: Path) -> Iterator[Running]:
    """The framework's app that always answers the same."""
    port = _free_port()
    with _process([sys.executable, str(HERE / "trivial.py"), str(port)], port, folder, ready=lambda _: True) as running:
        yield running


@contextmanager
def _process(command, port, folder, *, ready):
    folder.mkdir(parents=True, exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RECLOOP_")}
    start = time.perf_counter()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, env=environment | {"RECLOOP_HOME": str(folder)}
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url, process, folder / "log", ready)
        yield Running(url, psutil.Process(process.pid), time.perf_counter() - start, folder)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(url, process, log, ready):
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if ready(httpx.get(f"{url}/health", trust_env=False)):
                return
        except httpx.TransportError:
            pass
        time.sleep(0.02)
    sys.exit(f"The server was not ready: {log.read_text()[-1000:]}")


def publish(folder: Path, bundle: Path, name: str) -> tuple[str, str]:
    """A bundle as an artefact in the store of a home -> its address and digest."""
    out = f"file://{folder}/store/{SCENARIO}/release/{name}"
    with publishing(out, kind="release", parents={}, config={}) as draft:
        for path in sorted(bundle.rglob("*")):
            if path.is_file():
                to = draft.path / path.relative_to(bundle)
                to.parent.mkdir(parents=True, exist_ok=True)
                to.write_bytes(path.read_bytes())
    from recloop.artifacts import read_manifest

    return out, read_manifest(out, kind="release").digest


def point(folder: Path, release: tuple[str, str], generation: int | None) -> Pointer:
    """Move the pointer of a home's store."""
    store = open_store(f"file://{folder}/store")
    uri, digest = release
    return promote(store, SCENARIO, release=uri, digest=digest, expected=generation, reason="benchmark")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
