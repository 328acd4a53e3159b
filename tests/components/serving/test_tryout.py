import shutil
import socket
import sys
from pathlib import Path

import psutil
import pytest

from recloop.config import Config, DataConfig
from recloop.errors import BadRelease
from recloop.serving.tryout import tryout

COPY = Path(__file__).with_name("server_copy.py")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def tried(tmp_path):
    """Function: bundle, program -> the Trial of a copy."""

    def run(bundle, program=COPY):
        port = free_port()
        command = [sys.executable, str(program), str(bundle), str(tmp_path / "journal"), str(port)]
        return tryout(bundle, command=command, port=port, log=tmp_path / "log")

    return run


@pytest.fixture
def spoilt(tmp_path):
    """Function: lines of Python -> a copy of the server that runs them first, and writes its number to `pid`."""

    def write(*lines):
        program = tmp_path / "spoilt.py"
        start = [
            "import os, pathlib, sys",
            f"sys.path.insert(0, {str(COPY.parent)!r})",
            f"pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(os.getpid()))",
        ]
        program.write_text("\n".join([*start, *lines, "import server_copy", "server_copy.main(*sys.argv[1:])"]))
        return program

    return write


def test_a_good_bundle_passes_with_its_latency(bundle_folder, tried):
    trial = tried(bundle_folder)
    assert trial.latency_ms > 0
    assert trial.answers == 12


def test_a_bundle_that_does_not_start_is_refused_with_the_end_of_the_log(bundle_folder, tried, tmp_path):
    broken = shutil.copytree(bundle_folder, tmp_path / "broken")
    (broken / "model" / "ranker.onnx").unlink()
    with pytest.raises(BadRelease, match=r"ended with 1. Its log ends: (.|\n)*ranker\.onnx"):
        tried(broken)


def test_a_server_that_ignores_filters_is_refused(bundle_folder, tried, spoilt):
    program = spoilt(
        "from recloop.serving.filters import Masks",
        "Masks.of = lambda self, filters: None",
    )
    with pytest.raises(BadRelease, match="was in stock"):
        tried(bundle_folder, program)


def test_a_bundle_that_gives_too_few_items_is_refused(bundle_folder, tried, spoilt):
    program = spoilt(
        "from recloop.serving.engine import Engine",
        "Engine._k = lambda self, k: 3",
    )
    with pytest.raises(BadRelease, match="got 3 of 10 items"):
        tried(bundle_folder, program)


def test_nothing_of_the_copy_is_left_when_it_was_refused(bundle_folder, tried, spoilt, tmp_path):
    program = spoilt(
        "from recloop.serving.engine import Engine",
        "Engine._k = lambda self, k: 3",
    )
    with pytest.raises(BadRelease):
        tried(bundle_folder, program)
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))


def test_a_proxy_of_the_environment_is_not_asked(bundle_folder, tried, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert tried(bundle_folder).answers == 12


def test_the_server_of_the_command_line_passes(bundle_folder, tmp_path):
    scenario = tmp_path / "tiny.json"
    scenario.write_text(Config(scenario="tiny", data=DataConfig(events="none.csv")).model_dump_json())
    port = free_port()
    command = [sys.executable, "-m", "recloop_pipelines", "serve", "--scenario", str(scenario), "--port", str(port)]
    command += ["--bundle", str(bundle_folder), "--journal", str(tmp_path / "journal")]
    assert tryout(bundle_folder, command=command, port=port, log=tmp_path / "log").answers == 12


def test_a_server_that_answers_nonsense_is_refused(bundle_folder, tried, spoilt):
    program = spoilt(
        "from starlette.responses import Response",
        "from recloop.serving import answers",
        "answers.answered = lambda body: Response('[]')",
    )
    with pytest.raises(BadRelease, match="failed: TypeError"):
        tried(bundle_folder, program)
