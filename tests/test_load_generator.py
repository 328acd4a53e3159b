import importlib.util
from pathlib import Path

import pytest

spec = importlib.util.spec_from_file_location("wrk", Path(__file__).parents[1] / "benchmarks" / "wrk.py")
wrk = importlib.util.module_from_spec(spec)
spec.loader.exec_module(wrk)

FIGURES = '{"requests":50,"failed":0,"refused":1,"seconds":2.0,"p50_ms":1.5,"p99_ms":2.5,"p999_ms":3.5}'


@pytest.fixture
def generator(tmp_path, monkeypatch):
    """Function: what a wrk of ours prints after noting its script."""

    def make(told):
        program = tmp_path / "wrk"
        program.write_text(f"#!/bin/sh\ncat $7 > {tmp_path}/script\necho '{told}'\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")

    return make


def test_without_the_load_generator_the_reader_learns_how_to_get_it(monkeypatch):
    monkeypatch.setattr(wrk.shutil, "which", lambda _: None)
    with pytest.raises(SystemExit, match="apt-get install wrk"):
        wrk.require()


def test_the_figures_are_what_the_generator_counted(generator, tmp_path):
    generator(f"Running 2s test\nJSON{FIGURES}")
    found = wrk.events("http://127.0.0.1:9", ["a"], run="r", connections=2, seconds=1, batch=5, pause_ms=7)
    assert (found["rps"], found["p99_ms"], found["refused"]) == (25.0, 2.5, 1)
    script = (tmp_path / "script").read_text()
    assert "math.floor(-7 * math.log" in script
    assert "for n = 1, 5 do" in script


def test_a_generator_that_fails_is_told(generator):
    generator("unable to connect")
    with pytest.raises(SystemExit, match="unable to connect"):
        wrk.recommendations("http://127.0.0.1:9", ["a"], connections=1, seconds=1)
