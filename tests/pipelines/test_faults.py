import signal
import subprocess
import sys
import time

import pytest
import sqlalchemy as sa

from recloop import ledger
from recloop.artifacts import open_store, read_manifest
from recloop_pipelines.places import KINDS
from recloop_pipelines.settings import settings

STEPS = ("collect", "check", "prepare", "fit", "evaluate", "release")


def command(path, name):
    return [sys.executable, "-W", "ignore", "-m", "recloop_pipelines", "run", str(path), "--run", name, "--json"]


def manifests(name):
    root = settings().store_uri
    found = {}
    for kind in (KINDS[step] for step in STEPS):
        if open_store(f"{root}/shop/{kind}/{name}").read("manifest.json") is not None:
            found[kind] = read_manifest(f"{root}/shop/{kind}/{name}", kind=kind).digest
    return found


def kill_during(process, step, name):
    """SIGKILL once the artefact before the step's is there, so that the step is at work."""
    before = KINDS[STEPS[STEPS.index(step) - 1]] if step != STEPS[0] else None
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if before is None or before in manifests(name):
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.01)
    process.wait()


def end_the_lease():
    """The killed run's lease would end by itself after a minute."""
    engine = ledger.connect(settings().database_url)
    with engine.begin() as connection:
        connection.execute(sa.text("update leases set expires = 0"))
    engine.dispose()


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_a_run_killed_at_any_step_and_run_again_ends_with_the_same_bytes(shop, step, monkeypatch, tmp_path):
    monkeypatch.setenv("RECLOOP_HOME", str(tmp_path / "whole"))
    settings.cache_clear()
    assert subprocess.run(command(shop, "r"), capture_output=True, check=False).returncode == 0
    whole = manifests("r")
    monkeypatch.setenv("RECLOOP_HOME", str(tmp_path / "killed"))
    settings.cache_clear()
    process = subprocess.Popen(command(shop, "r"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    kill_during(process, step, "r")
    assert process.returncode == -signal.SIGKILL
    half = manifests("r")
    assert half.items() <= whole.items()
    assert KINDS["release"] not in half
    end_the_lease()
    again = subprocess.run(command(shop, "r"), capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr[-2000:]
    assert manifests("r") == whole
