import shutil
import socket
import sys
from pathlib import Path

import pytest

from recloop.errors import BadRelease
from recloop.serving.tryout import tryout

COPY = Path(__file__).with_name("server_copy.py")


@pytest.fixture
def tried(tmp_path):
    """Function: bundle, program -> the Trial of a copy."""

    def run(bundle, program=COPY):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [sys.executable, str(program), str(bundle), str(tmp_path / "journal"), str(port)]
        return tryout(bundle, command=command, port=port, log=tmp_path / "log")

    return run


def test_a_good_bundle_passes_with_its_latency(bundle_folder, tried):
    trial = tried(bundle_folder)
    assert trial.latency_ms > 0
    assert trial.answers == 12


def test_a_bundle_that_does_not_start_is_refused_with_the_end_of_the_log(bundle_folder, tried, tmp_path):
    broken = shutil.copytree(bundle_folder, tmp_path / "broken")
    (broken / "model" / "ranker.onnx").unlink()
    with pytest.raises(BadRelease, match=r"ended with 1. Its log ends: (.|\n)*ranker\.onnx"):
        tried(broken)


def test_a_server_that_ignores_filters_is_refused(bundle_folder, tried, tmp_path):
    program = tmp_path / "careless.py"
    program.write_text(
        "import sys\n"
        f"sys.path.insert(0, {str(COPY.parent)!r})\n"
        "from recloop.serving.filters import Masks\n"
        "Masks.of = lambda self, filters: None\n"
        "import server_copy\n"
        "server_copy.main(*sys.argv[1:])\n"
    )
    with pytest.raises(BadRelease, match="was in stock"):
        tried(bundle_folder, program)


def test_a_bundle_that_gives_too_few_items_is_refused(bundle_folder, tried, tmp_path):
    program = tmp_path / "stingy.py"
    program.write_text(
        "import sys\n"
        f"sys.path.insert(0, {str(COPY.parent)!r})\n"
        "from recloop.serving.engine import Engine\n"
        "Engine._k = lambda self, k: 3\n"
        "import server_copy\n"
        "server_copy.main(*sys.argv[1:])\n"
    )
    with pytest.raises(BadRelease, match="got 3 of 10 items"):
        tried(bundle_folder, program)
