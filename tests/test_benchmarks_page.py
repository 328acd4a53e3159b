import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recloop.errors import BadData
from recloop.evaluation.comparison import Result, compared
from recloop.evaluation.protocol import Benchmark

ROOT = Path(__file__).parents[1]
spec = importlib.util.spec_from_file_location("report", ROOT / "benchmarks" / "report.py")
report = importlib.util.module_from_spec(spec)
sys.path.insert(0, str(ROOT / "benchmarks"))
spec.loader.exec_module(report)
sys.path.remove(str(ROOT / "benchmarks"))

PROTOCOL = Benchmark(kind="temporal", start=0, end=9, k=10, min_item_events=1, data="d", learnt="past", repeats=False)


def comparison(title, protocol=PROTOCOL):
    users = [f"u{n}" for n in range(20)]
    values = {
        name: pl.DataFrame({"ndcg": np.linspace(0, top, 20), "user": users}) for name, top in (("a", 1), ("b", 0.5))
    }
    costs = {"fit_cpu_seconds": 1.0, "cpu_seconds_a_million": 2.0}
    results = [Result(n, "ease", 1, 0, protocol.hash, frame, {"gini": 0.5}, costs) for n, frame in values.items()]
    return compared(results, protocol, title=title, bootstrap=100)


def test_the_page_has_a_section_a_run_with_its_protocol():
    other = replace(PROTOCOL, data="e")
    page = report.page({"second": comparison("Two", other), "first": comparison("One")})
    assert page.index("## first") < page.index("## second")
    assert page.count("| ndcg@10 |") == 2
    assert PROTOCOL.hash in page
    assert other.hash in page
    assert "- [One: best is a](#first)" in page


def test_one_table_twice_is_refused():
    with pytest.raises(BadData, match="are the same models on protocol"):
        report.page({"first": comparison("One"), "second": comparison("One again")})


TABLE = {
    "title": "Beauty",
    "protocol": "leave-one-out",
    "n": 22363,
    "columns": ["HR@10", "NDCG@10"],
    "rows": [{"model": "hybrid", "values": [[0.1063, 0.0039], [0.064, None]], "seeds": 3, "command": "fit beauty"}],
    "published": [{"model": "SASRec", "values": [0.0921, None], "source": "a README"}],
    "notes": ["One thread."],
}


def test_a_table_of_models_stands_beside_what_others_published():
    page = report.page({"beauty": TABLE})
    assert "- [Beauty](#beauty)" in page
    assert "Beauty: leave-one-out, n 22,363." in page
    assert "| hybrid | 0.1063 +- 0.0039 | 0.0640 | 3 | - |" in page
    assert "| SASRec | 0.0921 | - | a README |" in page
    assert "- One thread.\n- hybrid: `fit beauty`" in page


def test_a_benchmark_of_speed_has_its_figures_and_its_rows():
    fits = [{"events": 10, "peak_mb": 1.5}, {"events": 100, "peak_mb": 2.25}]
    page = report.page({"scale": {"benchmark": "scale", "growth": {"events": 10.0}, "fits": fits, "curves": [1, 2]}})
    assert "- [recloop bench scale](#scale)" in page
    assert "| growth.events | 10.0 |" in page
    assert "fits:\n\n| events | peak_mb |\n|---|---|\n| 10 | 1.5 |\n| 100 | 2.25 |" in page
    assert "curves" not in page


def test_the_page_in_docs_is_that_of_the_logged_runs():
    runs = {path.stem: report.read(path) for path in sorted(report.RUNS.glob("*.json"))}
    assert report.PAGE.read_text() == report.page(runs)


def test_estimates_of_models_stand_side_by_side():
    def one(mean):
        return {"mean": mean, "low": 0.1, "high": 0.3, "n": 1200, "seeds": [mean, mean]}

    run = {"benchmark": "cold", "models": {"a": {"cold 0": one(0.2)}, "b": {"cold 0": one(0.25)}}}
    text = report.measured.markdown(run)
    assert "| | n | a | b |" in text
    assert "| cold 0 | 1,200 | 0.2000 [0.1000, 0.3000] | 0.2500 [0.1000, 0.3000] |" in text
    assert "Mean over 2 seeds, 95 % over n users." in text
